// The lint Action with `check-images`, against Debian's docker-registry with a login: the facts and verdicts of the native
// command; a registry that cannot be asked is said once; no layer is read, and nobody is asked who need not be.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";

import { BASIC, dockerRegistry, freePort, native } from "./registry.mjs";
import { lint, stepOf } from "./runner.mjs";

const scratch = mkdtempSync(join(tmpdir(), "soci-check-images-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
const registry = await dockerRegistry();

const home = join(scratch, "home");
mkdirSync(join(home, ".docker"), { recursive: true });
const logins = (...hosts) => JSON.stringify({ auths: Object.fromEntries(hosts.map((host) => [host, { auth: BASIC.slice("Basic ".length) }])) });
writeFileSync(join(home, ".docker/config.json"), logins(registry.host));
const NOBODY = { HOME: join(scratch, "nobody") };

/** A task definition with these images. */
const task = (...images) =>
  JSON.stringify({ family: "t", containerDefinitions: images.map((image, at) => ({ name: `c${at}`, image })) }, null, 2);

// On Fargate no image of this registry is lazy, whatever it is.
const INPUTS = { "task-definition": "t.json", for: "containerd", "fail-on": "never" };
const step = (document, inputs, environment = { HOME: home }) =>
  stepOf(lint, { ...INPUTS, ...inputs }, environment, undefined, { "t.json": document });

/** The native command over the same document. */
function cargoSoci(document, ...words) {
  const folder = mkdtempSync(join(scratch, "native-"));
  writeFileSync(join(folder, "t.json"), document);
  const [program, all] = native(...words);
  return spawnSync(program, all, { cwd: folder, encoding: "utf8", env: { PATH: process.env.PATH, HOME: home, NO_COLOR: "1" } });
}

const warnings = ({ stdout }) => [...stdout.matchAll(/^::warning title=soci::(.*)$/gm)].map(([, text]) => text);
const verdicts = ({ report }) => JSON.parse(report).files.flatMap(({ tasks }) => tasks.flatMap(({ containers }) => containers.map(({ verdict }) => verdict)));

await registry.putMade("app", "plain", [300_000]);
await registry.putMade("app", "lazy", [300_000, 200_000]);
const lazy = `${registry.host}/app:lazy`;
const plain = `${registry.host}/app:plain`;
const missing = `${registry.host}/app:none`;
const converted = cargoSoci("{}", "convert", lazy, "--min-layer-size", "0", "--span-size", "64KiB");
assert.equal(converted.status, 0, converted.stderr);

test("images are looked up, and the report is the native command's", async () => {
  const document = task(lazy, plain, missing, lazy);
  const off = await step(document, {});
  assert.deepEqual(verdicts(off), ["unknown", "unknown", "unknown", "unknown"]);
  const on = await step(document, { "check-images": "on" });
  assert.equal(on.stderr, "");
  assert.equal(on.code, 0, on.stdout);
  assert.deepEqual(verdicts(on), ["lazy", "not-lazy", "unknown", "lazy"]);
  assert.deepEqual(warnings(on), [`${missing} is not in its registry`]);
  const there = cargoSoci(document, "lint", "t.json", "--for", "containerd", "--check-images", "on", "--fail-on", "never", "--format", "json");
  assert.equal(there.status, 0, there.stderr);
  assert.match(there.stderr, /app:none is not in its registry/);
  assert.equal(on.report, there.stdout);
  assert.deepEqual(JSON.parse(on.report).images.map(({ image }) => image), [lazy, plain]);
});

test("auto asks about images of ECR alone", async () => {
  const auto = await step(task(lazy), { "check-images": "auto" });
  assert.deepEqual(verdicts(auto), ["unknown"]);
  assert.equal(JSON.parse(auto.report).images, undefined);
  assert.deepEqual(warnings(auto), []);
});

test("a registry that cannot be asked is said once, and the others are asked", async () => {
  const gone = `127.0.0.1:${await freePort()}`;
  const done = await step(task(`${gone}/a:1`, `${gone}/b:1`, lazy), { "check-images": "on" });
  assert.equal(done.code, 0, done.stdout);
  assert.deepEqual(verdicts(done), ["unknown", "unknown", "lazy"]);
  assert.equal(warnings(done).length, 1, done.stdout);
  assert.match(warnings(done)[0], new RegExp(`^${gone} was not asked about images: .*refused`));

  const stranger = await step(task(lazy, plain), { "check-images": "on" }, NOBODY);
  assert.deepEqual(verdicts(stranger), ["unknown", "unknown"]);
  assert.equal(warnings(stranger).length, 1, stranger.stdout);
  assert.match(warnings(stranger)[0], /was not asked about images: .*login/);
});

test("facts that are given are not asked for, and each image is asked about once, without its layers", async () => {
  const seen = [];
  const front = createServer(async (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !["host", "connection"].includes(name)));
    const answer = await fetch(`http://${registry.host}${request.url}`, { method: request.method, headers });
    const fields = [...answer.headers].filter(([name]) => !["connection", "transfer-encoding", "keep-alive"].includes(name));
    response.writeHead(answer.status, Object.fromEntries(fields));
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  const host = `127.0.0.1:${await freePort()}`;
  await new Promise((resolve) => front.listen(Number(host.split(":")[1]), "127.0.0.1", resolve));
  after(() => front.close());
  writeFileSync(join(home, ".docker/config.json"), logins(registry.host, host));
  const image = `${host}/app:lazy`;
  const first = await step(task(image, image), { "check-images": "on" });
  assert.deepEqual(verdicts(first), ["lazy", "lazy"]);
  assert.equal(seen.filter((line) => line.endsWith("/manifests/lazy")).length, 1, seen.join("\n"));
  const layers = JSON.parse(first.report).images[0].facts.platforms.flatMap((platform) => platform.layers.map(({ digest }) => digest));
  assert.equal(layers.length, 2);
  for (const digest of layers) assert.ok(!seen.includes(`GET /v2/app/blobs/${digest}`), digest);

  const before = seen.length;
  const known = join(scratch, "known.json");
  writeFileSync(known, JSON.stringify(JSON.parse(first.report).images));
  const again = await step(task(image), { "check-images": "on", "image-facts": known });
  assert.deepEqual(verdicts(again), ["lazy"]);
  assert.equal(seen.length, before);
});

test("registries that say nothing are asked no longer than the time allows", async () => {
  const silent = createServer(() => {});
  const port = await freePort();
  await new Promise((resolve) => silent.listen(port, "127.0.0.1", resolve));
  after(() => silent.closeAllConnections() ?? silent.close());
  // The two minutes pass in two seconds.
  const clock = "const real = setTimeout; globalThis.setTimeout = (act, ms, ...rest) => real(act, ms === 120000 ? 2000 : ms, ...rest);";
  const hurried = { HOME: home, NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(clock)}` };
  const begun = performance.now();
  const done = await step(task(`127.0.0.1:${port}/a:1`, `127.0.0.1:${port}/b:1`, lazy), { "check-images": "on" }, hurried);
  assert.ok(performance.now() - begun < 30_000);
  assert.equal(done.code, 0, done.stdout);
  assert.deepEqual(verdicts(done), ["unknown", "unknown", "lazy"]);
  assert.deepEqual(warnings(done), [`127.0.0.1:${port} was not asked about images: not all images were asked about within 120 s`]);
});
