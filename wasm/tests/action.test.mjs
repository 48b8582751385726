import assert from "node:assert/strict";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { snapshot } from "node:test";

import { ROOT } from "./root.mjs";
import { DEFAULTS, OUTPUTS, seen, step } from "./runner.mjs";

// Snapshots are read by people: as they are, not as JavaScript strings.
snapshot.setDefaultSnapshotSerializers([(value) => value]);

const example = (name) => readFileSync(join(ROOT, "wasm/page/examples", name), "utf8");
const ELSEWHERE = example("image-elsewhere.json");

/** A document without a finding. */
const CLEAN = JSON.stringify(
  {
    family: "clean",
    requiresCompatibilities: ["FARGATE"],
    networkMode: "awsvpc",
    cpu: "1024",
    memory: "2048",
    runtimePlatform: { cpuArchitecture: "X86_64", operatingSystemFamily: "LINUX" },
    containerDefinitions: [
      {
        name: "web",
        image: `123456789012.dkr.ecr.eu-west-1.amazonaws.com/web@sha256:${"5c".repeat(32)}`,
        essential: true,
      },
    ],
  },
  null,
  2,
);

test("it runs under the Node that action.yml names", () => {
  assert.equal(process.versions.node.split(".")[0], "24");
  assert.match(readFileSync(join(ROOT, "action.yml"), "utf8"), /^ {2}using: node24$/m);
});

test("findings become annotations, a summary and outputs", (t) => {
  const done = step({ "deploy/task-definition.json": ELSEWHERE }, { "task-definition": "deploy/task-definition.json" });
  assert.deepEqual(Object.keys(done.outputs), OUTPUTS);
  t.assert.snapshot(seen(done));
});

test("a clean document passes", (t) => {
  const done = step({ "taskdef.json": CLEAN }, { "task-definition": "taskdef.json" });
  assert.equal(done.code, 0);
  t.assert.snapshot(seen(done));
});

test("fail-on decides the exit code alone", () => {
  const files = { "t.json": ELSEWHERE };
  const codes = ["error", "warning", "not-lazy", "never"].map(
    (failOn) => [failOn, step(files, { "task-definition": "t.json", "fail-on": failOn, severity: "SOCI2=warning" }).code],
  );
  assert.deepEqual(codes, [["error", 0], ["warning", 1], ["not-lazy", 1], ["never", 0]]);
});

test("wrong inputs are errors that say so", (t) => {
  const files = { "t.json": ELSEWHERE, "facts.json": "{" };
  const cases = {
    "nothing to read": { "task-definition": " \n" },
    "no such file": { "task-definition": "missing.json" },
    "a glob without a match": { "task-definition": "deploy/**/*.json" },
    "an unknown input": { "task-definition": "t.json", "task-defintion": "t.json", strict: "yes" },
    "an unknown fail-on": { "task-definition": "t.json", "fail-on": "warnings" },
    "an unknown kind": { "task-definition": "t.json", kind: "helm" },
    "an unknown rule": { "task-definition": "t.json", select: "SOCI777" },
    "a rule selected and ignored": { "task-definition": "t.json", select: "SOCI201, SOCI401", ignore: "SOCI401" },
    "an unknown severity": { "task-definition": "t.json", severity: "SOCI201=fatal" },
    "a parameter without a value": { "task-definition": "t.json", params: "ImageTag" },
    "a parameter given twice": { "task-definition": "t.json", params: "Tag=1\nTag=2" },
    "facts that are missing": { "task-definition": "t.json", "image-facts": "nowhere.json" },
    "facts that are no JSON": { "task-definition": "t.json", "image-facts": "facts.json" },
  };
  const lines = Object.entries(cases).map(([name, inputs]) => {
    const done = step(files, inputs);
    assert.equal(done.code, 1, name);
    assert.equal(done.stderr, "", name);
    assert.equal(done.summary, "", name);
    assert.deepEqual(done.outputs, {}, name);
    return `${name}\n  ${done.stdout}`;
  });
  t.assert.snapshot(lines.join(""));
});

test("facts about an image make its container lazy", () => {
  const facts = readFileSync(join(ROOT, "crates/soci-lint/tests/fixtures/facts/lazy.json"), "utf8");
  const files = {
    "t.json": CLEAN,
    "facts.json": facts,
    "entries.json": JSON.stringify([{ image: "*/web@*", facts: JSON.parse(facts) }]),
  };
  const verdict = (imageFacts) => step(files, { "task-definition": "t.json", "image-facts": imageFacts }).outputs.verdict;
  assert.equal(verdict(""), "unknown");
  assert.equal(verdict("*/web@* = facts.json\n"), "lazy");
  assert.equal(verdict("entries.json"), "lazy");
  assert.equal(verdict("*/other:*=facts.json"), "unknown");
});

test("paths, folders and globs; links that lead out are not followed", () => {
  const outside = step({ "secret-taskdef.json": ELSEWHERE }, { "task-definition": "secret-taskdef.json" });
  assert.equal(outside.code, 1);
  const files = {
    "a/task-definition.json": CLEAN,
    "a/.aws/task-definition.json": CLEAN,
    "a/package.json": "{}",
    "a/node_modules/x/taskdef.json": ELSEWHERE,
    "b/one.yaml": "family: x\ncontainerDefinitions: []\n",
    "b/deep/two.json": CLEAN,
    "c.json": CLEAN,
  };
  const paths = (lines, prepare = () => {}) => {
    const done = step(files, { "task-definition": lines, "fail-on": "never" }, {}, prepare);
    return JSON.parse(done.report).files.map((file) => file.path);
  };
  assert.deepEqual(paths("a"), ["a/.aws/task-definition.json", "a/task-definition.json"]);
  assert.deepEqual(paths("./a/"), ["a/.aws/task-definition.json", "a/task-definition.json"]);
  assert.deepEqual(paths("b/*.{json,yaml}\nb/**/*.json"), ["b/one.yaml", "b/deep/two.json"]);
  assert.deepEqual(paths("c.json\r\n*.json\r\n"), ["c.json"]);
  const link = (workspace) => {
    writeFileSync(join(workspace, "../outside-taskdef.json"), ELSEWHERE);
    symlinkSync(join(workspace, "../outside-taskdef.json"), join(workspace, "a/taskdef.json"));
    symlinkSync(join(workspace, ".."), join(workspace, "a/up"));
  };
  assert.deepEqual(paths("a", link), ["a/.aws/task-definition.json", "a/task-definition.json"]);
});

test("byte order marks and CRLF leave lines and columns where they are", () => {
  const places = (content) => {
    const done = step({ "t.json": content }, { "task-definition": "t.json", "fail-on": "never" });
    return done.stdout.split("\n").filter((line) => /^::(error|warning|notice)/.test(line));
  };
  const plain = places(ELSEWHERE);
  assert.ok(plain.length > 0);
  assert.deepEqual(places(`\uFEFF${ELSEWHERE}`), plain);
  assert.deepEqual(places(ELSEWHERE.replaceAll("\n", "\r\n")), plain);
});

test("what stands in a document cannot become a command, a cell or markup", (t) => {
  const evil = "x\n::error::owned\n::set-output name=verdict::lazy|<img src=x onerror=alert(1)>`@octocat";
  const document = JSON.stringify({ family: evil, containerDefinitions: [{ name: evil, image: evil }] }, null, 2);
  const done = step({ "t.json": document }, { "task-definition": "t.json", "fail-on": "never" });
  const stopped = done.stdout.replace(/::stop-commands::TOKEN\n[\s\S]*?\n::TOKEN::\n/g, "");
  assert.ok(!/^::(error::owned|set-output)/m.test(stopped), stopped);
  assert.ok(!done.summary.includes("<img"), done.summary);
  t.assert.snapshot(seen(done));
});

test("5,000 findings stay within GitHub's limits, and the rest is counted", () => {
  const containers = Array.from({ length: 5000 }, (_, index) => ({ name: `c${index}`, image: `quay.io/x/y${index}:1` }));
  const document = JSON.stringify({ family: "many", requiresCompatibilities: ["FARGATE"], networkMode: "awsvpc", cpu: "256", memory: "512", containerDefinitions: containers }, null, 1);
  const done = step({ "t.json": document }, { "task-definition": "t.json" });
  const commands = done.stdout.split("\n").filter((line) => /^::(error|warning|notice)[ :]/.test(line));
  for (const kind of ["error", "warning", "notice"]) {
    assert.ok(commands.filter((line) => line.startsWith(`::${kind}`)).length <= 10, kind);
  }
  assert.ok(commands.length > 0);
  assert.ok(Buffer.byteLength(done.summary) < 1024 * 1024, `${Buffer.byteLength(done.summary)} bytes of summary`);
  assert.match(done.summary, /more|rest/);
  const { summary, findings } = JSON.parse(done.report);
  assert.ok(findings.length >= 5000, `${findings.length} findings`);
  assert.equal(summary.not_lazy, 5000);
  assert.equal(done.outputs["not-lazy"], "5000");
});

test("it works without the runner's files, as in a shell", () => {
  const done = step({ "t.json": CLEAN }, { "task-definition": "t.json" }, { GITHUB_OUTPUT: "", GITHUB_STEP_SUMMARY: "", RUNNER_TEMP: "" });
  assert.equal(done.code, 0);
  assert.equal(done.summary, "");
});

test("every input has a default but the one that is required", () => {
  assert.deepEqual(
    Object.entries(DEFAULTS).filter(([, value]) => value !== ""),
    [["fail-on", "error"]],
  );
  assert.equal(Object.keys(DEFAULTS).length, 9);
});
