// The module for images in files over the recorded images: what `inspect` says of them natively, and what it says of
// them once `convert` has converted them, byte for byte.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { gunzipSync } from "node:zlib";

import { dockerArchive, ociArchive, tarOf } from "./archives.mjs";
import { Images, open } from "./local-host.mjs";
import { native, vectors } from "./registry.mjs";

const scratch = mkdtempSync(join(tmpdir(), "soci-local-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

function cargoSoci(...words) {
  const [program, all] = native(...words);
  return spawnSync(program, all, { encoding: "utf8", maxBuffer: 1 << 28, env: { PATH: process.env.PATH, HOME: scratch, NO_COLOR: "1" } });
}

const layouts = vectors();
const sha256 = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Compares what the module and the command line say of a place; gives what became of it. */
function compare(name, path, minLayerSize) {
  const location = `${existsSync(join(path, "index.json")) ? "oci" : "oci-archive"}:${path}`;
  const facts = cargoSoci("inspect", "--format", "json", location);
  let opened;
  let settled;
  try {
    opened = open(path, { minLayerSize });
    settled = JSON.parse(opened.images.settle());
  } catch (error) {
    assert.notEqual(facts.status, 0, `${name}: ${error.message}; natively ${facts.stdout}`);
    return "refused";
  }
  const wanted = JSON.parse(facts.stdout);
  const all = Array.isArray(wanted) ? wanted : [wanted];
  assert.equal(settled.length, all.length, name);
  if (all.length === 1) assert.equal(opened.images.facts(0, false), facts.stdout, name);
  let outcome = "nothing";
  for (const [index, image] of settled.entries()) {
    assert.deepEqual(image.now, all[index], `${name}, image ${index}`);
    const target = join(scratch, "converted.tar");
    rmSync(target, { force: true });
    const done = cargoSoci("convert", "--keep-uncompressed", ...(minLayerSize === undefined ? [] : ["--min-layer-size", String(minLayerSize)]), ...(all.length > 1 ? ["--tag", all[index].root.digest] : []), location, `oci-archive:${target}`);
    if (image.converted === undefined) {
      assert.notEqual(done.status, 0, `${name} is converted natively: ${done.stdout}`);
      assert.ok(image.problem.length > 5, name);
      continue;
    }
    assert.equal(done.status, 0, `${name}: ${done.stderr}`);
    const native = cargoSoci("inspect", "--format", "json", `oci-archive:${target}`);
    assert.equal(opened.images.facts(index, true), native.stdout, name);
    for (const { layers } of image.converted.platforms) {
      for (const layer of layers.filter(({ ztoc }) => ztoc)) {
        assert.equal(sha256(opened.images.ztoc(index, layer.digest)), layer.ztoc.digest, name);
      }
    }
    outcome = "converted";
  }
  opened.close();
  opened.images.free();
  return outcome;
}

test("over all recorded images the module says what the command line says", (t) => {
  assert.ok(layouts.size > 40, `${layouts.size} layouts`);
  const counts = { converted: 0, nothing: 0, refused: 0 };
  for (const [name, layout] of layouts) counts[compare(name, layout, 0)] += 1;
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.converted > 40 && counts.refused > 0, JSON.stringify(counts));
});

/** Twelve MB that no compression makes smaller, so that the layer is large enough to be indexed. */
const LARGE = () => ({ name: "opt/app/model.bin", noise: 12 << 20 });

test("an image whose layers are large enough is converted, as an archive, as a folder, as docker saves it", () => {
  const below = tarOf([LARGE(), { name: "opt/app/old.txt", text: "old".repeat(1000) }, { name: "etc/conf", text: "a" }]);
  const above = tarOf([{ name: "opt/app/.wh.old.txt", text: "" }, { name: "etc/conf", text: "bb" }]);
  const path = join(scratch, "app.tar");
  ociArchive(path, [[below], [above]], { name: "app:1" });
  assert.equal(compare("the archive", path), "converted");
  const folder = join(scratch, "layout");
  execFileSync("mkdir", [folder]);
  execFileSync("tar", ["-xf", path, "-C", folder]);
  assert.equal(compare("the folder", folder), "converted");
  const docker = join(scratch, "docker.tar");
  dockerArchive(docker, [below, above], "app:1");
  assert.equal(compare("docker's archive", docker), "converted");

  const opened = open(path);
  const [image] = JSON.parse(opened.images.settle());
  assert.deepEqual(image.names, ["app:1"]);
  const summary = JSON.parse(opened.images.files(0, 0));
  assert.equal(summary.root.size, (12 << 20) + 2);
  assert.deepEqual(summary.hidden.map(({ layer, name, size }) => [layer, name, size]), [[0, "opt/app/old.txt", 3000], [0, "etc/conf", 1]]);
  const [opt, etc] = JSON.parse(opened.images.list(0));
  assert.deepEqual([opt.path, etc.path], ["/opt", "/etc"]);
  const { count, first } = JSON.parse(opened.images.search("MODEL"));
  assert.deepEqual([count, first[0].path, first[0].layer], [1, "/opt/app/model.bin", 0]);
  opened.close();
});

test("a layer alone, packed or not, has the zTOC that the command line makes of it", () => {
  const plain = tarOf([LARGE(), { name: "a", text: "a" }]);
  const { gz } = ociArchive(join(scratch, "one.tar"), [[plain]], { name: "one:1" });
  for (const [name, bytes] of [["layer.tar.gz", gz[0]], ["layer.tar", gunzipSync(gz[0])]]) {
    const path = join(scratch, name);
    writeFileSync(path, bytes);
    const opened = open(path);
    assert.ok(opened.isLayer, name);
    const [image] = JSON.parse(opened.images.settle());
    const made = join(scratch, `${name}.ztoc`);
    const done = cargoSoci("ztoc", "build", path, "--output", made);
    assert.equal(done.status, 0, done.stderr);
    const ztoc = opened.images.ztoc(0, sha256(bytes));
    assert.equal(sha256(ztoc), sha256(readFileSync(made)), name);
    assert.equal(image.converted.platforms[0].layers[0].digest, sha256(bytes));
    assert.equal(JSON.parse(opened.images.files(0, 0)).root.files, 2);
    opened.close();
  }
});

test("what is no image says what it is, and nothing traps", () => {
  const path = join(scratch, "broken");
  const good = tarOf([LARGE()]);
  const cases = {
    empty: Buffer.alloc(0),
    text: Buffer.from("no image at all\n".repeat(100)),
    "cut off": good.subarray(0, 5 << 20),
    "an archive without its layer": tarOf([{ name: "index.json", text: '{"schemaVersion":2,"manifests":[]}' }]),
    "gzip that ends early": ociArchive(join(scratch, "two.tar"), [[good]], {}).gz[0].subarray(0, 1 << 20),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    writeFileSync(path, bytes);
    let told = "";
    try {
      const opened = open(path);
      const [image] = JSON.parse(opened.images.settle());
      told = image.problem ?? "";
      opened.close();
    } catch (error) {
      assert.ok(!(error instanceof WebAssembly.RuntimeError), `${name} traps: ${error.message}`);
      told = error.message;
    }
    assert.ok(told.length > 10, `${name}: ${told}`);
  }
});

test("facts that somebody else has found out are described, and only those", () => {
  const folder = layouts.values().next().value;
  const facts = cargoSoci("inspect", "--format", "json", `oci:${folder}`).stdout;
  const [image] = JSON.parse(Images.describe(facts));
  assert.deepEqual(image.now, JSON.parse(facts));
  assert.equal(JSON.parse(Images.describe(`[${facts},${facts}]`)).length, 2);
  for (const wrong of ["{}", "[1]", "{", facts.replace("soci-image-facts/1", "soci-image-facts/9")]) {
    assert.throws(() => Images.describe(wrong), /./);
  }
  assert.ok(readdirSync(scratch).length > 0);
});
