// An image while it is on the page: the worker that knows it, and those that read its layers.

import type { FileNode, FilesSummary, Image } from "./facts.ts";
import { Hand, type Layer } from "./protocol.ts";

/** What was dropped: one file, or a folder's files with their paths in it. */
export interface Given {
  name: string;
  files: File[];
  paths?: string[];
}

/** A layer on its way. */
export interface Progress {
  layer: Layer;
  /** Bytes that were read. */
  done: number;
  state: "waiting" | "reading" | "read" | "failed";
}

let compiled: Promise<WebAssembly.Module> | undefined;

/** The module, loaded when the first image is opened. */
function moduleOfPage(): Promise<WebAssembly.Module> {
  compiled ??= WebAssembly.compileStreaming(fetch(new URL("soci_local.wasm", import.meta.url)));
  compiled.catch(() => (compiled = undefined));
  return compiled;
}

async function hand(progress: (bytes: number) => void): Promise<Hand> {
  const module = await moduleOfPage();
  const worker = new Hand(progress);
  await worker.call("start", [module]);
  return worker;
}

/** One image file or folder. */
export class Session {
  /** What is known of the images. */
  images: Image[] = [];
  /** Whether it is a layer without an image. */
  isLayer = false;
  /** Whether an engine wrote it: then a push compresses its layers. */
  isOfEngine = false;
  readonly #told: (layers: readonly Progress[]) => void;
  readonly #hands = new Set<Hand>();
  #main: Hand | undefined;
  #closed = false;

  /** `told` is called whenever layers got on; `hashed` while a layer by itself is read for its digest. */
  constructor(told: (layers: readonly Progress[]) => void) {
    this.#told = told;
  }

  /** Reads everything; throws what is wrong. */
  async open({ name, files, paths }: Given, hashed: (bytes: number) => void): Promise<void> {
    const main = await this.#hand(hashed);
    this.#main = main;
    const { isLayer, isOfEngine, layers } = await main.call("open", [name, files, paths]);
    this.isLayer = isLayer;
    this.isOfEngine = isOfEngine;
    await this.#read(main, layers, files);
    this.images = (await main.call("settle", [])) as Image[];
  }

  /** Takes facts that somebody else has found out. */
  async describe(facts: string): Promise<void> {
    this.#main = await this.#hand(() => {});
    this.images = (await this.#main.call("describe", [facts])) as Image[];
  }

  /** One worker for each layer, as many at once as there are cores; the largest layers first. */
  async #read(main: Hand, layers: readonly Layer[], files: readonly File[]): Promise<void> {
    const all: Progress[] = layers.map((layer) => ({ layer, done: 0, state: "waiting" }));
    const open = [...all].sort((a, b) => b.layer.size - a.layer.size);
    const work = async (): Promise<void> => {
      let current: Progress | undefined;
      const worker = await this.#hand((bytes) => {
        if (current) current.done = Math.min(current.done + bytes, current.layer.size);
        this.#told(all);
      });
      for (current = open.shift(); current && !this.#closed; current = open.shift()) {
        const { layer } = current;
        current.state = "reading";
        const file = files[layer.file];
        try {
          if (file === undefined) throw new Error("its file is gone");
          const result = await worker.call("read", [layer, file.slice(layer.offset, layer.offset + layer.length)]);
          await main.call("keep", [layer.digest, result], [result.table.buffer]);
          current.state = "read";
        } catch {
          // Whoever joins the layers reads it again and says what is wrong with it.
          current.state = "failed";
        }
        current.done = layer.size;
        this.#told(all);
      }
      worker.close();
      this.#hands.delete(worker);
    };
    this.#told(all);
    const workers = Math.max(1, Math.min(navigator.hardwareConcurrency || 1, layers.length));
    await Promise.all(Array.from({ length: workers }, work));
    if (this.#closed) throw new Error("it was ended");
  }

  /** The facts as the command line writes them. */
  facts(image: number, converted: boolean): Promise<string | undefined> {
    return this.#known().call("facts", [image, converted]);
  }

  ztoc(image: number, layer: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#known().call("ztoc", [image, layer]) as Promise<Uint8Array<ArrayBuffer> | undefined>;
  }

  files(image: number, platform: number): Promise<FilesSummary | undefined> {
    return this.#known().call("files", [image, platform]) as Promise<FilesSummary | undefined>;
  }

  list(node: number): Promise<FileNode[]> {
    return this.#known().call("list", [node]) as Promise<FileNode[]>;
  }

  search(text: string): Promise<{ count: number; first: FileNode[] }> {
    return this.#known().call("search", [text]) as Promise<{ count: number; first: FileNode[] }>;
  }

  /** Ends all that is under way. */
  close(): void {
    this.#closed = true;
    for (const worker of this.#hands) worker.close();
    this.#hands.clear();
  }

  #known(): Hand {
    if (this.#main === undefined) throw new Error("no image is open");
    return this.#main;
  }

  async #hand(progress: (bytes: number) => void): Promise<Hand> {
    const worker = await hand(progress);
    if (this.#closed) {
      worker.close();
      throw new Error("it was ended");
    }
    this.#hands.add(worker);
    return worker;
  }
}
