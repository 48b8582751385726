import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import test from "node:test";
import { gzipSync } from "node:zlib";

import { ROOT } from "./root.mjs";

const SITE = process.env.SOCI_SITE ?? join(ROOT, "target/site");
const KB = 1000;
const packed = (path) => gzipSync(readFileSync(path), { level: 9 }).length;

/** What a visitor loads at first, which `page.test.mjs` holds: the rest comes when it is asked for. */
const FIRST = ["icon.svg", "index.html", "page.css", "page.js", "soci_wasm.wasm"];

test("the lint module is at most 440 KB gzip'd", (t) => {
  const size = packed(join(ROOT, "wasm/action/dist/soci_wasm.wasm"));
  t.diagnostic(`soci_wasm.wasm: ${size} bytes gzip'd`);
  assert.ok(size <= 440 * KB, `${size} bytes`);
});

test("the module that looks images up is at most 230 KB gzip'd", (t) => {
  const size = packed(join(ROOT, "wasm/action/dist/soci_look.wasm"));
  t.diagnostic(`soci_look.wasm: ${size} bytes gzip'd`);
  assert.ok(size <= 230 * KB, `${size} bytes`);
});

test("the image module is at most 450 KB gzip'd", (t) => {
  const size = packed(join(ROOT, "wasm/convert/dist/soci_image.wasm"));
  t.diagnostic(`soci_image.wasm: ${size} bytes gzip'd`);
  assert.ok(size <= 450 * KB, `${size} bytes`);
});

test("the page's module for images is at most 560 KB gzip'd", (t) => {
  const size = packed(join(ROOT, "wasm/page/dist/soci_local.wasm"));
  t.diagnostic(`soci_local.wasm: ${size} bytes gzip'd`);
  assert.ok(size <= 560 * KB, `${size} bytes`);
});

test("the first load of the page is at most 450 KB gzip'd", (t) => {
  const all = readdirSync(SITE, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const isTop = ({ parentPath }) => parentPath === SITE || /^assets\/[0-9a-f]+$/.test(relative(SITE, parentPath));
  // Chunks hold what the page and its later parts share.
  const isChunk = ({ name }) => /^chunk-[A-Z0-9]+\.js$/.test(name);
  const files = all.filter((entry) => isTop(entry) && (FIRST.includes(entry.name) || isChunk(entry)));
  assert.deepEqual(files.filter((entry) => !isChunk(entry)).map(({ name }) => name).sort(), FIRST);
  const sizes = files.map((entry) => packed(join(entry.parentPath, entry.name)));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  t.diagnostic(`${files.length} files, ${total} bytes gzip'd`);
  assert.ok(total <= 450 * KB, `${total} bytes`);
});

test("what is committed holds no path of a machine and no address to download from", () => {
  const dists = ["wasm/action/dist", "wasm/convert/dist", "wasm/page/dist"].map((name) => join(ROOT, name));
  const files = dists.flatMap((dist) => readdirSync(dist).map((name) => join(dist, name)));
  assert.equal(files.length, 8);
  for (const name of files) {
    const text = readFileSync(name, "latin1");
    for (const word of ["/root/", "/home/", "/Users/", "C:\\Users", ".cargo/registry", "registry/src/index", "node_modules/", "registry.npm"]) {
      assert.ok(!text.includes(word), `${name} holds ${word}`);
    }
  }
});
