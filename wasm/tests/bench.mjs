// Figures of the doors, printed by `cargo xtask bench lint`: an edit in the page, a step in a workflow.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Documents, initSync } from "../glue/soci_wasm.js";
import { ROOT } from "./root.mjs";

const dist = join(ROOT, "wasm/action/dist");
initSync({ module: readFileSync(join(dist, "soci_wasm.wasm")) });

/** A task definition of about 50 KB. */
function document(tag) {
  const containers = Array.from({ length: 150 }, (_, index) => ({
    name: `part-${index}`,
    image: index % 3 === 0 ? `nginx:${tag}` : `123456789012.dkr.ecr.eu-west-1.amazonaws.com/part/${index}:${tag}`,
    essential: true,
    environment: [{ name: "STAGE", value: "production" }],
    portMappings: [{ containerPort: 8000 + index }],
  }));
  const task = { family: "large", requiresCompatibilities: ["FARGATE"], networkMode: "awsvpc", cpu: "1024", memory: "2048", containerDefinitions: containers };
  return new TextEncoder().encode(JSON.stringify(task, null, 2));
}

function show(name, samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)].toFixed(2);
  console.log(`${name}: median ${at(0.5)} ms [${at(0)}–${at(1)}], ${samples.length} rounds`);
}

const edits = [];
for (let round = 0; round < 220; round++) {
  const bytes = document(`1.${round}`);
  const before = performance.now();
  const documents = new Documents();
  documents.add("task-definition.json", bytes, false);
  JSON.parse(documents.lint("{}"));
  documents.free();
  // The first rounds run before the module is compiled in full.
  if (round >= 20) edits.push(performance.now() - before);
}
show(`an edit of a ${Math.round(document("1.1").length / 1000)} KB document, checked and read`, edits);

const folder = mkdtempSync(join(tmpdir(), "soci-bench-"));
writeFileSync(join(folder, "task-definition.json"), readFileSync(join(ROOT, "wasm/page/examples/image-elsewhere.json")));
for (const name of ["output", "summary"]) writeFileSync(join(folder, name), "");
const run = (args, env) => {
  const before = performance.now();
  const done = spawnSync(process.execPath, args, { cwd: folder, env });
  if (done.status !== 0) throw new Error(`${args}: ${done.stdout}${done.stderr}`);
  return performance.now() - before;
};
const env = {
  PATH: process.env.PATH,
  "INPUT_TASK-DEFINITION": "task-definition.json",
  "INPUT_FAIL-ON": "never",
  GITHUB_OUTPUT: join(folder, "output"),
  GITHUB_STEP_SUMMARY: join(folder, "summary"),
  RUNNER_TEMP: folder,
};
const steps = [];
const empty = [];
for (let round = 0; round < 20; round++) {
  steps.push(run([join(dist, "index.cjs")], env));
  empty.push(run(["--eval", ""], { PATH: process.env.PATH }));
}
show(`the Action, start to end in Node ${process.versions.node}`, steps);
show("Node alone, an empty script", empty);
rmSync(folder, { recursive: true });
