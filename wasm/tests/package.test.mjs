// The npm package as strangers have it: packed, installed into an empty project without a network, used and type-checked.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";

import { ROOT } from "./root.mjs";

const PACKAGE = process.env.SOCI_PACKAGE ?? join(ROOT, "target/package");
const scratch = mkdtempSync(join(tmpdir(), "soci-package-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** `npm` with a home and settings of its own. */
function npm(folder, ...words) {
  const environment = { PATH: process.env.PATH, HOME: scratch, npm_config_cache: join(scratch, "cache") };
  return execFileSync("npm", [...words, "--offline", "--no-audit", "--no-fund"], { cwd: folder, encoding: "utf8", env: environment });
}

const project = join(scratch, "project");
mkdirSync(project);
writeFileSync(join(project, "package.json"), '{ "name": "empty", "version": "1.0.0", "type": "module" }\n');
const [packed] = JSON.parse(npm(PACKAGE, "pack", "--json", "--pack-destination", scratch));
npm(project, "install", join(scratch, packed.filename));
const installed = join(project, "node_modules/@cargo-soci/lint");
const readme = readFileSync(join(installed, "README.md"), "utf8");
const example = /```js\n([\s\S]*?)```/.exec(readme)[1];

test("it holds what is needed and nothing else, and depends on nothing", (t) => {
  assert.deepEqual(packed.files.map(({ path }) => path).sort(), [
    "LICENSE",
    "LICENSES.txt",
    "README.md",
    "browser.js",
    "lint.d.ts",
    "lint.js",
    "node.js",
    "package.json",
    "soci_wasm.js",
    "soci_wasm.wasm",
    "types/options.d.ts",
    "types/report.d.ts",
    "types/rules.d.ts",
  ]);
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  const version = /^version = "(.+)"$/m.exec(readFileSync(join(ROOT, "Cargo.toml"), "utf8"))[1];
  assert.equal(manifest.version, version);
  for (const key of ["dependencies", "optionalDependencies", "peerDependencies", "scripts"]) assert.equal(manifest[key], undefined, key);
  t.diagnostic(`${packed.filename}: ${packed.size} bytes`);
});

test("the example of its README runs and says what the command line says", () => {
  assert.ok(example.trim().split("\n").length <= 12, "about ten lines");
  writeFileSync(join(project, "example.js"), example);
  cpSync(join(ROOT, "wasm/page/examples/image-elsewhere.json"), join(project, "task-definition.json"));
  const done = spawnSync(process.execPath, ["example.js"], { cwd: project, encoding: "utf8" });
  assert.equal(done.stderr, "");
  assert.equal(done.status, 1);
  const native = spawnSync(
    "cargo",
    ["run", "--quiet", "--locked", "--package", "cargo-soci", "--manifest-path", join(ROOT, "Cargo.toml"), "--"].concat(
      ["lint", "--format", "short", "--region", "eu-west-1", "--fail-on", "not-lazy", "task-definition.json"],
    ),
    { cwd: project, encoding: "utf8" },
  );
  assert.equal(native.status, 1, native.stderr);
  assert.ok(native.stdout.includes("SOCI201"), native.stdout);
  assert.ok(done.stdout.endsWith(`${native.stdout}\n`), `${done.stdout}\n---\n${native.stdout}`);
  assert.match(done.stdout, /^\S+: not-lazy, /m);
});

test("several documents, forms, rules and objections", async () => {
  const { acceptance, lint, rules, version } = await import(join(installed, "node.js"));
  const good = { path: "a.json", content: readFileSync(join(ROOT, "examples/demo/task-definition.json")) };
  const checked = lint([good, { path: "b.json", content: "{" }]);
  assert.deepEqual(checked.report.files.map(({ path }) => path), ["a.json", "b.json"]);
  assert.ok(checked.report.findings.some(({ code, file }) => code === "SOCI904" && file === "b.json"));
  assert.ok(checked.fails());
  assert.ok(!checked.fails("never"));
  assert.equal(JSON.parse(checked.render("sarif")).version, "2.1.0");
  assert.match(checked.render("human", { failOn: "error" }), /fail/);
  assert.throws(() => checked.render("pdf"), /pdf/);
  assert.throws(() => lint(good, { selct: [] }), /selct/);
  assert.deepEqual(acceptance("container=xray -- small"), { container: "xray", reason: "small" });
  assert.throws(() => acceptance("container"), /container/);
  assert.ok(rules().length >= 20);
  assert.match(version(), /^\d+\.\d+\.\d+$/);
});

test("files that a document names are found among those that were given", async () => {
  const { lint } = await import(join(installed, "node.js"));
  const task = `resource "aws_ecs_task_definition" "web" {
  family                   = "web"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  container_definitions    = jsonencode([{ name = "web", image = var.image, essential = true }])
}
`;
  const variable = 'variable "image" {\n  default = "nginx:1"\n}\n';
  const verdict = (...documents) => lint(documents).report.summary.verdict;
  assert.equal(verdict({ path: "infra/main.tf", content: task }), "unknown");
  assert.equal(verdict({ path: "infra/main.tf", content: task }, { path: "infra/variables.tf", content: variable }), "not-lazy");
});

test("its types hold for strict TypeScript, and wrong uses do not compile", () => {
  const check = (name, text) => {
    writeFileSync(join(project, name), text);
    const flags = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022", "--exactOptionalPropertyTypes", "--types", "node"];
    const roots = ["--typeRoots", join(ROOT, "wasm/node_modules/@types")];
    const tsc = join(ROOT, "wasm/node_modules/typescript/bin/tsc");
    return spawnSync(process.execPath, [tsc, ...flags, ...roots, name], { cwd: project, encoding: "utf8" });
  };
  const good = check("good.ts", example);
  assert.equal(good.status, 0, good.stdout);
  for (const wrong of ['lint({ path: 1, content: "" })', 'lint([], { region: 1 })', 'lint([]).render("pdf")', "lint([]).report.verdicts"]) {
    const done = check("wrong.ts", `import { lint } from "@cargo-soci/lint";\n${wrong};\n`);
    assert.notEqual(done.status, 0, wrong);
  }
});
