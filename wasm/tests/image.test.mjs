// The image module over the layers of which the reference made zTOCs: the same bytes, however a layer is cut.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";

import { initSync, jobs, LayerIndexer } from "../glue/soci_image.js";
import { ROOT } from "./root.mjs";

initSync({ module: readFileSync(join(ROOT, "wasm/convert/dist/soci_image.wasm")) });

const scratch = mkdtempSync(join(tmpdir(), "soci-image-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
execFileSync("tar", ["-xJf", join(ROOT, "tests/vectors/ztoc.tar.xz"), "-C", scratch]);
const folder = join(scratch, "ztoc");
const { cases, build_tool_identifier: tool } = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** The layer in pieces of so many bytes; 0 is one piece. */
function index({ layer, compression, span_size: spanSize }, piece) {
  const bytes = readFileSync(join(folder, "layers", layer));
  const indexer = new LayerIndexer(compression, spanSize, tool);
  const step = piece || bytes.length || 1;
  for (let at = 0; at < bytes.length; at += step) indexer.push(bytes.subarray(at, at + step));
  return indexer.finish();
}

/** Layers that the reference indexes and real clients then refuse: they get no zTOC here. */
const REFUSED = /offsets|rise/;

test("zTOCs have the bytes of the reference's", (t) => {
  let same = 0;
  const refused = new Set();
  for (const wanted of cases.filter(({ reader }) => ["accepts", "unchecked"].includes(reader))) {
    for (const piece of [0, 10_007, 65_536]) {
      const done = index(wanted, piece);
      const [digest, ztoc, reason] = [done.digest(), done.ztoc(), done.reason()];
      done.free();
      assert.equal(digest, wanted.layer_sha256);
      if (ztoc === undefined) {
        assert.match(reason, REFUSED, wanted.layer);
        refused.add(wanted.layer);
        continue;
      }
      assert.equal(reason, undefined);
      assert.equal(sha256(ztoc), wanted.ztoc_sha256, `${wanted.layer}, ${wanted.span_size}, pieces of ${piece}`);
      same += 1;
    }
  }
  t.diagnostic(`${same} zTOCs; refused: ${[...refused].join(", ")}`);
  assert.ok(same > 120, `${same}`);
  assert.deepEqual([...refused], ["mix-emptyfirst.tar.gz"]);
});

test("what its reader refuses, or it cannot make, is told and gets no zTOC", (t) => {
  const others = cases.filter(({ reader }) => reader === "refuses" || reader === undefined);
  assert.ok(others.length > 5, `${others.length}`);
  for (const wanted of others) {
    const name = `${wanted.layer}, ${wanted.span_size}`;
    let done;
    try {
      done = index(wanted, 0);
    } catch (error) {
      assert.ok(wanted.error !== undefined && error.message.length > 10, `${name}: ${error}`);
      continue;
    }
    assert.ok(done.ztoc() === undefined, `${name} has a zTOC`);
    assert.ok(done.reason().length > 10, name);
  }
  t.diagnostic(`${others.length} layers`);
});

test("wrong words are objections, not traps", () => {
  assert.throws(() => new LayerIndexer("zstd", 1 << 22), /gzip or uncompressed, not "zstd"/);
  assert.throws(() => new LayerIndexer("uncompressed", 0), /span/);
  assert.throws(() => jobs("[]"), /not a metadata file of a build/);
  assert.throws(() => jobs("{}"), /names no image/);
  const digest = `sha256:${"1".repeat(64)}`;
  assert.deepEqual(JSON.parse(jobs(JSON.stringify({ "containerimage.digest": digest, "image.name": "r.example/app:1" }))), [
    { target: null, digest, names: ["r.example/app:1"] },
  ]);
});
