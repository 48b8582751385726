// Runs an Action as GitHub's runner does: only what is committed, Node 24, inputs and files through the
// environment. https://github.com/actions/runner/blob/main/src/Runner.Worker/Handlers/NodeScriptActionHandler.cs

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";

import { ROOT } from "./root.mjs";

const scratch = mkdtempSync(join(tmpdir(), "soci-action-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

/**
 * An Action, from a folder with tracked files alone: what a runner gets by checking the repository out. Gives its
 * inputs with their defaults, its outputs, and what runs it.
 */
export function action(definition, dist) {
  const folder = mkdtempSync(join(scratch, "action-"));
  for (const path of execFileSync("git", ["ls-files", "-z", definition, dist], { cwd: ROOT, encoding: "utf8" }).split("\0").filter(Boolean)) {
    cpSync(join(ROOT, path), join(folder, path));
  }
  const text = readFileSync(join(folder, definition), "utf8");
  const inputs = text.matchAll(/^ {2}([a-z-]+):\n {4}description: .*\n {4}required: .*\n(?: {4}default: (.*)\n)?/gm);
  const defaults = Object.fromEntries([...inputs].map(([, name, value]) => [name, (value ?? "").replace(/^"(.*)"$/, "$1")]));
  const outputs = [...text.split("\noutputs:\n")[1].split("\nruns:")[0].matchAll(/^ {2}([a-z-]+):$/gm)].map(([, name]) => name);
  const main = join(folder, dirname(definition), /^ {2}main: (.+)$/m.exec(text)[1]);
  return { defaults, outputs, main };
}

/** The Action that lints. */
export const lint = action("action.yml", "wasm/action/dist");

/** The inputs that action.yml declares, with their defaults. */
export const DEFAULTS = lint.defaults;

/** The outputs that action.yml declares. */
export const OUTPUTS = lint.outputs;

/**
 * One step. `files` are written into a fresh workspace; `inputs` stand under `with:`.
 * Gives the exit code, stdout with random words replaced, the outputs, the summary and the report.
 */
export function step(files, inputs, environment = {}, prepare = () => {}) {
  const started = begin(lint, files, inputs, environment, prepare);
  const before = performance.now();
  const done = spawnSync(...started.call);
  const milliseconds = performance.now() - before;
  if (done.error) throw done.error;
  return { ...started.read(done.status, done.stdout, done.stderr), milliseconds };
}

/** The same of any Action, while this process goes on. `during` gets the running step. */
export async function stepOf(which, inputs, environment = {}, during = () => {}, files = {}) {
  const started = begin(which, files, inputs, environment, () => {});
  const child = spawn(...started.call);
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (piece) => (text[name] += piece));
  const ended = new Promise((resolve, reject) => child.on("error", reject).on("close", (code, signal) => resolve(code ?? signal)));
  during(child);
  return started.read(await ended, text.stdout, text.stderr);
}

function begin({ defaults, main }, files, inputs, environment, prepare) {
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
  const given = Object.entries({ ...defaults, ...inputs }).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  const env = {
    PATH: process.env.PATH,
    CI: "true",
    GITHUB_ACTIONS: "true",
    GITHUB_WORKSPACE: workspace,
    GITHUB_OUTPUT: outputFile,
    GITHUB_STEP_SUMMARY: summaryFile,
    RUNNER_TEMP: folder,
    ...Object.fromEntries(given),
    ...environment,
  };
  const options = { cwd: workspace, encoding: "utf8", maxBuffer: 1 << 28, env };
  const read = (code, stdout, stderr) => {
    const outputs = readOutputs(readFileSync(outputFile, "utf8"));
    const report = outputs.report === undefined ? undefined : readFileSync(outputs.report, "utf8");
    if (outputs.report !== undefined) outputs.report = "REPORT";
    return {
      code,
      stdout: stdout.replace(/(::stop-commands::|::)[0-9a-f]{8}-[0-9a-f-]{27}/g, "$1TOKEN"),
      stderr,
      outputs,
      summary: readFileSync(summaryFile, "utf8"),
      report,
    };
  };
  return { call: [process.execPath, [main], options], read };
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
