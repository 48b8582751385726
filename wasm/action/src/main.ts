// The step: inputs, call, annotations, summary, outputs, exit. What is found and how it reads is decided
// by the linter in the module beside this file.

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Documents, initSync, isCommonName, version } from "../../glue/soci_wasm.js";
import type { Report } from "../../types/report.ts";
import { findFiles } from "./files.ts";
import { type Inputs, readInputs } from "./inputs.ts";
import { addSummary, printGroup, reportError, setOutput } from "./protocol.ts";

function main(): void {
  try {
    const inputs = readInputs(process.env);
    initSync({ module: readFileSync(join(__dirname, "soci_wasm.wasm")) });
    run(inputs);
  } catch (error) {
    reportError(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

function run(inputs: Inputs): void {
  const documents = new Documents();
  for (const file of findFiles(inputs.taskDefinitions, isCommonName)) {
    documents.add(file.path, readFileSync(file.path), file.byName);
  }
  documents.failOn(inputs.failOn);
  const json = documents.lint(JSON.stringify(options(inputs)));
  const report = JSON.parse(json) as Report;
  const { summary } = report;

  const human = documents.render("human");
  printGroup(`soci-lint ${version()}: ${lastLine(human)}`, human);
  process.stdout.write(documents.render("github"));
  addSummary(documents.render("markdown"));

  const reportPath = join(mkdtempSync(join(process.env["RUNNER_TEMP"] || tmpdir(), "soci-")), "report.json");
  writeFileSync(reportPath, json);
  setOutput("verdict", summary.verdict);
  setOutput("lazy", String(summary.lazy));
  setOutput("not-lazy", String(summary.not_lazy));
  setOutput("unknown", String(summary.unknown));
  setOutput("errors", String(summary.errors));
  setOutput("warnings", String(summary.warnings));
  setOutput("report", reportPath);
  if (documents.fails(inputs.failOn)) process.exitCode = 1;
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}

/** The options of the linter; keys that were not given stay away, so that its defaults hold. */
function options(inputs: Inputs): Record<string, unknown> {
  return {
    ...(inputs.kind !== undefined && { kind: inputs.kind }),
    params: inputs.params,
    select: inputs.select,
    ignore: inputs.ignore,
    severity: inputs.severity,
    accept: inputs.accept,
    "image-facts": inputs.imageFacts.flatMap(readFacts),
  };
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

main();
