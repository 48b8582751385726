// Images that the documents name, looked up in their registries: each once, several at once, within a time. Each worker
// has the module for images; this thread sends what they ask for (`exchange.ts`), so that they may wait (`host.ts`).

import { readFileSync } from "node:fs";
import { MessageChannel, type MessagePort, parentPort, Worker } from "node:worker_threads";

import { initSync, Looker } from "../../glue/soci_look.js";
import { answer, Interruption } from "../../convert/src/exchange.ts";
import { install } from "../../convert/src/host.ts";

/** How many images are asked about at once. */
const AT_ONCE = 8;

/** How long registries are asked, all together. */
const PATIENCE = 120_000;

/** After that a worker gets this long to end by itself. */
const GRACE = 5000;

/** An image to look up: as a document names it, its registry, its whole name. */
export interface Wanted {
  image: string;
  registry: string;
  name: string;
}

/** Facts about an image, as the linter takes them. */
export interface Entry {
  image: string;
  facts: unknown;
}

/** What registries said, and what they did not. */
export interface LookedUp {
  entries: Entry[];
  warnings: string[];
}

/** What a worker is started with. */
export interface LookTask {
  /** Where the module lies. */
  path: string;
  port: MessagePort;
  state: Int32Array;
}

/** What it says about an image: as `Looked` in `wasm/src/image/look.rs`, or why it did not look. */
type Looked = { known: unknown } | { odd: string } | { unasked: string } | { failed: string };

/** Reads what the linter wants to know, a line for each image. */
export function readWanted(text: string): Wanted[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [image = "", registry = "", name = ""] = line.split("\t");
    return { image, registry, name };
  });
}

/** Looks the images up with the module at `path`; `start` starts a worker that calls `work`. */
export async function lookUp(wanted: Wanted[], path: string, start: (task: LookTask) => Worker): Promise<LookedUp> {
  if (wanted.length === 0) return { entries: [], warnings: [] };
  const names = new Map(wanted.map(({ name, registry }) => [name, registry]));
  const queue = [...names];
  const answers = new Map<string, Looked>();
  const troubles = new Map<string, string>();
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(new Interruption("interrupted")), PATIENCE);
  const trouble = (registry: string, problem: string): void => {
    if (!troubles.has(registry)) troubles.set(registry, problem);
  };
  const lane = async (): Promise<void> => {
    const worker = new Lane(path, start, ending.signal);
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [name, registry] = next;
      if (troubles.has(registry)) continue;
      const looked = ending.signal.aborted ? { failed: "" } : await worker.look(name);
      if ("failed" in looked) {
        trouble(registry, ending.signal.aborted ? `not all images were asked about within ${PATIENCE / 1000} s` : looked.failed);
      } else if ("unasked" in looked) trouble(registry, looked.unasked);
      else answers.set(name, looked);
    }
    await worker.end();
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, queue.length) }, lane));
  clearTimeout(timer);
  const warnings = [...troubles].sort().map(([registry, problem]) => `${registry} was not asked about images: ${problem}`);
  const entries: Entry[] = [];
  for (const { image, name } of wanted) {
    const looked = answers.get(name);
    if (looked === undefined) continue;
    if ("known" in looked) entries.push({ image, facts: looked.known });
    else if ("odd" in looked) warnings.push(looked.odd);
  }
  return { entries, warnings };
}

/** One worker, and what it waits for. */
class Lane {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #ended: Promise<Looked>;

  constructor(path: string, start: (task: LookTask) => Worker, ending: AbortSignal) {
    const { port1, port2 } = new MessageChannel();
    const state = new Int32Array(new SharedArrayBuffer(8));
    answer(port1, state, ending);
    this.#port = port1;
    this.#worker = start({ path, port: port2, state });
    this.#ended = new Promise((resolve) => {
      this.#worker.on("error", (error) => resolve({ failed: `the module ended: ${error.message}` }));
      this.#worker.on("exit", () => resolve({ failed: "the module ended" }));
      ending.addEventListener("abort", () => {
        Atomics.store(state, 1, 1);
        Atomics.notify(state, 1);
        setTimeout(() => resolve({ failed: "interrupted" }), GRACE).unref();
      });
    });
  }

  look(name: string): Promise<Looked> {
    const said = new Promise<Looked>((resolve) => this.#worker.once("message", resolve));
    this.#worker.postMessage(name);
    return Promise.race([said, this.#ended]);
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
    this.#port.close();
  }
}

/** The worker's side. */
export function work({ path, port, state }: LookTask): void {
  // What the client notes, such as a repetition, is for nobody here.
  install(port, state, () => {});
  initSync({ module: readFileSync(path) });
  const looker = new Looker();
  parentPort?.on("message", (name: string) => {
    let said: Looked;
    try {
      said = JSON.parse(looker.look(name)) as Looked;
    } catch (error) {
      said = { failed: error instanceof Error ? error.message : String(error) };
    }
    parentPort?.postMessage(said);
  });
}
