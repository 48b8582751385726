// Types of the report of the linter. Generated from the Rust structs by `cargo xtask gen`.

/** Everything one call of [`crate::lint`] found. */
export interface Report {
  /** The files in the order given. */
  files: FileReport[];
  /** The findings, by severity, file, place and code. */
  findings: Finding[];
  /** What runs the images, if that is not Fargate: the verdicts are about it. */
  for?: Consumer;
  /** What the caller looked up about images, where it did. */
  images?: ImageFactsEntry[];
  /** Counts over all files. */
  summary: Summary;
  /** [`REPORT_VERSION`]. */
  version: number;
}

/** What runs the images that are judged. */
export type Consumer = "fargate" | "sagemaker" | "containerd";

/** One container of a task definition. */
export interface ContainerReport {
  /** Why a verdict other than `lazy` is accepted, if it is. */
  accepted?: string | null;
  /** The condition under which it exists, as in `HasProxyImage`. */
  condition?: string | null;
  /** The file of the location; not always the task's (a template may hold the containers). */
  file?: string;
  /** The verdict in a sentence. */
  headline: string;
  /** The image: resolved as far as possible, with `${…}` for what is not known. */
  image?: string | null;
  /** The image, or the container where it has none. */
  location: Location;
  /** Its name; what stands in its place where that is an expression. */
  name: string;
  /** What to do about it. */
  next?: string | null;
  /** What decided, the strongest first. */
  reasons: Reason[];
  /** Whether it is loaded lazily. */
  verdict: Verdict;
}

/** Whether a task definition runs on Fargate. */
export type Fargate = "yes" | "no" | "undecided";

/** One file. */
export interface FileReport {
  /** What it is. */
  kind: Kind;
  /** The path as given. */
  path: string;
  /** How it is written. */
  syntax: Syntax;
  /** Its task definitions. */
  tasks: TaskReport[];
}

/** One thing to know or to mend. */
export interface Finding {
  /** The rule's code, as in `SOCI201`. */
  code: string;
  /** The container's name. */
  container?: string | null;
  /** The file; empty for a finding about the call itself. */
  file: string;
  /** A change that mends it, where one is safe. */
  fix?: Fix | null;
  /** What to do. */
  help?: string | null;
  /** Where; absent for a finding about the whole file. */
  location?: Location | null;
  /** What is wrong with the value in the file. */
  message: string;
  /** The rule's name, as in `image-not-in-ecr-private`. */
  name: string;
  /** Other places that take part. */
  related?: Related[];
  /** How much it matters. */
  severity: Severity;
  /** The task definition's id. */
  task?: string | null;
  /** The rule's page. */
  url: string;
}

/**
 * A change that mends a finding: one stretch of one file is replaced, and every deployment that worked before works
 * the same after.
 */
export interface Fix {
  /** What it does. */
  description: string;
  /** The file; not always that of the finding. */
  file: string;
  /** What is replaced. */
  location: Location;
  /** What is written in its place; empty takes it out. */
  replacement: string;
}

/** What is known about one image. */
export interface ImageFactsEntry {
  /** Its facts, as `cargo soci inspect --format json` prints them. */
  facts: unknown;
  /**
   * The image as task definitions name it; `*` stands for any text, so that `*\/web:*` is about the
   * repository `web` of any registry.
   */
  image: string;
}

/** What a document is. */
export type Kind = "task-definition" | "describe-output" | "container-definitions" | "service" | "cloudformation" | "terraform" | "terraform-plan" | "terraform-state" | "terragrunt" | "jsonnet" | "batch" | "copilot" | "compose" | "ecs-params" | "kubernetes" | "dockerrun" | "app-spec" | "image-definitions" | "tasks" | "markdown" | "template" | "unknown";

/** From `start` to `end`, end exclusive. */
export interface Location {
  /** One past the last place. */
  end: Position;
  /** First place. */
  start: Position;
}

/** One place in a file, in every unit a reader may need. */
export interface Position {
  /** Bytes from the start of the file, a byte order mark included. */
  byte: number;
  /** 1-based column in UTF-8 bytes; a byte order mark has no column. */
  column: number;
  /** 1-based column in UTF-16 code units (GitHub, SARIF, language servers add one); a byte order mark has no column. */
  column_utf16: number;
  /** 1-based line; `\r\n`, `\n` and a lone `\r` end one. */
  line: number;
  /** UTF-16 code units from the start of the file, a byte order mark included (CodeMirror, JavaScript strings). */
  utf16: number;
}

/** What decided a verdict. */
export interface Reason {
  /** The rule's code. */
  code: string;
  /** The file of the location; not always the container's (a service may stand elsewhere). */
  file: string;
  /** Where it is written. */
  location: Location;
  /** What is so, about the value in the file. */
  message: string;
  /** The rule's name. */
  name: string;
}

/** A place that takes part in a finding. */
export interface Related {
  /** The file. */
  file: string;
  /** Where. */
  location: Location;
  /** What it has to do with it. */
  message: string;
}

/** How much a finding matters. */
export type Severity = "error" | "warning" | "info" | "off";

/** Counts over all files. */
export interface Summary {
  /** Containers that are not lazy or unknown and accepted: they are in none of the three counts above. */
  accepted?: number;
  /** Containers in those. */
  containers: number;
  /** Findings of severity `error`. */
  errors: number;
  /** Files looked at. */
  files: number;
  /** Findings of severity `info`. */
  infos: number;
  /** Containers that are loaded lazily. */
  lazy: number;
  /** Containers that are not. */
  not_lazy: number;
  /** Findings silenced by comments in the files. */
  suppressed: number;
  /** Task definitions in them. */
  tasks: number;
  /** Containers that may be. */
  unknown: number;
  /**
   * One word for all containers that are not accepted (for the accepted ones if there are no others):
   * `not-lazy` if any is, else `unknown` if any is or there is none, else `lazy`.
   */
  verdict: Verdict;
  /** Findings of severity `warning`. */
  warnings: number;
}

/** How a file is written. */
export type Syntax = "json" | "yaml" | "hcl" | "other";

/** One task definition. */
export interface TaskReport {
  /** Its containers. */
  containers: ContainerReport[];
  /** Whether it runs on Fargate. */
  fargate: Fargate;
  /** Why, in a sentence. */
  fargate_reason: string;
  /** Family, logical id, or the file's name where there is neither. */
  id: string;
  /** Where it begins: its family or logical id. */
  location: Location;
  /** The platform it asks for, as in `linux/amd64`; `(by default)` is said where nothing was asked. */
  platform: string;
  /** The worst verdict of its containers; `unknown` without any. */
  verdict: Verdict;
}

/** Whether Fargate loads a container lazily. */
export type Verdict = "lazy" | "unknown" | "not-lazy";
