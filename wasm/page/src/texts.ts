// The documents of the examples menu; they are files of their own, so that tests lint them too.

import imageElsewhere from "../examples/image-elsewhere.json";
import cloudformation from "../examples/cloudformation.yaml";
import cdk from "../examples/cdk.template.json";
import described from "../examples/described.json";
import windows from "../examples/windows.json";

/** In the order of the menu. */
export const TEXTS: readonly string[] = [imageElsewhere, cloudformation, cdk, described, windows];
