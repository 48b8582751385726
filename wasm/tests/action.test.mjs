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
  assert.deepEqual([...Object.keys(done.outputs), "sarif-file"], OUTPUTS);
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

test("each row of the table of fail-on holds", () => {
  const words = ["error", "warning", "not-lazy", "unknown", "never"];
  const codes = (document, inputs = {}) =>
    words.map((failOn) => step({ "t.json": document }, { "task-definition": "t.json", "fail-on": failOn, ...inputs }).code);
  // Nothing is found, and whether the container is lazy is not known.
  assert.deepEqual(codes(CLEAN), [0, 0, 0, 1, 0]);
  // A finding alone.
  assert.deepEqual(codes(CLEAN, { severity: "SOCI301=warning" }), [0, 1, 0, 1, 0]);
  assert.deepEqual(codes(CLEAN, { severity: "SOCI301=error" }), [1, 1, 1, 1, 0]);
  // A container that is not lazy.
  assert.deepEqual(codes(ELSEWHERE, { severity: "SOCI2=info\nSOCI4=info" }), [0, 0, 1, 1, 0]);
  // No container at all, and nothing said about it.
  assert.deepEqual(codes("{}", { ignore: "not-a-task-definition" }), [0, 0, 1, 1, 0]);
  // `never` is about what is found.
  assert.equal(step({}, { "task-definition": "t.json", "fail-on": "never" }).code, 1);
});

test("wrong inputs are errors that say so", (t) => {
  const files = { "t.json": ELSEWHERE, "facts.json": "{" };
  const cases = {
    "nothing to read": { "task-definition": " \n" },
    "no such file": { "task-definition": "missing.json" },
    "a glob without a match": { "task-definition": "deploy/**/*.json" },
    "an unknown input": { "task-definition": "t.json", "task-defintion": "t.json", strict: "yes" },
    "an unknown fail-on": { "task-definition": "t.json", "fail-on": "warnings" },
    "images looked up or not": { "task-definition": "t.json", "check-images": "yes" },
    "an unknown kind": { "task-definition": "t.json", kind: "helm" },
    "an unknown rule": { "task-definition": "t.json", select: "SOCI777" },
    "a rule selected and ignored": { "task-definition": "t.json", select: "SOCI201, SOCI401", ignore: "SOCI401" },
    "an unknown severity": { "task-definition": "t.json", severity: "SOCI201=fatal" },
    "a parameter without a value": { "task-definition": "t.json", params: "ImageTag" },
    "a parameter given twice": { "task-definition": "t.json", params: "Tag=1\nTag=2" },
    "facts that are missing": { "task-definition": "t.json", "image-facts": "nowhere.json" },
    "a consumer that uses no index": { "task-definition": "t.json", for: "eks" },
    "an unknown launch type": { "task-definition": "t.json", "launch-type": "fargate" },
    "a platform version that is none": { "task-definition": "t.json", "platform-version": "newest" },
    "a variable without a value": { "task-definition": "t.json", vars: "tag" },
    "a file of variables that is missing": { "task-definition": "t.json", "var-files": "prod.tfvars" },
    "an acceptance without a reason": { "task-definition": "t.json", accept: "container=web" },
    "sidecars that are neither": { "task-definition": "t.json", sidecars: "yes" },
    "a place for SARIF that is a folder": { "task-definition": "t.json", "sarif-file": "." },
    "a folder without documents": { "task-definition": "." },
    "facts that are no JSON": { "task-definition": "t.json", "image-facts": "facts.json" },
  };
  const lines = Object.entries(cases).map(([name, inputs]) => {
    const done = step(files, inputs);
    assert.equal(done.code, 1, name);
    assert.equal(done.stderr, "", name);
    if (name !== "a place for SARIF that is a folder") assert.equal(done.summary, "", name);
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

const MODULE = {
  "infra/main.tf": `resource "aws_ecs_task_definition" "web" {
  family                   = "web"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  container_definitions    = jsonencode([{ name = "web", image = "\${var.repository}:\${var.tag}" }])
}
`,
  "infra/variables.tf": 'variable "repository" { default = "nginx" }\nvariable "tag" {}\n',
  "prod.tfvars": 'repository = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web"\n',
};

test("a module is read with its neighbours, variables and files of them", () => {
  const image = (inputs, files = MODULE) => {
    const done = step(files, { "task-definition": "infra/main.tf", "fail-on": "never", ...inputs });
    assert.equal(done.code, 0, done.stdout);
    return JSON.parse(done.report).files.flatMap((file) => file.tasks.flatMap((task) => task.containers))[0].image;
  };
  const open = image({});
  assert.match(open, /^nginx:/);
  assert.equal(image({ vars: "tag=1.4" }), "nginx:1.4");
  assert.equal(image({ vars: "tag=1.4", "var-files": "prod.tfvars" }), "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4");
  const told = (inputs) => step({ ...MODULE, "t.json": CLEAN }, { "fail-on": "never", ...inputs }).stdout;
  assert.match(told({ "task-definition": "infra", vars: "tga=1" }), /no module has the variable `tga`/);
  assert.match(told({ "task-definition": "t.json", "var-files": "prod.tfvars" }), /no module is read that the variables of `prod.tfvars` are for/);
});

test("documents name files near them only, and no links", () => {
  const template = (path) => ({
    ...MODULE,
    "infra/main.tf": MODULE["infra/main.tf"].replace(/jsonencode\(.*\)/, `file("${path}")`),
  });
  const containers = JSON.stringify([{ name: "web", image: "nginx:1" }]);
  const verdict = (path, prepare) => {
    const done = step({ ...template(path), "near.json": containers }, { "task-definition": "infra/main.tf", "fail-on": "never" }, {}, prepare);
    return done.outputs["not-lazy"];
  };
  assert.equal(verdict("../near.json"), "1");
  const outside = (workspace) => writeFileSync(join(workspace, "../outside.json"), containers);
  assert.equal(verdict("../../outside.json", outside), "0");
  const link = (workspace) => symlinkSync(join(workspace, "near.json"), join(workspace, "infra/link.json"));
  assert.equal(verdict("link.json", link), "0");
});

test("what .gitignore lists is passed over, as on the command line", () => {
  const files = {
    ".gitignore": "cdk.out/\n*.local.json\n",
    "cdk.out/taskdef.json": ELSEWHERE,
    "taskdef.local.json": ELSEWHERE,
    ".terraform/taskdef.json": ELSEWHERE,
    "taskdef.json": CLEAN,
  };
  const paths = (words) => JSON.parse(step(files, { "task-definition": words, "fail-on": "never" }).report).files.map((file) => file.path);
  assert.deepEqual(paths("."), ["taskdef.json"]);
  assert.deepEqual(paths("**/*.json"), ["taskdef.json"]);
  assert.deepEqual(paths("cdk.out\ntaskdef.local.json"), ["cdk.out/taskdef.json", "taskdef.local.json"]);
});

test("where and for whom the tasks run can be told", () => {
  const both = CLEAN.replace('"FARGATE"', '"EC2",\n    "FARGATE"');
  const headline = (document, inputs) => {
    const done = step({ "t.json": document }, { "task-definition": "t.json", "fail-on": "never", ...inputs });
    return JSON.parse(done.report).files[0].tasks[0].containers[0].headline;
  };
  assert.match(headline(both, {}), /if it runs on Fargate/);
  assert.match(headline(both, { "launch-type": "EC2" }), /launch type EC2/);
  assert.match(headline(CLEAN, { "platform-version": "1.3.0" }), /1\.3\.0 was retired/);
  assert.match(headline(both, { for: "containerd" }), /^eligible, if the image has a SOCI v2 index$/);
  const elsewhere = step({ "t.json": CLEAN }, { "task-definition": "t.json", region: "us-east-1", "fail-on": "never" });
  assert.match(elsewhere.stdout, /the task seems to run in us-east-1/);
});

test("accepted containers fail nothing, and small helpers of AWS can be judged", () => {
  const files = { "t.json": ELSEWHERE };
  const done = step(files, { "task-definition": "t.json", "fail-on": "not-lazy", accept: "image=* -- a test\ncontainer=none -- nothing\n" });
  assert.equal(done.code, 0, done.stdout);
  assert.equal(done.outputs["not-lazy"], "0");
  assert.match(done.stdout, /container `none`/);
  const xray = CLEAN.replace(/"image": ".*"/, '"image": "public.ecr.aws/xray/aws-xray-daemon:3.x"');
  const sidecars = (word) => step({ "t.json": xray }, { "task-definition": "t.json", sidecars: word, "fail-on": "not-lazy" }).code;
  assert.deepEqual(["", "accept", "judge"].map(sidecars), [0, 0, 1]);
});

test("the report is written as SARIF where it is asked for, also by a step that fails", (t) => {
  let sarif;
  const environment = {};
  const done = step(
    { "deploy/task-definition.json": ELSEWHERE },
    { "task-definition": "deploy", "sarif-file": "out/soci.sarif" },
    environment,
    (workspace) => (sarif = join(workspace, "out/soci.sarif")),
  );
  assert.equal(done.code, 1);
  assert.equal(done.outputs["sarif-file"], "out/soci.sarif");
  assert.deepEqual(Object.keys(done.outputs), OUTPUTS);
  t.assert.snapshot(readFileSync(sarif, "utf8"));
});

/** One struct: what the linter can be told, each door can tell it. */
test("every option of the linter is an input of its name", () => {
  const { properties } = JSON.parse(readFileSync(join(ROOT, "docs/lint-options.schema.json"), "utf8"));
  assert.deepEqual(
    Object.keys(DEFAULTS).filter((name) => !["task-definition", "fail-on", "check-images", "sarif-file"].includes(name)).sort(),
    Object.keys(properties).sort(),
  );
});

test("every input has a default but the one that is required", () => {
  assert.deepEqual(
    Object.entries(DEFAULTS).filter(([, value]) => value !== ""),
    [
      ["fail-on", "error"],
      ["check-images", "off"],
    ],
  );
  assert.equal(Object.keys(DEFAULTS).length, 18);
});
