import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

import { Documents, initSync, rules } from "../glue/soci_wasm.js";
import { ROOT } from "./root.mjs";

initSync({ module: readFileSync(join(ROOT, "wasm/action/dist/soci_wasm.wasm")) });

const FORMS = ["human", "short", "github", "markdown"];
const fixtures = execFileSync(
  "git",
  ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "crates/soci-lint/tests", "wasm/page/examples", "examples"],
  { cwd: ROOT, encoding: "utf8" },
)
  .split("\0")
  .filter((path) => path !== "" && !path.endsWith(".snap") && !path.endsWith(".rs") && !path.endsWith(".options.json"))
  .filter((path) => existsSync(join(ROOT, path)));

/** Options that reach other branches than the defaults. */
const OPTIONS = [
  {},
  { "platform-version": "1.3.0", region: "eu-west-1", "launch-type": "FARGATE", params: { ImageTag: "1", Tag: "2", Image: "nginx:1" } },
  { select: ["SOCI"], severity: { SOCI2: "warning" } },
];

/** The options that a fixture brings along; `"@name"` in them stands for a file of facts. */
function ownOptions(path) {
  const file = join(ROOT, `${path.replace(/\.[^./]+$/, "")}.options.json`);
  if (!existsSync(file)) return [];
  const facts = (_, name) => readFileSync(join(ROOT, `crates/soci-lint/tests/fixtures/facts/${name}.json`), "utf8");
  return [JSON.parse(readFileSync(file, "utf8").replace(/"@([a-z0-9-]+)"/g, facts))];
}

test("over all fixtures the module and the native linter give the same bytes", (t) => {
  assert.ok(fixtures.length >= 50, `${fixtures.length} fixtures`);
  const calls = fixtures.flatMap((path) => [...OPTIONS, ...ownOptions(path)].map((options) => ({ path, options })));
  const done = spawnSync("cargo", ["run", "--quiet", "--locked", "--package", "soci-wasm", "--example", "native"], {
    cwd: ROOT,
    input: calls.map((call) => JSON.stringify(call)).join("\n"),
    encoding: "utf8",
    maxBuffer: 1 << 30,
  });
  assert.equal(done.status, 0, done.stderr);
  const native = done.stdout.trimEnd().split("\n");
  assert.equal(native.length, calls.length);
  for (const [index, { path, options }] of calls.entries()) {
    const documents = new Documents();
    documents.add(path, readFileSync(join(ROOT, path)), false);
    const report = documents.lint(JSON.stringify(options));
    const here = { report, ...Object.fromEntries(FORMS.map((form) => [form, documents.render(form)])) };
    documents.free();
    const there = JSON.parse(native[index]);
    for (const [form, text] of Object.entries(here)) {
      // Equal texts are the rule; a difference is shown by its lines.
      if (text === there[form]) continue;
      assert.deepEqual(text.split("\n"), (there[form] ?? there.error).split("\n"), `${form} of ${path} under ${JSON.stringify(options)}`);
    }
  }
  t.diagnostic(`${calls.length} reports in ${FORMS.length + 1} forms`);
});

test("the command line gives that report as well", () => {
  const path = "wasm/page/examples/image-elsewhere.json";
  const command = execFileSync(
    "cargo",
    ["run", "--quiet", "--locked", "--package", "cargo-soci", "--", "soci", "lint", "--format", "json", "--fail-on", "never", path],
    { cwd: ROOT, encoding: "utf8" },
  );
  const documents = new Documents();
  documents.add(path, readFileSync(join(ROOT, path)), false);
  assert.equal(command, documents.lint("{}"));
});

test("an objection of the linter arrives as an error", () => {
  const documents = new Documents();
  documents.add("t.json", new TextEncoder().encode("{}"), false);
  assert.throws(() => documents.lint('{"selct":[]}'), /selct/);
  assert.throws(() => documents.lint("{"), /options/);
  assert.throws(() => documents.render("human"), /no report/);
  documents.lint("{}");
  assert.throws(() => documents.render("pdf"), /pdf/);
  assert.throws(() => documents.fails("always"), /always/);
});

test("every rule has a page", () => {
  const all = JSON.parse(rules());
  assert.ok(all.length >= 20);
  for (const { code, name, summary } of all) {
    assert.match(code, /^SOCI\d{3}$/);
    const page = readFileSync(join(ROOT, `docs/rules/${code}.md`), "utf8");
    assert.ok(page.startsWith(`# ${code}: ${name}\n\n${summary}\n`), code);
  }
});
