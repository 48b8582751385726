import type { Acceptance, Options } from "./types/options.js";
import type { Report } from "./types/report.js";
import type { RuleInfo } from "./types/rules.js";

export type { Acceptance, ImageFactsEntry, Options } from "./types/options.js";
export type * from "./types/report.js";
export type { RuleInfo } from "./types/rules.js";

/** A file to check. What it is (task definition, template, Terraform) is found from its content and its path. */
export interface Document {
  /** The path that the report names; its ending tells JSON, YAML and HCL apart. */
  path: string;
  /** A text, or the bytes of a file. */
  content: string | Uint8Array;
}

/** A form of the report. */
export type Form = "human" | "short" | "json" | "github" | "markdown" | "sarif";

/** What makes a run fail. */
export type FailOn = "error" | "warning" | "not-lazy" | "unknown" | "never";

/** One run and its report. */
export interface Checked {
  /** What was found; `docs/report.schema.json` of the repository describes it. */
  readonly report: Report;
  /** The report as a text. With `failOn`, forms for people end with what made the run fail. */
  render(form: Form, options?: { failOn?: FailOn }): string;
  /** Whether the run fails; without a word under `error`. */
  fails(failOn?: FailOn): boolean;
}

/** Checks documents. Throws an `Error` that says which option is wrong; trouble with a document is a finding. */
export function lint(documents: Document | readonly Document[], options?: Options): Checked;

/** An entry of the option `accept` out of its line: `container=NAME image=IMAGE -- reason`. */
export function acceptance(line: string): Acceptance;

/** Every rule. */
export function rules(): RuleInfo[];

/** The version of the linter. */
export function version(): string;
