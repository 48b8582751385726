import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

import { loadPage, openPage, paste, status } from "./browser.mjs";
import { ROOT } from "./root.mjs";

const example = (name) => readFileSync(join(ROOT, "wasm/page/examples", name), "utf8");
const ELSEWHERE = example("image-elsewhere.json");
const AXE = readFileSync(join(ROOT, "wasm/node_modules/axe-core/axe.min.js"), "utf8");

const verdicts = (page) => page.locator("#verdicts tbody .badge").allTextContents();

/** Each test has a page of its own, with the editor or (`early`) before it is there, and must leave no trouble behind. */
function pageTest(name, { early = false, ...options }, body) {
  test(name, async (t) => {
    const { page, context, trouble } = await (early ? loadPage : openPage)(options);
    try {
      await body(page, { context, t });
      assert.deepEqual(trouble, []);
    } finally {
      await context.close();
    }
  });
}

test("the editor and the rules' pages are loaded when they are wanted", async () => {
  const { page, context, asked } = await loadPage();
  try {
    await status(page, /Nothing to check yet/);
    assert.deepEqual(asked("editor-|rules\\.json"), []);
    await page.selectOption("#examples", "0");
    await page.locator(".cm-content").waitFor();
    assert.equal(asked("editor-").length, 1);
    assert.deepEqual(asked("rules\\.json"), []);
    await page.locator("#findings details.rule summary").first().click();
    await page.locator("#findings details.rule p").first().waitFor();
    assert.equal(asked("rules\\.json").length, 1);
  } finally {
    await context.close();
  }
});

pageTest("what is typed before the editor is there stays, and the caret", { early: true }, async (page) => {
  await page.locator("#fallback").focus();
  await page.keyboard.type('{"family":"a","requiresCompatibilities":["FARGATE"],');
  await page.locator(".cm-content").waitFor();
  await page.keyboard.type('"containerDefinitions":[{"name":"web","image":"nginx:1.27"}]}');
  await status(page, /^1 container: 1 not lazy/);
});

pageTest("typing gives verdicts, and mending changes them", {}, async (page) => {
  await page.locator(".cm-content").click();
  await page.keyboard.insertText('{"family":"a","requiresCompatibilities":["FARGATE"],"networkMode":"awsvpc","cpu":"256","memory":"512",');
  await page.keyboard.type('"containerDefinitions":[{"name":"web","image":"nginx:1.27"}]}');
  await status(page, /^1 container: 1 not lazy/);
  assert.deepEqual(await verdicts(page), ["not lazy"]);
  assert.ok((await page.locator(".cm-lintRange").count()) > 0, "there are inline marks");
  assert.ok((await page.locator(".cm-lint-marker").count()) > 0, "there are marks in the gutter");
  const text = await page.locator(".cm-content").textContent();
  await paste(page, text.replace("nginx:1.27", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/nginx:1.27"));
  await status(page, /^1 container: 1 unknown/);
});

pageTest("pasting a template", {}, async (page) => {
  await paste(page, example("cloudformation.yaml"));
  await status(page, /^2 containers/);
  assert.match(await page.locator("#kind").textContent(), /cloudformation/);
  assert.equal(await page.locator("#verdicts tbody tr").count(), 2);
});

pageTest("dropping a file", {}, async (page) => {
  const transfer = await page.evaluateHandle((text) => {
    const data = new DataTransfer();
    data.items.add(new File([text], "taskdef.json", { type: "application/json" }));
    return data;
  }, `\uFEFF${ELSEWHERE.replaceAll("\n", "\r\n")}`);
  await page.dispatchEvent(".cm-content", "dragover", { dataTransfer: transfer });
  assert.ok(await page.locator("#drop").isVisible());
  await page.dispatchEvent(".cm-content", "drop", { dataTransfer: transfer });
  await status(page, /^2 containers: 1 not lazy, 1 unknown/);
  assert.ok(await page.locator("#drop").isHidden());
  await page.locator("#findings .jump").first().waitFor();
});

const MODULE = {
  "shop/main.tf": `resource "aws_ecs_task_definition" "web" {
  family                   = "web"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  container_definitions    = jsonencode([{ name = "web", image = "\${var.image}" }])
}
`,
  "shop/variables.tf": 'variable "image" {\n  default = "nginx:1.27"\n}\n',
  "shop/.gitignore": "*.local.json\n",
  "shop/taskdef.local.json": ELSEWHERE,
  "shop/node_modules/x/taskdef.json": ELSEWHERE,
};

/** Drops files as a browser does. Scripts cannot make entries of folders, so that these stand in for them. */
const drop = async (page, files) => {
  const transfer = await page.evaluateHandle((files) => {
    const data = new DataTransfer();
    data.items.add(new File([""], "shop"));
    const file = (name, text) => ({ name, isFile: true, isDirectory: false, file: (done) => done(new File([text], name)) });
    const folder = (name, inside) => {
      const children = Object.entries(Map.groupBy(Object.entries(inside), ([path]) => path.split("/")[0]).entries().toArray()).map(([, [first, below]]) =>
        below.length === 1 && below[0][0] === first
          ? file(first, below[0][1])
          : folder(first, Object.fromEntries(below.map(([path, text]) => [path.slice(first.length + 1), text]))),
      );
      return {
        name,
        isFile: false,
        isDirectory: true,
        // Each reader begins anew.
        createReader: () => {
          const left = [...children];
          return { readEntries: (done) => done(left.splice(0, 2)) };
        },
      };
    };
    const root = folder("", files);
    DataTransferItem.prototype.webkitGetAsEntry = () => {
      let found;
      root.createReader().readEntries((entries) => ([found] = entries));
      return found;
    };
    return data;
  }, files);
  await page.dispatchEvent("#fallback, .cm-content", "drop", { dataTransfer: transfer });
};

pageTest("a folder is searched as on the command line, and its files are shown one by one", {}, async (page) => {
  await drop(page, MODULE);
  await status(page, /^1 container: 1 not lazy/);
  const shown = () => page.locator("#files").inputValue();
  const line = () => page.evaluate(() => document.querySelector("#document").shadowRoot.querySelector(".cm-activeLine").textContent);
  const read = ["shop/.gitignore", "shop/main.tf", "shop/taskdef.local.json", "shop/variables.tf"];
  assert.deepEqual(await page.locator("#files option").allTextContents(), read);
  // The finding is about the default, which stands in the other file.
  await page.locator("#findings .jump", { hasText: "shop/variables.tf, line 2" }).first().click();
  assert.equal(await shown(), "shop/variables.tf");
  assert.match(await line(), /nginx:1.27/);
  await page.keyboard.insertText('"123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1"');
  await status(page, /^1 container: 1 unknown/);
  await page.locator("#options > summary").click();
  await page.locator("#option-vars").fill("image=quay.io/a/b:1");
  await status(page, /^1 container: 1 not lazy/);
  await page.locator("#option-for").selectOption("containerd");
  await status(page, /^1 container: 1 unknown/);
  // What was edited stays when another file is looked at.
  await page.locator("#files").selectOption("shop/main.tf");
  await page.locator("#files").selectOption("shop/variables.tf");
  assert.match(await page.evaluate(() => document.querySelector("#document").shadowRoot.querySelector(".cm-content").textContent), /dkr\.ecr/);
  await page.locator("#share").click();
  await page.locator("#share-status", { hasText: "shop/variables.tf alone" }).waitFor();
});

pageTest("a folder without documents says so, and several files are each checked", {}, async (page) => {
  await drop(page, { "docs/README.md": "a", "docs/x.txt": "b" });
  await status(page, /holds no file with a name/);
  await page.setInputFiles("#file", [
    { name: "one.json", mimeType: "application/json", buffer: Buffer.from(ELSEWHERE) },
    { name: "two.json", mimeType: "application/json", buffer: Buffer.from(ELSEWHERE) },
  ]);
  await status(page, /^4 containers/);
  await page.setInputFiles("#file", [{ name: "one.json", mimeType: "application/json", buffer: Buffer.from(ELSEWHERE) }]);
  await status(page, /^2 containers/);
  assert.ok(await page.locator("#files-field").isHidden());
});

/** One struct: what the linter can be told, the page can tell it; files of variables are dropped with the others. */
pageTest("every option of the linter has a control", {}, async (page) => {
  const { properties } = JSON.parse(readFileSync(join(ROOT, "docs/lint-options.schema.json"), "utf8"));
  const controls = await page.locator("#options :is(input, select, textarea)").evaluateAll((found) => found.map(({ id }) => id));
  assert.equal(controls.length, Object.keys(properties).length - 1);
  await paste(page, ELSEWHERE.replace("FARGATE", "EC2"));
  await page.locator("#options > summary").click();
  await page.locator("#option-launch").selectOption("FARGATE");
  await status(page, /1 not lazy, 1 unknown/);
  await page.locator("#option-accept").fill("image=redis* -- a small cache");
  await status(page, /^2 containers: 1 unknown/);
  await page.locator("#option-accept").fill("image=redis*");
  await status(page, /cannot be used: accept/);
});

pageTest("opening a file that is no UTF-8 says so", {}, async (page) => {
  await page.setInputFiles("#file", { name: "t.json", mimeType: "application/json", buffer: Buffer.from([0x7b, 0xff, 0x7d]) });
  await status(page, /error/);
  assert.match(await page.locator("#findings").textContent(), /UTF-8/);
});

pageTest("a finding leads to its place", {}, async (page) => {
  await paste(page, ELSEWHERE);
  await status(page, /^2 containers/);
  const finding = page.locator("#findings > li", { hasText: "SOCI2" }).first();
  const button = finding.locator(".jump").first();
  const line = Number(/\d+/.exec(await button.textContent())[0]);
  await button.click();
  const selected = await page.evaluate(() => document.querySelector("#document").shadowRoot.querySelector(".cm-activeLine").textContent);
  assert.equal(selected, ELSEWHERE.split("\n")[line - 1]);
  await page.keyboard.type("X");
  const after = (await page.evaluate(() => [...document.querySelector("#document").shadowRoot.querySelectorAll(".cm-line")].map((l) => l.textContent)))[line - 1];
  assert.ok(after.includes("X") && !after.includes("redis"), `the token was selected: ${after}`);
});

pageTest("a rule's page opens in place and stays open while typing", {}, async (page) => {
  await paste(page, ELSEWHERE);
  await status(page, /^2 containers/);
  const rule = page.locator("#findings details.rule").first();
  await rule.locator("summary").click();
  await rule.locator("p").first().waitFor();
  assert.match(await rule.textContent(), /Why/);
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(" ");
  await page.waitForTimeout(400);
  assert.ok(await page.locator("#findings details.rule[open]").first().isVisible());
});

pageTest("options change the verdict, and wrong ones are explained", {}, async (page) => {
  await paste(page, example("cloudformation.yaml"));
  await status(page, /^2 containers/);
  await page.locator("#options > summary").click();
  await page.locator("#option-params").fill("ProxyImage=envoyproxy/envoy:v1.30");
  await page.locator("#verdicts .image", { hasText: "envoyproxy/envoy:v1.30" }).waitFor();
  await page.locator("#option-params").fill("ProxyImage");
  await status(page, /options cannot be used: parameters/);
  await page.locator("#option-params").fill("");
  await page.locator("#option-select").fill("SOCI777");
  await status(page, /options cannot be used: select.*SOCI777/);
  await page.locator("#option-select").fill("");
  await paste(page, ELSEWHERE.replace("redis:7", "123456789012.dkr.ecr.eu-central-1.amazonaws.com/redis:7").replace("ARM64", "X86_64"));
  await page.locator("#option-facts").fill(readFileSync(join(ROOT, "crates/soci-lint/tests/fixtures/facts/lazy.json"), "utf8"));
  await status(page, /2 containers: 2 lazy/);
  await page.locator("#option-facts").fill("{");
  await status(page, /options cannot be used: image facts/);
});

pageTest("every example of the menu has a verdict", {}, async (page) => {
  const count = await page.locator("#examples option").count();
  assert.ok(count >= 5);
  for (let index = 0; index < count - 1; index++) {
    await page.selectOption("#examples", String(index));
    await status(page, /container/);
    assert.ok((await verdicts(page)).length > 0, `example ${index}`);
  }
});

pageTest("share link: a round trip, only when asked, with a warning", {}, async (page, { context }) => {
  await paste(page, ELSEWHERE);
  await status(page, /^2 containers/);
  assert.equal(await page.evaluate(() => location.hash), "");
  await page.locator("#options > summary").click();
  await page.locator("#option-ignore").fill("SOCI401");
  await page.locator("#share").click();
  await page.locator("#share-dialog").waitFor();
  assert.match(await page.locator("#share-dialog").textContent(), /whole document/);
  const link = await page.locator("#share-link").inputValue();
  assert.equal(await page.evaluate(() => location.hash), "", "the address stays as it was");
  await page.locator("#share-copy").click();
  await page.locator("#share-status", { hasText: "Copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), link);
  await page.keyboard.press("Escape");
  const other = await context.newPage();
  await other.goto(link);
  await status(other, /^2 containers/);
  await other.locator(".cm-content").waitFor();
  const lines = await other.evaluate(() => [...document.querySelector("#document").shadowRoot.querySelectorAll(".cm-line")].map((l) => l.textContent));
  assert.equal(lines.join("\n"), ELSEWHERE);
  assert.equal(await other.locator("#option-ignore").inputValue(), "SOCI401");
});

test("a damaged or hostile link is refused", async () => {
  const { deflateRawSync } = await import("node:zlib");
  const bomb = deflateRawSync(Buffer.from(JSON.stringify({ text: "a".repeat(6 << 20), options: {} }))).toString("base64url");
  for (const [hash, words] of [["#v1=%%%", "cannot be read"], ["#v1=AAAA", "cannot be read"], [`#v1=${bomb}`, "more than 5 MiB"]]) {
    const { page, context, trouble } = await openPage({ hash });
    await page.waitForFunction((text) => document.querySelector("#notice").textContent.includes(text), words);
    assert.deepEqual(trouble, []);
    await context.close();
  }
});

pageTest("keyboard only: skip link, editor, out again, a finding and back", { early: true }, async (page) => {
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("#document").shadowRoot?.activeElement?.classList.contains("cm-content"));
  await page.keyboard.insertText(ELSEWHERE);
  await status(page, /^2 containers/);
  let presses = 0;
  const focused = () => page.evaluate(() => document.activeElement.className);
  while ((await focused()) !== "jump") {
    await page.keyboard.press("Tab");
    assert.ok(++presses < 20, "Tab reaches a button that jumps");
  }
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("#document").shadowRoot?.activeElement?.classList.contains("cm-content"));
  await page.keyboard.press("F8");
  await page.locator(".cm-tooltip-lint, .cm-diagnostic").first().waitFor();
});

pageTest("outputs are copied and downloaded", {}, async (page) => {
  await paste(page, ELSEWHERE);
  await status(page, /^2 containers/);
  for (const [format, pattern] of [["human", /Docker Hub/], ["markdown", /\|/], ["json", /^\{/]]) {
    await page.selectOption("#format", format);
    await page.locator("#copy").click();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), pattern);
  }
  const [file] = await Promise.all([page.waitForEvent("download"), page.locator("#download").click()]);
  assert.equal(file.suggestedFilename(), "soci-report.json");
  assert.equal(JSON.parse(readFileSync(await file.path(), "utf8")).summary.containers, 2);
});

for (const [name, options] of Object.entries({
  "desktop, light": { viewport: { width: 1360, height: 900 }, colorScheme: "light" },
  "desktop, dark": { viewport: { width: 1360, height: 900 }, colorScheme: "dark" },
  "phone, light": { viewport: { width: 390, height: 844 }, colorScheme: "light", isMobile: true, hasTouch: true },
  "phone, dark": { viewport: { width: 390, height: 844 }, colorScheme: "dark", isMobile: true, hasTouch: true },
})) {
  pageTest(`accessible on ${name}`, options, async (page) => {
    await page.selectOption("#examples", "0");
    await status(page, /^2 containers/);
    await page.locator("#options > summary").click();
    await page.locator("#report > summary").click();
    await page.locator("#findings details.rule > summary").first().click();
    await page.evaluate(AXE);
    const found = await page.evaluate(() => window.axe.run());
    assert.deepEqual(
      found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`),
      [],
    );
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(overflow, 0, "nothing sticks out sideways");
    await page.locator("#share").click();
    const dialog = await page.evaluate(() => window.axe.run("#share-dialog"));
    assert.deepEqual(dialog.violations.map(({ id }) => id), []);
    if (process.env.SOCI_SCREENSHOTS) {
      await page.locator("#share-close").click();
      await page.locator("#options > summary").click();
      await page.locator("#report > summary").click();
      await page.locator("#findings details.rule > summary").first().click();
      await page.evaluate(() => window.scrollTo(0, 0));
      await page.screenshot({ path: join(process.env.SOCI_SCREENSHOTS, `${name.replace(", ", "-")}.png`), fullPage: true });
    }
  });
}
