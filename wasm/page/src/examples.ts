// The examples menu. The documents come when one is chosen.

/** An example. */
export interface Example {
  title: string;
  name: string;
}

/** The examples in the order of the menu; `texts.ts` has their documents in the same order. */
export const EXAMPLES: readonly Example[] = [
  { title: "Task definition, one image on Docker Hub", name: "task-definition.json" },
  { title: "CloudFormation with a service", name: "template.yaml" },
  { title: "CDK, synthesised", name: "stack.template.json" },
  { title: "Output of describe-task-definition", name: "described.json" },
  { title: "Windows containers", name: "task-definition.json" },
];
