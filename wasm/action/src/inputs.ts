// The inputs of action.yml, read from the environment as the runner sets it. What a value means for the
// verdicts is decided by the linter; here only the form is checked.

/** What is wrong with the inputs, in words for the user. */
export class InputError extends Error {}

/** When the step fails. */
export type FailOn = "error" | "warning" | "not-lazy" | "unknown" | "never";

/** The inputs of one run. */
export interface Inputs {
  /** Paths, folders and globs. */
  taskDefinitions: string[];
  kind: string | undefined;
  params: Record<string, string>;
  select: string[];
  ignore: string[];
  severity: Record<string, string>;
  failOn: FailOn;
  /** Files with facts about images: `path`, or `image=path`. */
  imageFacts: string[];
  accept: Acceptance[];
}

/** Containers that need not be loaded lazily. */
export interface Acceptance {
  container?: string;
  image?: string;
  reason: string;
}

const KNOWN = ["task-definition", "kind", "params", "select", "ignore", "severity", "fail-on", "image-facts", "accept"];
const FAIL_ON: readonly FailOn[] = ["error", "warning", "not-lazy", "unknown", "never"];

/** Reads all inputs; throws an `InputError` that names every unknown one, or the first wrong one. */
export function readInputs(environment: NodeJS.ProcessEnv): Inputs {
  refuseUnknown(environment);
  const value = (name: string): string => (environment[variable(name)] ?? "").trim();

  const taskDefinitions = lines(value("task-definition"));
  if (taskDefinitions.length === 0) {
    throw new InputError("input task-definition is empty: name a file, a folder or a glob, one a line");
  }
  const failOn = value("fail-on") || "error";
  if (!isFailOn(failOn)) {
    throw new InputError(`input fail-on is ${quoted(failOn)}: use one of ${FAIL_ON.join(", ")}`);
  }
  const select = codes(value("select"));
  const ignore = codes(value("ignore"));
  const both = select.filter((code) => ignore.includes(code));
  if (both.length > 0) {
    throw new InputError(`inputs select and ignore both name ${both.join(", ")}: leave it in one of them`);
  }
  return {
    taskDefinitions,
    kind: value("kind") || undefined,
    params: pairs("params", value("params"), "Name=value"),
    select,
    ignore,
    severity: pairs("severity", value("severity"), "CODE=error"),
    failOn,
    imageFacts: lines(value("image-facts")),
    accept: lines(value("accept")).map(acceptance),
  };
}

/** The runner passes on whatever stands under `with:`, so a misspelled input would go unnoticed. */
function refuseUnknown(environment: NodeJS.ProcessEnv): void {
  const known = new Set(KNOWN.map(variable));
  const unknown = Object.keys(environment)
    .filter((name) => name.startsWith("INPUT_") && !known.has(name))
    .map((name) => name.slice("INPUT_".length).toLowerCase())
    .sort();
  if (unknown.length === 0) return;
  const names = unknown.map(quoted).join(", ");
  throw new InputError(`unknown ${unknown.length === 1 ? "input" : "inputs"} ${names}; there are: ${KNOWN.join(", ")}`);
}

function variable(name: string): string {
  return `INPUT_${name.toUpperCase()}`;
}

function isFailOn(word: string): word is FailOn {
  return (FAIL_ON as readonly string[]).includes(word);
}

function lines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function codes(text: string): string[] {
  return text.split(/[\s,]+/).filter((code) => code !== "");
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

/** `container=xray* image=public.ecr.aws/xray/* -- reason`. */
function acceptance(line: string): Acceptance {
  const at = line.indexOf("--");
  const reason = at < 0 ? "" : line.slice(at + 2).trim();
  const words = (at < 0 ? line : line.slice(0, at)).split(/\s+/).filter((word) => word !== "");
  const found: Acceptance = { reason };
  for (const word of words) {
    const [key, ...value] = word.split("=");
    if ((key !== "container" && key !== "image") || value.length === 0 || found[key] !== undefined) {
      throw new InputError(`input accept has the line ${quoted(line)}: write container=NAME, image=IMAGE or both, and -- why`);
    }
    found[key] = value.join("=");
  }
  if (words.length === 0 || reason === "") {
    throw new InputError(`input accept has the line ${quoted(line)}: write container=NAME, image=IMAGE or both, and -- why`);
  }
  return found;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
