// The step: inputs, call, annotations, summary, outputs, exit. What is found and how it reads is decided
// by the linter in the module beside this file.

import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import { isMainThread, Worker, workerData } from "node:worker_threads";

import { acceptance, Documents, initSync, version } from "../../glue/soci_wasm.js";
import type { Report } from "../../types/report.ts";
import { Folders } from "./files.ts";
import { InputError } from "./given.ts";
import { type Inputs, readInputs } from "./inputs.ts";
import { type Entry, type LookTask, lookUp, readWanted, work } from "./look.ts";
import { addSummary, printGroup, reportError, reportWarning, setOutput } from "./protocol.ts";

async function main(): Promise<void> {
  try {
    const inputs = readInputs(process.env);
    initSync({ module: readFileSync(join(__dirname, "soci_wasm.wasm")) });
    await run(inputs);
  } catch (error) {
    reportError(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

async function run(inputs: Inputs): Promise<void> {
  const documents = new Documents();
  const words = inputs.taskDefinitions.map((word) => (sep === "\\" ? word.replaceAll("\\", "/") : word));
  const folders = new Folders();
  about("var-files", () => inputs.varFiles.forEach((path) => folders.name(path)));
  about("task-definition", () => documents.find(words.join("\n"), folders));
  documents.failOn(inputs.failOn);
  const given = options(inputs);
  const looked = await lookedUp(inputs, documents, given);
  let json = documents.lint(JSON.stringify({ ...given, "image-facts": [...given["image-facts"], ...looked] }));
  const report = JSON.parse(json) as Report;
  if (looked.length > 0) json = `${JSON.stringify({ ...report, images: looked }, null, 2)}\n`;
  const { summary } = report;

  const human = documents.render("human");
  printGroup(`soci-lint ${version()}: ${lastLine(human)}`, human);
  process.stdout.write(documents.render("github"));
  addSummary(documents.render("markdown"));
  if (inputs.sarifFile !== undefined) writeSarif(inputs.sarifFile, documents.render("sarif"));

  const reportPath = join(mkdtempSync(join(process.env["RUNNER_TEMP"] || tmpdir(), "soci-")), "report.json");
  writeFileSync(reportPath, json);
  setOutput("verdict", summary.verdict);
  setOutput("lazy", String(summary.lazy));
  setOutput("not-lazy", String(summary.not_lazy));
  setOutput("unknown", String(summary.unknown));
  setOutput("errors", String(summary.errors));
  setOutput("warnings", String(summary.warnings));
  setOutput("report", reportPath);
  if (inputs.sarifFile !== undefined) setOutput("sarif-file", inputs.sarifFile);
  if (documents.fails(inputs.failOn)) process.exitCode = 1;
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}

/** Facts about the images that are to be looked up. What registries do not say is a warning, and stays unknown. */
async function lookedUp(inputs: Inputs, documents: Documents, given: object): Promise<Entry[]> {
  if (inputs.checkImages === "off") return [];
  const wanted = readWanted(documents.wanted(JSON.stringify(given), inputs.checkImages === "on"));
  const start = (task: LookTask): Worker => new Worker(__filename, { workerData: task, transferList: [task.port] });
  const { entries, warnings } = await lookUp(wanted, join(__dirname, "soci_look.wasm"), start);
  warnings.forEach(reportWarning);
  return entries;
}

/** The options of the linter. */
function options(inputs: Inputs): Record<string, unknown> & { "image-facts": unknown[] } {
  return {
    ...inputs.options,
    accept: inputs.accept.map((line) => JSON.parse(acceptance(line)) as unknown),
    "image-facts": inputs.imageFacts.flatMap(readFacts),
  };
}

/** Says which input an objection is about. */
function about(input: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw new InputError(`${input}: ${(error as Error).message}`);
  }
}

/** Writes the report for code scanning, whatever else it finds: an upload of it comes after a failed step too. */
function writeSarif(path: string, text: string): void {
  about("sarif-file", () => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  });
}

/** `image=path` names the output of `cargo soci inspect`, `path` a file with one entry or a list of them. */
function readFacts(line: string): unknown[] {
  const at = line.indexOf("=");
  const path = line.slice(at + 1).trim();
  const image = line.slice(0, Math.max(at, 0)).trim();
  const content = readJson(path);
  if (image !== "") return [{ image, facts: content }];
  return Array.isArray(content) ? content : [content];
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`image-facts: cannot read ${JSON.stringify(path)}: ${(error as Error).message}`);
  }
}

if (isMainThread) void main();
else work(workerData as LookTask);
