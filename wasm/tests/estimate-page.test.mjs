// The page of `cargo soci estimate --format html`, in Chromium: one file that asks for nothing else.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { pathToFileURL } from "node:url";

import { ociArchive, tarOf } from "./archives.mjs";
import { visit } from "./browser.mjs";
import { native } from "./registry.mjs";
import { ROOT } from "./root.mjs";

const AXE = readFileSync(join(ROOT, "wasm/node_modules/axe-core/axe.min.js"), "utf8");
const scratch = mkdtempSync(join(tmpdir(), "soci-estimate-page-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const MB = 1 << 20;
const PYTHON = "/opt/venv/lib/python3.11/site-packages";
const noise = (name, size) => ({ name: name.slice(1), noise: size });
const small = Array.from({ length: 300 }, (_, at) => noise(`${PYTHON}/pandas/core/part-${at}.py`, 9000 + at * 40));
const layers = [
  [noise("/usr/bin/python3.11", 5 * MB), noise("/usr/lib/x86_64-linux-gnu/libc.so.6", 2 * MB), noise("/usr/lib/x86_64-linux-gnu/libcrypto.so.3", 4 * MB),
    noise("/usr/share/doc/copyright", MB), noise("/usr/share/locale/all", 3 * MB), noise("/usr/include/all.h", 2 * MB)],
  [noise(`${PYTHON}/torch/lib/libtorch.so`, 24 * MB), noise(`${PYTHON}/torch/lib/libcuda.so`, 12 * MB), noise(`${PYTHON}/numpy/core/_multiarray.so`, 7 * MB),
    noise(`${PYTHON}/numpy/linalg/lapack.so`, 5 * MB), ...small, noise(`${PYTHON}/sklearn/tree.so`, 3 * MB), noise("/var/cache/apt/archives/gcc.deb", 3 * MB)],
  [noise("/srv/app/main.py", 3000), noise("/srv/app/static/all.js", 2 * MB), { name: "var/cache/apt/archives/.wh.gcc.deb", text: "" }],
];
const opened = [
  ["/usr/bin/python3.11", [[0, 2 * MB], [4 * MB, 5 * MB]]],
  ["/usr/lib/x86_64-linux-gnu/libc.so.6", [[0, MB]]],
  ["/srv/app/main.py"],
  [`${PYTHON}/numpy/core/_multiarray.so`, [[0, 5 * MB]]],
  ...small.map(({ name }) => [`/${name}`]),
  [`${PYTHON}/numpy/linalg/lapack.so`],
  [`${PYTHON}/torch/lib/libtorch.so`, [[0, 6 * MB], [20 * MB, 21 * MB]]],
  ["/usr/lib/x86_64-linux-gnu/libcrypto.so.3", [[MB, 2 * MB]]],
  ["/proc/self/maps"],
];

const at = (name) => join(scratch, name);
ociArchive(at("shop.tar"), layers.map((files) => [tarOf(files)]), { name: "shop:1.4" });
writeFileSync(at("app.trace"), opened.map(([path, ranges]) => `${JSON.stringify({ op: "open", path, ranges })}\n`).join(""));
const run = (...words) => execFileSync(...native(...words), { cwd: scratch, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
run("convert", "-q", "--min-layer-size", "1MiB", "shop.tar", "shop-soci.tar");
writeFileSync(at("with.html"), run("estimate", "app.trace", "shop-soci.tar", "--format", "html"));
writeFileSync(at("without.html"), run("estimate", "shop-soci.tar", "--format", "html"));

for (const name of ["with", "without"]) {
  for (const [width, options] of Object.entries({
    wide: { viewport: { width: 1360, height: 900 } },
    narrow: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
  })) {
    for (const colorScheme of ["light", "dark"]) {
      test(`the page ${name} a trace asks for nothing and is accessible, ${width}, ${colorScheme}`, async () => {
        const { page, context, trouble } = await visit({ ...options, colorScheme });
        try {
          const url = pathToFileURL(at(`${name}.html`)).href;
          await page.goto(url);
          const folded = page.locator("details:not([open]) > summary");
          while ((await folded.count()) > 0) await folded.first().click();
          if (process.env.SOCI_SCREENSHOTS) {
            await page.screenshot({ path: join(process.env.SOCI_SCREENSHOTS, `estimate-${name}-${width}-${colorScheme}.png`), fullPage: true });
          }
          assert.equal(await page.locator(".chart").count(), name === "with" ? 2 : 0);
          assert.ok((await page.locator(".map .tile").count()) > 8);
          // Directories are areas beside each other, and inside what holds them.
          const outside = await page.evaluate(() => {
            const wrong = [];
            for (const tile of document.querySelectorAll(".map .tile, .map .group")) {
              const [inner, outer] = [tile.getBoundingClientRect(), tile.parentElement.getBoundingClientRect()];
              if (inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1) wrong.push(tile.title);
            }
            return wrong;
          });
          assert.deepEqual(outside, []);
          await page.evaluate(AXE);
          const found = await page.evaluate(() => window.axe.run());
          assert.deepEqual(found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`), []);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          assert.equal(overflow, 0, "nothing sticks out sideways");
          assert.deepEqual(trouble, [`request: ${url}`], "only the page itself is asked for");
        } finally {
          await context.close();
        }
      });
    }
  }
}
