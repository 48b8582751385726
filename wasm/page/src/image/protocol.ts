// What page and workers say to each other.

import type { Actions } from "./worker.ts";

/** A call of an action of a worker. */
export interface Call {
  id: number;
  action: keyof Actions;
  values: unknown[];
}

/** What came of a call; or so many more bytes that were read of a layer. */
export type Reply = { id: number; result: unknown } | { id: number; error: string } | { progress: number };

/** A layer and where it lies: `length` bytes, `offset` bytes into a file. */
export interface Layer {
  mediaType: string;
  digest: string;
  size: number;
  file: number;
  offset: number;
  length: number;
  /** Whether it is to have a zTOC. */
  index: boolean;
}

/** What came of a layer. */
export interface LayerResult {
  outcome: string;
  table: Uint8Array<ArrayBuffer>;
}

/** A worker, called from the page. */
export class Hand {
  readonly #worker: Worker;
  readonly #open = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #last = 0;

  constructor(progress: (bytes: number) => void) {
    this.#worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.#worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
      if ("progress" in data) return progress(data.progress);
      const waiting = this.#open.get(data.id);
      this.#open.delete(data.id);
      if ("error" in data) waiting?.reject(new Error(data.error));
      else waiting?.resolve(data.result as never);
    });
    this.#worker.addEventListener("error", (event) => {
      this.#fail(`a worker ended: ${event.message || "it could not be loaded"}`);
    });
  }

  /** Calls an action; what is in `transfer` goes to the worker for good. */
  call<K extends keyof Actions>(action: K, values: Parameters<Actions[K]>, transfer: Transferable[] = []): Promise<Awaited<ReturnType<Actions[K]>>> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      this.#worker.postMessage({ id, action, values } satisfies Call, transfer);
    });
  }

  /** Ends the worker, whatever it is doing. */
  close(): void {
    this.#worker.terminate();
    this.#fail("it was ended");
  }

  #fail(message: string): void {
    for (const { reject } of this.#open.values()) reject(new Error(message));
    this.#open.clear();
  }
}
