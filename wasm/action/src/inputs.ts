// The inputs of action.yml, read from the environment as the runner sets it. What a value means for the
// verdicts is decided by the linter; here only the form is checked. Each option of the linter is an input of its
// own name.

import type { Options } from "../../types/options.ts";
import { choice, InputError, lines, quoted, refuseUnknown, variable, words } from "./given.ts";

/** When the step fails. */
export type FailOn = "error" | "warning" | "not-lazy" | "unknown" | "never";

/** Which images are looked up in their registries. */
export type CheckImages = "off" | "auto" | "on";

/** The inputs of one run. */
export interface Inputs {
  /** Paths, folders and globs. */
  taskDefinitions: string[];
  failOn: FailOn;
  /** Where to write the report as SARIF. */
  sarifFile: string | undefined;
  /** Files with values of Terraform variables. */
  varFiles: string[];
  /** Files with facts about images: `path`, or `image=path`. */
  imageFacts: string[];
  checkImages: CheckImages;
  /** Lines about containers that need not be loaded lazily. */
  accept: string[];
  /** The options that are texts, lists and tables; what was not given stays away, so that the linter's defaults hold. */
  options: Record<string, unknown>;
}

/** How the text of an input becomes an option. */
type Form = (input: string, text: string) => unknown;

/** All options of the linter, so that a new one without an input does not compile. */
const OPTIONS: Record<keyof Options, Form> = {
  for: word,
  kind: word,
  params: (input, text) => pairs(input, text, "Name=value"),
  vars: (input, text) => pairs(input, text, "name=value"),
  "var-files": (_, text) => lines(text),
  select: codes,
  ignore: codes,
  severity: (input, text) => pairs(input, text, "CODE=error"),
  "platform-version": word,
  "launch-type": word,
  region: word,
  "image-facts": (_, text) => lines(text),
  accept: (_, text) => lines(text),
  sidecars: word,
};

const KNOWN = ["task-definition", ...Object.keys(OPTIONS), "check-images", "fail-on", "sarif-file"];
const FAIL_ON: readonly [FailOn, ...FailOn[]] = ["error", "warning", "not-lazy", "unknown", "never"];
const CHECK_IMAGES: readonly [CheckImages, ...CheckImages[]] = ["off", "auto", "on"];

/** Reads all inputs; throws an `InputError` that names every unknown one, or the first wrong one. */
export function readInputs(environment: NodeJS.ProcessEnv): Inputs {
  refuseUnknown(environment, KNOWN);
  const value = (name: string): string => (environment[variable(name)] ?? "").trim();

  const taskDefinitions = lines(value("task-definition"));
  if (taskDefinitions.length === 0) {
    throw new InputError("input task-definition is empty: name a file, a folder or a glob, one a line");
  }
  const failOn = choice("fail-on", value("fail-on"), FAIL_ON);
  const checkImages = choice("check-images", value("check-images"), CHECK_IMAGES);
  const select = codes("select", value("select"));
  const both = select.filter((code) => codes("ignore", value("ignore")).includes(code));
  if (both.length > 0) {
    throw new InputError(`inputs select and ignore both name ${both.join(", ")}: leave it in one of them`);
  }
  const given = Object.entries(OPTIONS)
    .filter(([name]) => name !== "image-facts" && name !== "accept" && value(name) !== "")
    .map(([name, form]) => [name, form(name, value(name))]);
  return {
    taskDefinitions,
    failOn,
    checkImages,
    sarifFile: value("sarif-file") || undefined,
    varFiles: lines(value("var-files")),
    imageFacts: lines(value("image-facts")),
    accept: lines(value("accept")),
    options: Object.fromEntries(given),
  };
}

function word(_: string, text: string): string {
  return text;
}

function codes(_: string, text: string): string[] {
  return words(text);
}

/** `Name=value` lines; a name given twice with different values is a contradiction. */
function pairs(input: string, text: string, example: string): Record<string, string> {
  const found = new Map<string, string>();
  for (const line of lines(text)) {
    const at = line.indexOf("=");
    const name = line.slice(0, Math.max(at, 0)).trim();
    const value = line.slice(at + 1).trim();
    if (name === "") {
      throw new InputError(`input ${input} has the line ${quoted(line)}: write ${example}, one a line`);
    }
    const before = found.get(name);
    if (before !== undefined && before !== value) {
      throw new InputError(`input ${input} gives ${name} twice, as ${quoted(before)} and as ${quoted(value)}`);
    }
    found.set(name, value);
  }
  return Object.fromEntries(found);
}
