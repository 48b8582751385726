// The documents of the examples menu; they are files of their own, so that tests lint them too.

import imageElsewhere from "../examples/image-elsewhere.json";
import cloudformation from "../examples/cloudformation.yaml";
import cdk from "../examples/cdk.template.json";
import described from "../examples/described.json";
import windows from "../examples/windows.json";

/** An example. */
export interface Example {
  title: string;
  name: string;
  text: string;
}

/** The examples in the order of the menu. */
export const EXAMPLES: readonly Example[] = [
  { title: "Task definition, one image on Docker Hub", name: "task-definition.json", text: imageElsewhere },
  { title: "CloudFormation with a service", name: "template.yaml", text: cloudformation },
  { title: "CDK, synthesised", name: "stack.template.json", text: cdk },
  { title: "Output of describe-task-definition", name: "described.json", text: described },
  { title: "Windows containers", name: "task-definition.json", text: windows },
];
