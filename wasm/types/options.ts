// Types of the options of the linter. Generated from the Rust structs by `cargo xtask gen`.

/** Options of [`crate::lint`]. Unknown keys are errors. */
export interface Options {
  /** Containers that need not be loaded lazily, each with a reason. */
  accept?: Acceptance[];
  /** What runs the images: `fargate`, `sagemaker`, or `containerd` with the SOCI snapshotter. */
  for?: Consumer;
  /** Rules whose findings are not listed; verdicts stay what they are. */
  ignore?: string[];
  /** What is known about images. */
  "image-facts"?: ImageFactsEntry[];
  /** What the files are, where the content should not decide. */
  kind?: Kind | null;
  /** The launch type the tasks run with, where a caller knows it. */
  "launch-type"?: LaunchType | null;
  /** Values of CloudFormation parameters, pseudo parameters (`AWS::Region`) and template words (`TAG` of `${TAG}`). */
  params?: Record<string, string>;
  /** The platform version the tasks run on, where a caller knows it. */
  "platform-version"?: string | null;
  /** The region the tasks run in, where a caller knows it. */
  region?: string | null;
  /** Rules to run, by code, name or the beginning of a code (`SOCI2`); empty runs all that are on by default. */
  select?: string[];
  /** Severities other than the rules' own. */
  severity?: Record<string, Severity>;
  /** What holds for the small helpers that AWS publishes, such as `aws-for-fluent-bit`. */
  sidecars?: Sidecars;
  /** Paths of files with values of Terraform variables, as `--var-file` gives them; later ones count for more. */
  "var-files"?: string[];
  /** Values of the root module's Terraform variables, as `--var` gives them. */
  vars?: Record<string, string>;
}

/**
 * Containers that need not be loaded lazily. `*` stands for any text; where both patterns are there, both
 * have to fit.
 */
export interface Acceptance {
  /** Names of containers, as in `xray*`. */
  container?: string | null;
  /** Images as task definitions name them, as in `public.ecr.aws/xray/*`. */
  image?: string | null;
  /** Why, for people. */
  reason?: string;
}

/** What runs the images that are judged. */
export type Consumer = "fargate" | "sagemaker" | "containerd";

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

/** Where tasks run. */
export type LaunchType = "FARGATE" | "FARGATE_SPOT" | "EC2" | "EXTERNAL" | "MANAGED_INSTANCES";

/** How much a finding matters. */
export type Severity = "error" | "warning" | "info" | "off";

/** Whether known small helpers of AWS are accepted without being named. */
export type Sidecars = "accept" | "judge";
