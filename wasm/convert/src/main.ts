// The step: inputs, the module in a worker, log, annotations, summary, outputs. The main thread only sends and answers
// (`exchange.ts`), so that the worker may wait (`host.ts`).

import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMainThread, MessageChannel, type MessagePort, parentPort, Worker, workerData } from "node:worker_threads";

import { convert, initSync, jobs } from "../../glue/soci_image.js";
import { addSummary, mask, printGroup, reportError, reportWarning } from "../../action/src/protocol.ts";
import { answer, Interruption } from "./exchange.ts";
import { install } from "./host.ts";
import { type Inputs, readInputs } from "./inputs.ts";
import { setOutputs } from "./outputs.ts";
import type { Done } from "./report.ts";
import { bytes, log, markdown, warnings } from "./summary.ts";

/** What the worker is started with. */
interface Task {
  inputs: Inputs;
  port: MessagePort;
  state: Int32Array;
}

/** What the worker says. */
type Said = { event: string } | { done: string } | { failed: string };

/** After a cancellation the worker gets this long to end by itself. */
const GRACE = 5000;

/** The exit code of an interrupted program. */
const INTERRUPTED = 130;

async function main(): Promise<void> {
  const inputs = readInputs(process.env);
  const { login } = inputs.job;
  if (login) mask(login.password);
  const { port1, port2 } = new MessageChannel();
  const state = new Int32Array(new SharedArrayBuffer(8));
  const ending = new AbortController();
  answer(port1, state, ending.signal);
  const worker = new Worker(__filename, { workerData: { inputs, port: port2, state } satisfies Task, transferList: [port2] });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      Atomics.store(state, 1, 1);
      Atomics.notify(state, 1);
      ending.abort(new Interruption("interrupted"));
      setTimeout(() => process.exit(INTERRUPTED), GRACE).unref();
    });
  }
  const all: Done[] = [];
  const group = new Group("SOCI: layers");
  const failed = await new Promise<string | undefined>((resolve) => {
    let problem: string | undefined;
    worker.on("message", (said: Said) => {
      if ("event" in said) group.line(line(JSON.parse(said.event) as Happened));
      else if ("done" in said) all.push(JSON.parse(said.done) as Done);
      else problem = said.failed;
    });
    worker.on("error", (error) => resolve(`the module ended: ${error.message}`));
    worker.on("exit", () => resolve(problem));
  });
  group.end();
  port1.close();
  for (const done of all) {
    printGroup(`${done.names[0]}: ${bytes(done.lazyBytes)} of ${bytes(done.imageBytes)} are lazy`, log(done));
    warnings(done).forEach(reportWarning);
    addSummary(markdown(done));
  }
  const report = join(mkdtempSync(join(process.env["RUNNER_TEMP"] || tmpdir(), "soci-")), "report.json");
  writeFileSync(report, `${JSON.stringify({ images: all }, null, 2)}\n`);
  setOutputs(all, report);
  if (failed === undefined) return;
  const interrupted = Atomics.load(state, 1) !== 0;
  reportError(interrupted ? `${failed}; a tag is moved only when everything behind it is there, so run it again` : failed);
  process.exitCode = interrupted ? INTERRUPTED : 1;
}

/** The worker's side. */
function work({ inputs, port, state }: Task): void {
  const say = (said: Said): void => parentPort?.postMessage(said);
  try {
    install(port, state, (event) => say({ event }));
    initSync({ module: readFileSync(join(__dirname, "soci_image.wasm")) });
    for (const image of imagesOf(inputs)) say({ done: convert(JSON.stringify({ digest: null, ...inputs.job, ...image })) });
  } catch (error) {
    say({ failed: error instanceof Error ? error.message : String(error) });
  }
  port.close();
}

/** The images, each with all its names. */
function imagesOf(inputs: Inputs): { names: string[]; digest?: string }[] {
  if (inputs.metadata === undefined) return inputs.images.map((name) => ({ names: [name] }));
  try {
    const built = JSON.parse(jobs(inputs.metadata, inputs.target)) as { names: string[]; digest: string; target: string | null }[];
    for (const { names, target } of built) {
      if (names.length > 0) continue;
      const where = target === null ? "" : ` of the target ${target}`;
      throw new Error(`it has no name of the image${where}: builders of several nodes leave it out; give it as the input image, with @ and the digest`);
    }
    return built.map(({ names, digest }) => ({ names, digest }));
  } catch (error) {
    throw new Error(`input metadata: ${(error as Error).message}`);
  }
}

/** What happened to a layer, or a note. */
type Happened =
  | { event: "started"; layer: string; size: number }
  | { event: "finished"; layer: string; indexed: boolean }
  | { event: "note"; text: string };

function line(happened: Happened): string {
  switch (happened.event) {
    case "started":
      return `${happened.layer}: reading ${bytes(happened.size)}`;
    case "finished":
      return `${happened.layer}: ${happened.indexed ? "indexed" : "read"}`;
    case "note":
      return happened.text;
  }
}

/** Lines that come one by one into a group to unfold; none of them can act as a command. */
class Group {
  #token: string | undefined;

  constructor(private readonly title: string) {}

  line(text: string): void {
    if (this.#token === undefined) {
      this.#token = randomUUID();
      process.stdout.write(`::group::${this.title}\n::stop-commands::${this.#token}\n`);
    }
    process.stdout.write(`${text}\n`);
  }

  end(): void {
    if (this.#token !== undefined) process.stdout.write(`::${this.#token}::\n::endgroup::\n`);
  }
}

if (isMainThread) {
  main().catch((error: unknown) => {
    reportError(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  });
} else {
  work(workerData as Task);
}
