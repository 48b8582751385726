// The Action `convert` as the runner runs it, against Debian's docker-registry with a login: the same tags, digests
// and bytes as the native command; logins where they belong and nowhere else; no tag on what is not there.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, snapshot } from "node:test";

import { BASIC, digestOf, dockerRegistry, freePort, LOGIN, native, vectors } from "./registry.mjs";
import { action, stepOf } from "./runner.mjs";

snapshot.setDefaultSnapshotSerializers([(value) => value]);

const scratch = mkdtempSync(join(tmpdir(), "soci-convert-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const convert = action("convert/action.yml", "wasm/convert/dist");
const registry = await dockerRegistry();
const at = (name) => `${registry.host}/${name}`;

/** A step with the login of `docker login` in the home folder, as docker/login-action leaves it. */
const home = join(scratch, "home");
mkdirSync(join(home, ".docker"), { recursive: true });
writeFileSync(join(home, ".docker/config.json"), JSON.stringify({ auths: { [registry.host]: { auth: BASIC.slice("Basic ".length) } } }));
const step = (inputs, environment = { HOME: home }, during = undefined) => stepOf(convert, inputs, environment, during);

/** The native command with the same login. */
function cargoSoci(...words) {
  const [program, all] = native(...words);
  return spawnSync(program, all, { encoding: "utf8", env: { PATH: process.env.PATH, HOME: home, NO_COLOR: "1" } });
}

const SMALL = { "min-layer-size": "0", "span-size": "64KiB" };
const FLAGS = ["--min-layer-size", "0", "--span-size", "64KiB"];

/** What differs from run to run, taken out of a text. */
const steady = (text) => text.replaceAll(registry.host, "HOST").replaceAll(/sha256:[0-9a-f]{6,}/g, "sha256:…");

test("an image is converted in place, and everything about it is said", async (t) => {
  await registry.putMade("app", "1", [300_000, 200_000]);
  const done = await step({ image: at("app:1"), ...SMALL });
  assert.equal(done.stderr, "");
  assert.equal(done.code, 0, done.stdout);
  assert.deepEqual(Object.keys(done.outputs).sort(), [...convert.outputs].sort());
  const { digest, names } = done.outputs;
  assert.equal(await registry.digest("app", "1"), digest);
  assert.equal(names, at("app:1"));
  const index = JSON.parse(await registry.manifest("app", "1"));
  const soci = index.manifests.find(({ artifactType }) => artifactType !== undefined);
  assert.deepEqual(JSON.parse(done.outputs["soci-index-digests"]), { "linux/amd64": soci.digest });
  assert.equal(done.outputs["lazy-bytes"], done.outputs["image-bytes"]);
  const descriptor = JSON.parse(done.outputs.descriptor);
  assert.deepEqual(descriptor, { mediaType: index.mediaType, digest, size: (await registry.manifest("app", "1")).length });
  assert.equal(JSON.parse(done.report).images[0].report.images[0].digest, digest);
  assert.equal(cargoSoci("verify", at("app:1")).status, 0);
  // Sizes of compressed noise are not the same twice.
  t.assert.snapshot(steady(`${done.stdout}---\n${done.summary}`).replaceAll(/\d+(\.\d+)? k?B/g, "N kB"));

  const again = await step({ image: at("app:1"), ...SMALL });
  assert.equal(again.outputs.digest, digest);
  assert.match(again.summary, /converted like that before/);
});

test("over all recorded images the Action and the native command do the same", async (t) => {
  const layouts = vectors();
  assert.ok(layouts.size > 40, `${layouts.size} layouts`);
  const unstorable = [];
  let converted = 0;
  let refused = 0;
  for (const [name, layout] of layouts) {
    try {
      await registry.putLayout(`wasm/${name}`, "1", layout);
      await registry.putLayout(`native/${name}`, "1", layout);
    } catch {
      unstorable.push(name);
      continue;
    }
    const before = await registry.digest(`native/${name}`, "1");
    const there = cargoSoci("convert", at(`native/${name}:1`), ...FLAGS);
    const here = await step({ image: at(`wasm/${name}:1`), "if-nothing-to-index": "fail", ...SMALL });
    const digest = await registry.digest(`native/${name}`, "1");
    assert.equal(here.code === 0, there.status === 0, `${name}: ${here.stdout}\n${there.stderr}`);
    assert.equal(await registry.digest(`wasm/${name}`, "1"), digest, name);
    if (here.code !== 0) {
      refused += 1;
      assert.equal(digest, before, name);
      // The first sentence is the library's; what to do about it is the command line's.
      const [sentence] = /error: (.*)/.exec(there.stderr).slice(1);
      const said = /::error title=soci::(.*)/.exec(here.stdout)[1].replaceAll(`wasm/${name}`, `native/${name}`);
      assert.equal(said.replaceAll("%25", "%"), sentence, name);
      continue;
    }
    converted += 1;
    const bytes = (repository) => registry.whole(repository, "1");
    assert.deepEqual(await bytes(`wasm/${name}`), await bytes(`native/${name}`), name);
  }
  t.diagnostic(`${converted} converted, ${refused} refused by both, not storable: ${unstorable.join(", ")}`);
  assert.ok(converted > 30, `${converted}`);
});

test("what a build pushed is converted by digest, under all its names", async () => {
  const digest = await registry.putMade("built", "1.4", [300_000]);
  await registry.putManifest("built", "latest", "application/vnd.oci.image.manifest.v1+json", await registry.manifest("built", "1.4"));
  const metadata = JSON.stringify({ "containerimage.digest": digest, "image.name": `${at("built:1.4")},${at("built:latest")}` });
  const sibling = await step({ metadata, "tag-model": "sibling", ...SMALL });
  assert.equal(sibling.code, 0, sibling.stdout);
  assert.equal(sibling.outputs.names, `${at("built:1.4-soci")}\n${at("built:latest-soci")}`);
  assert.equal(await registry.digest("built", "1.4"), digest);
  const replaced = await step({ metadata, ...SMALL });
  assert.equal(replaced.code, 0, replaced.stdout);
  for (const tag of ["1.4", "latest", "1.4-soci", "latest-soci"]) assert.equal(await registry.digest("built", tag), replaced.outputs.digest, tag);

  // A tag that names something newer by now is left alone.
  const newer = await registry.putMade("built", "latest", [100_000]);
  const late = await step({ metadata, ...SMALL });
  assert.equal(late.code, 1);
  assert.match(late.stdout, /the tag was moved/);
  assert.equal(await registry.digest("built", "latest"), newer);
});

test("bake's targets, and the one that is asked for", async () => {
  const one = await registry.putMade("one", "1", [200_000]);
  const two = await registry.putMade("two", "1", [200_000]);
  const metadata = JSON.stringify({
    one: { "containerimage.digest": one, "image.name": at("one:1") },
    two: { "containerimage.digest": two, "image.name": at("two:1") },
  });
  const single = await step({ metadata, target: "two", ...SMALL });
  assert.equal(single.outputs.names, at("two:1"));
  assert.equal(await registry.digest("one", "1"), one);
  const both = await step({ metadata, ...SMALL });
  assert.equal(both.code, 0, both.stdout);
  assert.equal(both.outputs.names, `${at("one:1")}\n${at("two:1")}`);
  assert.deepEqual(both.outputs.digest.split("\n"), [await registry.digest("one", "1"), await registry.digest("two", "1")]);
  const none = await step({ metadata, target: "three" });
  assert.match(none.stdout, /::error title=soci::input metadata: has no target "three"; there is one, two/);
});

test("another tag and another repository get it, and the image stays", async () => {
  const digest = await registry.putMade("team/app", "1", [300_000]);
  for (const name of ["team/app:lazy", "team/other:1"]) {
    const done = await step({ image: at("team/app:1"), destination: at(name), ...SMALL });
    assert.equal(done.code, 0, done.stdout);
    const [repository, tag] = name.split(":");
    assert.equal(await registry.digest(repository, tag), done.outputs.digest);
    await registry.whole(repository, tag);
  }
  assert.equal(await registry.digest("team/app", "1"), digest);
});

test("a small image breaks no deployment, unless it is to", async () => {
  const digest = await registry.putMade("small", "1", [1000]);
  const passed = await step({ image: at("small:1") });
  assert.equal(passed.code, 0, passed.stdout);
  assert.equal(passed.outputs.digest, digest);
  assert.equal(passed.outputs["lazy-bytes"], "0");
  assert.match(passed.stdout, /::warning title=soci::.*below the minimum of 10485760 bytes.*; the image is as it was/);
  const copied = await step({ image: at("small:1"), destination: at("small:2") });
  assert.equal(copied.code, 0, copied.stdout);
  assert.equal(await registry.digest("small", "2"), digest);
  const failed = await step({ image: at("small:1"), "if-nothing-to-index": "fail" });
  assert.equal(failed.code, 1);
  assert.match(failed.stdout, /::error title=soci::no layer can be indexed/);
});

test("wrong, unknown and contradictory inputs are errors", async (t) => {
  const image = "r.example/app:1";
  const cases = [
    {},
    { image, imgae: "x" },
    { image, metadata: "{}" },
    { image, target: "web" },
    { metadata: "{}", destination: image },
    { metadata: "{}" },
    { metadata: "nonsense" },
    { image: "r.example/a:1\nr.example/b:1", destination: image },
    { image, destination: "r.example/b:1", "tag-model": "sibling" },
    { image, "tag-model": "both" },
    { image, "span-size": "4 miles" },
    { image, "span-size": "0" },
    { image, "allow-differences": "maybe" },
    { image, "if-nothing-to-index": "maybe" },
    { image, username: "me" },
    { image, password: "p" },
    { image: "no reference at all!" },
    { image, platforms: "linux" },
    { image: "r.example/app:1", destination: "other.example/app:1" },
    { image: "r.example/app:1", destination: `r.example/app@${digestOf("")}` },
  ];
  const said = [];
  for (const inputs of cases) {
    const done = await step(inputs);
    assert.equal(done.code, 1, JSON.stringify(inputs));
    assert.equal(done.stderr, "");
    said.push(`${JSON.stringify(inputs)}\n    ${done.stdout.trim()}`);
  }
  t.assert.snapshot(said.join("\n"));
});

test("logins: inputs, helpers, none, a wrong one", async () => {
  await registry.putMade("login", "1", [200_000]);
  const image = at("login:1");
  const given = await step({ image, ...LOGIN, ...SMALL }, { HOME: join(scratch, "nobody") });
  assert.equal(given.code, 0, given.stdout);
  assert.ok(given.stdout.startsWith(`::add-mask::${LOGIN.password}\n`), given.stdout);
  assert.ok(!given.stdout.slice(given.stdout.indexOf("\n")).includes(LOGIN.password));

  const wrong = await step({ image, username: LOGIN.username, password: "hunter22", ...SMALL }, { HOME: join(scratch, "nobody") });
  assert.equal(wrong.code, 1);
  assert.match(wrong.stdout, /::error title=soci::.*(refused|401|login)/);
  assert.ok(!wrong.stdout.slice(wrong.stdout.indexOf("\n")).includes("hunter22"));

  const nobody = await step({ image, ...SMALL }, { HOME: join(scratch, "nobody") });
  assert.equal(nobody.code, 1);
  assert.match(nobody.stdout, /::error title=soci::.*login/);

  const tools = join(scratch, "tools");
  mkdirSync(join(tools, "home"), { recursive: true });
  const helper = (name, script) => {
    writeFileSync(join(tools, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
    chmodSync(join(tools, `docker-credential-${name}`), 0o755);
  };
  helper("good", `read -r server; test "$1 $server" = "get ${registry.host}" && printf '{"Username":"${LOGIN.username}","Secret":"${LOGIN.password}"}'`);
  helper("bad", "echo a secret; exit 3");
  const environment = { DOCKER_CONFIG: join(tools, "home"), PATH: `${tools}:${process.env.PATH}` };
  const use = (name) => writeFileSync(join(tools, "home/config.json"), JSON.stringify({ credHelpers: { [registry.host]: name } }));
  use("good");
  const helped = await step({ image, ...SMALL }, environment);
  assert.equal(helped.code, 0, helped.stdout);
  for (const [name, words] of [["bad", /ended with exit status: 3/], ["absent", /is not installed/], ["../x", /is no name of a program/]]) {
    use(name);
    const failed = await step({ image, ...SMALL }, environment);
    assert.equal(failed.code, 1, name);
    assert.match(failed.stdout, words);
    assert.ok(!failed.stdout.includes("a secret"));
  }
});

/** A way to the registry on another port, which a test can change. */
async function gateway(change) {
  const seen = [];
  const server = createServer(async (request, response) => {
    seen.push({ method: request.method, url: request.url, authorization: request.headers.authorization });
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    if (change(request, response)) return;
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !["host", "connection", "content-length", "transfer-encoding"].includes(name)));
    const body = pieces.length > 0 ? Buffer.concat(pieces) : ["POST", "PUT", "PATCH"].includes(request.method) ? Buffer.alloc(0) : undefined;
    const answer = await fetch(`http://${registry.host}${request.url}`, { method: request.method, headers, body, redirect: "manual" });
    const fields = [...answer.headers].filter(([name]) => !["connection", "transfer-encoding", "keep-alive"].includes(name));
    const own = fields.map(([name, value]) => [name, value.replaceAll(registry.host, request.headers.host)]);
    response.writeHead(answer.status, Object.fromEntries(own));
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  const port = await freePort();
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  after(() => server.close());
  return { host: `127.0.0.1:${port}`, seen };
}

test("a login goes to its own registry and to no host that it sends us to", async () => {
  await registry.putMade("moved", "1", [400_000]);
  const foreign = await gateway((request) => {
    // What a store of blobs would do: it gives them to whoever comes with the address.
    request.headers.authorization = BASIC;
    return false;
  });
  const front = await gateway((request, response) => {
    if (request.method !== "GET" || !request.url.includes("/blobs/sha256:")) return false;
    response.writeHead(307, { location: `http://${foreign.host}${request.url}?signature=1` }).end();
    return true;
  });
  const done = await step({ image: `${front.host}/moved:1`, ...LOGIN, ...SMALL }, { HOME: scratch });
  assert.equal(done.code, 0, done.stdout);
  assert.ok(foreign.seen.length > 0);
  for (const { url, authorization } of foreign.seen) assert.equal(authorization, undefined, url);
  assert.ok(front.seen.some(({ authorization }) => authorization === BASIC));
  // The first question is asked without a login.
  assert.equal(front.seen[0].authorization, undefined);
});

test("a registry that stumbles is asked again, one that cuts layers short is found out", async () => {
  const digest = await registry.putMade("shaky", "1", [900_000]);
  let troubles = 0;
  const shaky = await gateway((request, response) => {
    if (++troubles % 3 !== 0 || !["GET", "HEAD"].includes(request.method)) return false;
    if (troubles % 2 === 0) request.socket.destroy();
    else response.writeHead(503, { "retry-after": "0" }).end("busy");
    return true;
  });
  const done = await step({ image: `${shaky.host}/shaky:1`, ...LOGIN, ...SMALL }, { HOME: scratch });
  assert.equal(done.code, 0, done.stdout);
  assert.equal(await registry.digest("shaky", "1"), done.outputs.digest);
  assert.notEqual(done.outputs.digest, digest);

  const before = await registry.putMade("damaged", "1", [900_000]);
  const damaging = await gateway((request, response) => {
    if (request.method !== "GET" || !request.url.includes("/blobs/sha256:")) return false;
    response.writeHead(200, { "content-length": 1000 }).end(Buffer.alloc(1000, 1));
    return true;
  });
  const failed = await step({ image: `${damaging.host}/damaged:1`, ...LOGIN, ...SMALL }, { HOME: scratch });
  assert.equal(failed.code, 1);
  assert.equal(await registry.digest("damaged", "1"), before);
});

test("cancelled at any moment: no tag on what is not there", async (t) => {
  let moved = 0;
  let interrupted = 0;
  const ROUNDS = 30;
  // Signals come at any moment of a run, however long one takes on this machine.
  await registry.putMade("uncancelled", "1", [2_000_000, 1_000_000, 3_000_000]);
  const before = performance.now();
  assert.equal((await step({ image: at("uncancelled:1"), ...SMALL })).code, 0);
  const whole = performance.now() - before;
  for (let round = 0; round < ROUNDS; round++) {
    const repository = `cancelled/${round}`;
    const before = await registry.putMade(repository, "1", [2_000_000, 1_000_000, 3_000_000]);
    const signal = round % 2 === 0 ? "SIGINT" : "SIGTERM";
    const done = await step({ image: at(`${repository}:1`), ...SMALL }, { HOME: home }, (child) => {
      setTimeout(() => child.kill(signal), 1.1 * whole * ((round + Math.random()) / ROUNDS));
    });
    const now = await registry.digest(repository, "1");
    await registry.whole(repository, "1");
    if (now !== before) moved += 1;
    // Before Node runs our code, a signal ends it by itself.
    if (done.code !== 0) {
      interrupted += 1;
      assert.ok([130, "SIGINT", "SIGTERM"].includes(done.code), `${done.code}: ${done.stdout}`);
    } else assert.notEqual(now, before);
    const again = await step({ image: at(`${repository}:1`), ...SMALL });
    assert.equal(again.code, 0, again.stdout);
  }
  t.diagnostic(`${ROUNDS} rounds: ${interrupted} interrupted, ${moved} tags moved`);
  assert.ok(interrupted > 0);
});
