// The documentation on the site: every page opens, is accessible, and asks nobody else for anything.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

import { ORIGIN, SITE, visit } from "./browser.mjs";
import { ROOT } from "./root.mjs";

const AXE = readFileSync(join(ROOT, "wasm/node_modules/axe-core/axe.min.js"), "utf8");

test("every page of the documentation opens without trouble", async () => {
  const pages = readdirSync(join(SITE, "docs"), { recursive: true }).filter((name) => name.endsWith(".html"));
  assert.ok(pages.length > 80, `${pages.length} pages`);
  const { page, context, trouble } = await visit();
  try {
    for (const name of pages) {
      await page.goto(`${ORIGIN}/docs/${name}`);
      assert.equal(await page.locator("main h1").count(), 1, `${name} has one heading of the first order`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
      assert.ok(!wide, `${name} is wider than the window`);
    }
    assert.deepEqual(trouble, []);
  } finally {
    await context.close();
  }
});

for (const scheme of ["light", "dark"]) {
  for (const width of [390, 1280]) {
    test(`axe finds nothing in the documentation, ${scheme}, ${width} wide`, async () => {
      const { page, context } = await visit({ colorScheme: scheme, viewport: { width, height: 900 } });
      try {
        for (const name of ["index", "start", "estimate", "cli", "rules/index", "rules/SOCI201"]) {
          await page.goto(`${ORIGIN}/docs/${name}.html`);
          await page.evaluate(AXE);
          const { violations } = await page.evaluate(() => globalThis.axe.run());
          assert.deepEqual(
            violations.map(({ id, nodes }) => `${name}: ${id}: ${nodes.map((node) => node.target).join(", ")}`),
            [],
          );
          const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
          assert.ok(!wide, `${name} is wider than the window`);
        }
      } finally {
        await context.close();
      }
    });
  }
}

test("links lead from the page to the documentation and back", async () => {
  const { page, context, trouble } = await visit();
  try {
    await page.goto(`${ORIGIN}/`);
    await page.locator("footer a", { hasText: "Documentation" }).click();
    await page.locator("main h1", { hasText: "Documentation" }).waitFor();
    await page.locator("main a", { hasText: "start" }).first().click();
    await page.locator("main h1", { hasText: "a lazy service in ten minutes" }).waitFor();
    await page.locator("nav a", { hasText: "Validator" }).click();
    await page.locator("h1", { hasText: "Will Fargate load it lazily?" }).waitFor();
    assert.deepEqual(trouble, []);
  } finally {
    await context.close();
  }
});
