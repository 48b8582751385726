// The npm package in a browser: its files as they are, without a bundler.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";

import { visit } from "./browser.mjs";
import { ROOT } from "./root.mjs";
import { serve } from "./serve.mjs";

const folder = mkdtempSync(join(tmpdir(), "soci-package-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("a page imports the package and gets its verdict", async () => {
  cpSync(process.env.SOCI_PACKAGE ?? join(ROOT, "target/package"), join(folder, "lint"), { recursive: true });
  cpSync(join(ROOT, "wasm/page/examples/image-elsewhere.json"), join(folder, "task.json"));
  writeFileSync(
    join(folder, "index.html"),
    `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<meta http-equiv="content-security-policy" content="script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'">
<script type="module">
import { lint } from "./lint/browser.js";
const content = await (await fetch("task.json")).text();
document.title = lint({ path: "task.json", content }).report.summary.verdict;
</script>`,
  );
  const server = await serve(folder, 0);
  const { page, context, trouble } = await visit();
  try {
    const origin = `http://127.0.0.1:${server.address().port}`;
    await page.goto(`${origin}/`);
    await page.waitForFunction(() => document.title !== "");
    assert.equal(await page.title(), "not-lazy");
    // `visit` knows the site's own origin; everything here came from that of this test.
    assert.deepEqual(trouble.filter((line) => !line.startsWith(`request: ${origin}/`)), []);
  } finally {
    await context.close();
    server.close();
  }
});
