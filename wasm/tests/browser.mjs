// The finished site on a local server, in Debian's Chromium.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";

import { chromium } from "playwright-core";

import { ROOT } from "./root.mjs";
import { serve } from "./serve.mjs";

/** The folder that `cargo xtask site` filled. */
export const SITE = process.env.SOCI_SITE ?? join(ROOT, "target/site");

if (!existsSync(join(SITE, "index.html"))) throw new Error(`no site in ${SITE}; run \`cargo xtask site\``);

const server = await serve(SITE, 0);

/** Where the site is served. */
export const ORIGIN = `http://127.0.0.1:${server.address().port}`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  // Test machines run as root in containers, where Chromium's own sandbox cannot be set up.
  args: ["--no-sandbox"],
});
after(async () => {
  await browser.close();
  server.close();
});

/** A fresh browser profile with the page open and the checker loaded, as in `openPage`, with the editor. */
export async function openPage(options = {}) {
  const opened = await loadPage(options);
  // The editor comes when somebody goes there.
  await opened.page.locator("#fallback, .cm-content").first().focus();
  await opened.page.locator(".cm-content").waitFor();
  return opened;
}

/**
 * A fresh browser profile with an empty page. `trouble` collects what must not happen: policy violations, errors,
 * requests to somewhere else; `asked` gives the requests that fit a pattern.
 */
export async function visit(options = {}) {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"], ...options });
  const page = await context.newPage();
  const trouble = [];
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) trouble.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => trouble.push(`error: ${error.message}`));
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (origin !== ORIGIN && !["data:", "blob:"].includes(protocol)) trouble.push(`request: ${request.url()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return { page, context, trouble, asked: (pattern) => requests.filter((url) => new RegExp(pattern).test(url)) };
}

/** The same with the page open and the checker loaded. */
export async function loadPage({ hash = "", ...options } = {}) {
  const visited = await visit(options);
  const { page } = visited;
  await page.goto(`${ORIGIN}/${hash}`);
  await page.waitForFunction(() => !document.querySelector("#status").textContent.startsWith("Loading"));
  return visited;
}

/** Replaces the document by pasting from the clipboard. */
export async function paste(page, text) {
  await page.evaluate((value) => navigator.clipboard.writeText(value), text);
  await page.locator(".cm-content").focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Control+V");
}

/** Waits for the sentence under "Verdict". */
export async function status(page, pattern) {
  await page
    .waitForFunction(
      ({ source }) => new RegExp(source).test(document.querySelector("#status").textContent),
      { source: pattern.source },
      { timeout: 5000 },
    )
    .catch(async () => {
      throw new Error(`the status is ${JSON.stringify(await page.locator("#status").textContent())}, not ${pattern}`);
    });
}
