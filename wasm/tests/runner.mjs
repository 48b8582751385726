// Runs the Action as GitHub's runner does: only what is committed, Node 24, inputs and files through the
// environment. https://github.com/actions/runner/blob/main/src/Runner.Worker/Handlers/NodeScriptActionHandler.cs

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";

import { ROOT } from "./root.mjs";

const scratch = mkdtempSync(join(tmpdir(), "soci-action-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** The Action's folder with tracked files alone: what a runner gets by checking the repository out. */
const action = join(scratch, "action");
for (const path of execFileSync("git", ["ls-files", "-z", "action.yml", "wasm/action/dist"], { cwd: ROOT, encoding: "utf8" })
  .split("\0")
  .filter(Boolean)) {
  cpSync(join(ROOT, path), join(action, path));
}

const definition = readFileSync(join(action, "action.yml"), "utf8");
const main = /^ {2}main: (.+)$/m.exec(definition)[1];

/** The inputs that action.yml declares, with their defaults. */
export const DEFAULTS = Object.fromEntries(
  [...definition.matchAll(/^ {2}([a-z-]+):\n {4}description: .*\n {4}required: .*\n(?: {4}default: (.*)\n)?/gm)].map(
    ([, name, value]) => [name, (value ?? "").replace(/^"(.*)"$/, "$1")],
  ),
);

/** The outputs that action.yml declares. */
export const OUTPUTS = [...definition.split("\noutputs:\n")[1].split("\nruns:")[0].matchAll(/^ {2}([a-z-]+):$/gm)].map(
  ([, name]) => name,
);

/**
 * One step. `files` are written into a fresh workspace; `inputs` stand under `with:`.
 * Gives the exit code, stdout with random words replaced, the outputs, the summary and the report.
 */
export function step(files, inputs, environment = {}, prepare = () => {}) {
  const folder = mkdtempSync(join(scratch, "step-"));
  const workspace = join(folder, "workspace");
  mkdirSync(workspace);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(workspace, path)), { recursive: true });
    writeFileSync(join(workspace, path), content);
  }
  prepare(workspace);
  const named = (name) => {
    const path = join(folder, name);
    writeFileSync(path, "");
    return path;
  };
  const outputFile = named("output");
  const summaryFile = named("summary");
  const given = Object.entries({ ...DEFAULTS, ...inputs }).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  const before = performance.now();
  const done = spawnSync(process.execPath, [join(action, main)], {
    cwd: workspace,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: {
      PATH: process.env.PATH,
      CI: "true",
      GITHUB_ACTIONS: "true",
      GITHUB_WORKSPACE: workspace,
      GITHUB_OUTPUT: outputFile,
      GITHUB_STEP_SUMMARY: summaryFile,
      RUNNER_TEMP: folder,
      ...Object.fromEntries(given),
      ...environment,
    },
  });
  const milliseconds = performance.now() - before;
  if (done.error) throw done.error;
  const outputs = readOutputs(readFileSync(outputFile, "utf8"));
  const report = outputs.report === undefined ? undefined : readFileSync(outputs.report, "utf8");
  if (outputs.report !== undefined) outputs.report = "REPORT";
  return {
    code: done.status,
    stdout: done.stdout.replace(/(::stop-commands::|::)[0-9a-f]{8}-[0-9a-f-]{27}/g, "$1TOKEN"),
    stderr: done.stderr,
    outputs,
    summary: readFileSync(summaryFile, "utf8"),
    report,
    milliseconds,
  };
}

/** What a user sees of a step, for a snapshot. */
export function seen({ code, stdout, stderr, outputs, summary }) {
  const parts = [`exit code ${code}`, `--- stdout\n${stdout}`, `--- stderr\n${stderr}`];
  parts.push(`--- outputs\n${Object.entries(outputs).map(([name, value]) => `${name}=${value}`).join("\n")}`);
  parts.push(`--- summary\n${summary}`);
  return parts.join("\n");
}

function readOutputs(text) {
  const outputs = {};
  for (const [, name, , value] of text.matchAll(/^([^<\n]+)<<(.+)\n([\s\S]*?)\n\2$/gm)) outputs[name] = value;
  return outputs;
}
