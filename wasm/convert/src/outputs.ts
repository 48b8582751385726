// The outputs of convert/action.yml. Of several images each has a line.

import { setOutput } from "../../action/src/protocol.ts";
import type { Done } from "./report.ts";

/** Sets all outputs. */
export function setOutputs(all: Done[], report: string): void {
  const each = (value: (done: Done) => string): string => all.map(value).join("\n");
  const sum = (value: (done: Done) => number): string => String(all.reduce((total, done) => total + value(done), 0));
  setOutput("report", report);
  if (all.length === 0) return;
  setOutput("digest", each(({ digest }) => digest));
  setOutput("descriptor", each(({ mediaType, digest, size }) => JSON.stringify({ mediaType, digest, size })));
  setOutput("names", each(({ names }) => names.join("\n")));
  setOutput("soci-index-digests", each(({ sociIndexes }) => JSON.stringify(sociIndexes)));
  setOutput("lazy-bytes", sum(({ lazyBytes }) => lazyBytes));
  setOutput("image-bytes", sum(({ imageBytes }) => imageBytes));
}
