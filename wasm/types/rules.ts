// Types of what is known about a rule. Generated from the Rust structs by `cargo xtask gen`.

/** A rule, for lists and documentation. */
export interface RuleInfo {
  /** `SOCI201`. */
  code: string;
  /** Its page as Markdown; absent in a build without the feature `documentation`. */
  documentation?: string;
  /** `image-not-in-ecr-private`. */
  name: string;
  /** Its own severity; `off` rules run when they are selected or given a severity. */
  severity: Severity;
  /** One sentence. */
  summary: string;
  /** Its page. */
  url: string;
  /** What its findings do to the verdict: `not-lazy`, `unknown`, or nothing. */
  verdict?: Verdict | null;
}

/** How much a finding matters. */
export type Severity = "error" | "warning" | "info" | "off";

/** Whether Fargate loads a container lazily. */
export type Verdict = "lazy" | "unknown" | "not-lazy";
