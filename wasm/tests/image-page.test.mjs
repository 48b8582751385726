// Images on the page, in Chromium: dropped, read in workers, looked into, handed to the document.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import test, { after } from "node:test";
import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";

import { dockerArchive, header, ociArchive, tarOf } from "./archives.mjs";
import { loadPage, openPage, paste, status } from "./browser.mjs";
import { native } from "./registry.mjs";
import { ROOT } from "./root.mjs";

const AXE = readFileSync(join(ROOT, "wasm/node_modules/axe-core/axe.min.js"), "utf8");
const scratch = mkdtempSync(join(tmpdir(), "soci-image-page-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const MB = 1 << 20;
const files = (folder, sizes) => sizes.map((noise, index) => ({ name: `${folder}/part-${index}.so`, noise }));

/** An image of three layers, two of them large enough; a file of the lowest is deleted by the highest. */
const app = join(scratch, "shop.tar");
const BASE = tarOf([...files("usr/lib", [7 * MB, 5 * MB, 600_000]), { name: "usr/share/doc/copyright", text: "free\n".repeat(900) }, { name: "etc/os-release", text: "ID=demo\n" }]);
const LIBRARIES = tarOf([...files("opt/venv/lib/python3/site-packages/torch/lib", [9 * MB, 3 * MB, 2 * MB]), ...files("opt/venv/lib/python3/site-packages/numpy", [900_000, 300_000]), { name: "var/cache/pip/wheel.whl", noise: 4 * MB }]);
const CODE = tarOf([{ name: "srv/app/main.py", text: "print('hello')\n".repeat(40) }, { name: "srv/app/static/logo.svg", text: "<svg/>".repeat(500) }, { name: "var/cache/pip/.wh.wheel.whl", text: "" }]);
ociArchive(app, [[BASE], [LIBRARIES], [CODE]], { name: "shop:1.4" });

function pageTest(name, options, body) {
  test(name, async (t) => {
    const { page, context, trouble, asked } = await (options.editor ? openPage : loadPage)(options);
    try {
      await body(page, { context, t, asked });
      assert.deepEqual(trouble, []);
    } finally {
      await context.close();
    }
  });
}

const open = async (page, path) => {
  await page.setInputFiles("#file", path);
  await page.locator("#image-heading code", { hasText: basename(path) }).waitFor();
  await page.locator("#image .image-verdict, #image .headline .badge.error").first().waitFor();
};
const headline = (page) => page.locator("#image .headline").allTextContents();
const names = (page, selector) => page.locator(`${selector} .name`).allTextContents();

pageTest("an archive is read and shown; nothing of it is loaded before", {}, async (page, { asked }) => {
  assert.deepEqual(asked("open-|worker|soci_local|image\\.css"), []);
  await open(page, app);
  assert.equal(asked("soci_local").length, 1);
  const [now, converted] = await headline(page);
  assert.match(now, /not lazy As it is, all of its .* are pulled before a container starts: it has no SOCI index/);
  assert.match(converted, /Once converted, .* \(99\.9 %\) of it is loaded lazily; the index is/);
  assert.match(await page.locator("#image .command").textContent(), /cargo soci convert shop.tar shop-soci.tar/);
  const rows = page.locator("#image table.layers tbody tr");
  assert.equal(await rows.count(), 3);
  assert.deepEqual(await rows.locator(".badge").allTextContents(), ["lazy", "lazy", "comes whole"]);
  assert.match(await rows.nth(2).textContent(), /Smaller than the minimum/);
  assert.match(await rows.nth(0).locator("td[data-label=Spans]").textContent(), /^[2-9]$/);
  await page.locator("#image .files [role=treeitem]").first().waitFor();
  assert.match(await page.locator("#image .nothing summary").textContent(), /Carried for nothing: 4\.00\sMiB in 1 file/);
  await page.locator("#image .nothing summary").click();
  assert.match(await page.locator("#image .hidden-files").textContent(), /var\/cache\/pip\/wheel\.whl/);
});

pageTest("the files are searched, and the layer of one is found", {}, async (page) => {
  await open(page, app);
  await page.locator("#image .files [role=treeitem]").first().waitFor();
  await page.locator("#image .files input").fill("site-packages/NUMPY/part");
  await page.locator("#image .count", { hasText: "2 found" }).waitFor();
  assert.deepEqual(await names(page, ".found"), ["/opt/venv/lib/python3/site-packages/numpy/part-0.so", "/opt/venv/lib/python3/site-packages/numpy/part-1.so"]);
  assert.equal(await page.locator(".found .detail").first().textContent(), "layer 2");
  await page.locator("#image .files input").fill("nothing like it");
  await page.locator("#image .count", { hasText: "Nothing has that" }).waitFor();
  // The picture leads into directories and back.
  await page.locator("#image .files input").fill("");
  await page.locator("#image .area.directory", { hasText: "opt" }).click();
  await page.locator("#image .trail", { hasText: "opt" }).waitFor();
  await page.locator("#image .trail button", { hasText: "/" }).first().click();
  await page.locator("#image .area.directory", { hasText: "usr" }).waitFor();
});

pageTest("facts go to the document, are saved as the command line writes them, and zTOCs are", { editor: true }, async (page) => {
  const image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:1.4";
  await paste(page, JSON.stringify({ family: "a", requiresCompatibilities: ["FARGATE"], networkMode: "awsvpc", cpu: "256", memory: "512", runtimePlatform: { cpuArchitecture: "X86_64", operatingSystemFamily: "LINUX" }, containerDefinitions: [{ name: "web", image }] }));
  await status(page, /1 unknown/);
  await open(page, app);
  assert.deepEqual(await page.locator(".use-facts select").nth(1).locator("option").allTextContents(), ["every image of the document", image]);
  await page.locator(".use-facts button.primary").click();
  await status(page, /1 lazy/);
  await page.locator("#facts-which").selectOption("now");
  await page.locator(".use-facts button.primary").click();
  await status(page, /1 not lazy/);
  const [facts] = await Promise.all([page.waitForEvent("download"), page.locator(".use-facts button", { hasText: "Save" }).click()]);
  assert.equal(facts.suggestedFilename(), "shop-facts.json");
  const [program, words] = native("inspect", "--format", "json", app);
  assert.equal(readFileSync(await facts.path(), "utf8"), spawnSync(program, words, { encoding: "utf8" }).stdout);
  const [ztoc] = await Promise.all([page.waitForEvent("download"), page.locator("table.layers button").first().click()]);
  const check = native("ztoc", "ls", await ztoc.path());
  const listed = spawnSync(check[0], check[1], { encoding: "utf8" });
  assert.equal(listed.status, 0, listed.stderr);
  assert.match(listed.stdout, /usr\/lib\/part-0\.so/);
});

pageTest("docker's archive, a folder, a layer and facts are told from documents", {}, async (page) => {
  const docker = join(scratch, "docker.tar");
  dockerArchive(docker, [BASE, LIBRARIES, CODE], "shop:1.4");
  await open(page, docker);
  assert.match((await headline(page))[1], /Once converted/);
  const layer = join(scratch, "layer.tar.gz");
  writeFileSync(layer, gzipSync(LIBRARIES, { level: 1 }));
  await open(page, layer);
  assert.match(await page.locator("#image-heading").textContent(), /^Layer layer\.tar\.gz/);
  assert.match((await headline(page))[0], /lazy The layer can be loaded lazily/);
  assert.equal(await page.locator(".use-facts").count(), 0);
  const folder = join(scratch, "layout");
  mkdirSync(folder, { recursive: true });
  execFileSync("tar", ["-xf", app, "-C", folder]);
  await page.setInputFiles("#folder", folder);
  await page.locator("#image-heading", { hasText: "layout" }).waitFor();
  await page.locator("#image .image-verdict").waitFor();
  assert.match((await headline(page))[1], /Once converted/);
  const packed = join(scratch, "shop.tar.gz");
  writeFileSync(packed, gzipSync(readFileSync(app), { level: 1 }));
  await open(page, packed);
  await page.locator("#image", { hasText: "compressed as a whole" }).waitFor();
  const facts = join(scratch, "facts.json");
  const [program, words] = native("inspect", "--format", "json", app);
  writeFileSync(facts, spawnSync(program, words, { encoding: "utf8" }).stdout);
  await open(page, facts);
  assert.match((await headline(page))[0], /not lazy/);
  assert.equal(await page.locator("#image .files").count(), 0);
  await page.locator(".use-facts button.primary").click();
});

pageTest("what is no image says so, and another one can be opened", {}, async (page) => {
  const broken = join(scratch, "broken.tar");
  writeFileSync(broken, readFileSync(app).subarray(0, 9 * MB));
  await open(page, broken);
  assert.ok((await headline(page)).join(" ").length > 20);
  await open(page, app);
  assert.equal((await headline(page)).length, 2);
  await page.locator("#image button", { hasText: "Close" }).click();
  assert.equal(await page.locator("#image").count(), 0);
});

pageTest("the tree is walked with the keyboard alone", {}, async (page) => {
  await open(page, app);
  const first = page.locator("#image .files [role=treeitem]").first();
  await first.waitFor();
  await page.locator("#image .files input").focus();
  const focused = () => page.evaluate(() => document.activeElement.querySelector?.(":scope > .row > .name")?.textContent);
  for (let presses = 0; (await focused()) === undefined; presses++) {
    await page.keyboard.press("Tab");
    assert.ok(presses < 8, "Tab reaches the tree");
  }
  assert.equal(await focused(), "opt");
  await page.keyboard.press("ArrowRight");
  await page.locator("#image [aria-level='2']").first().waitFor();
  await page.keyboard.press("ArrowRight");
  assert.equal(await focused(), "venv");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await focused(), "opt");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(), "venv");
  await page.keyboard.press("End");
  assert.notEqual(await focused(), "venv");
});

/** The largest memory of any process of the browser that shows pages, in bytes, seen while `act` runs. */
async function peakOf(act) {
  const isOurs = (pid) => {
    for (let at = pid; at > 1; ) {
      if (at === process.pid) return true;
      at = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${at}/status`, "utf8"))?.[1] ?? 0);
    }
    return false;
  };
  let peak = 0;
  const look = () => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        if (!readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--type=renderer") || !isOurs(Number(pid))) continue;
        const rss = /^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
        peak = Math.max(peak, Number(rss?.[1] ?? 0) * 1024);
      } catch {
        // It has ended meanwhile.
      }
    }
  };
  const timer = setInterval(look, 100);
  try {
    await act();
  } finally {
    clearInterval(timer);
  }
  return peak;
}

/** Layers larger than a tab could hold: each file is one member of its gzip stream, and all files have the same bytes. */
function largeArchive(path, layers, filesOfLayer) {
  const content = randomBytes(48 * MB);
  const member = gzipSync(content, { level: 1 });
  const pieces = Array.from({ length: layers }, (_, layer) => [
    ...Array.from({ length: filesOfLayer }, (_, index) => [gzipSync(header(`opt/models-${layer}/shard-${index}.bin`, content.length)), member]).flat(),
    gzipSync(Buffer.alloc(1024)),
  ]);
  ociArchive(path, pieces, { name: "models:1" });
}

pageTest("an archive of more than 2 GB is read in bounded memory, with progress", {}, async (page, { t }) => {
  const large = join(scratch, "models.tar");
  largeArchive(large, 3, 15);
  const { size } = statSync(large);
  assert.ok(size > 2_000_000_000, `${size} bytes`);
  const before = Date.now();
  const told = [];
  const peak = await peakOf(async () => {
    await page.setInputFiles("#file", large);
    await page.locator("#image .progress", { hasText: "layers to go" }).waitFor();
    told.push(await page.locator("#image .progress .soft").textContent());
    await page.locator("#image .image-verdict").waitFor({ timeout: 600_000 });
  });
  t.diagnostic(`${(size / 1e9).toFixed(2)} GB in ${((Date.now() - before) / 1000).toFixed(0)} s; the tab had at most ${Math.round(peak / MB)} MiB`);
  assert.ok(told[0].includes("of 2."), told[0]);
  assert.equal(await page.locator("#image table.layers .badge.lazy").count(), 3);
  assert.ok(peak > 50 * MB && peak < 700 * MB, `${peak} bytes`);
  await page.locator("#image .files input").fill("shard-7");
  await page.locator("#image .count", { hasText: "3 found" }).waitFor();
  rmSync(large);
});

for (const [name, options] of Object.entries({
  "desktop, light": { viewport: { width: 1360, height: 900 }, colorScheme: "light" },
  "desktop, dark": { viewport: { width: 1360, height: 900 }, colorScheme: "dark" },
  "tablet, light": { viewport: { width: 820, height: 1100 }, colorScheme: "light" },
  "phone, light": { viewport: { width: 390, height: 844 }, colorScheme: "light", isMobile: true, hasTouch: true },
  "phone, dark": { viewport: { width: 390, height: 844 }, colorScheme: "dark", isMobile: true, hasTouch: true },
  "small phone, light": { viewport: { width: 320, height: 640 }, colorScheme: "light", isMobile: true, hasTouch: true },
})) {
  pageTest(`images are accessible on ${name}`, options, async (page) => {
    await open(page, app);
    await page.locator("#image .files [role=treeitem]").first().click();
    await page.locator("#image [aria-level='2']").first().waitFor();
    await page.evaluate(AXE);
    const found = await page.evaluate(() => window.axe.run("#image"));
    assert.deepEqual(found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`), []);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(overflow, 0, "nothing sticks out sideways");
    if (process.env.SOCI_SCREENSHOTS) {
      await page.evaluate(() => window.scrollTo(0, 0));
      await page.screenshot({ path: join(process.env.SOCI_SCREENSHOTS, `image-${name.replaceAll(/, | /g, "-")}.png`), fullPage: true });
    }
  });
}
