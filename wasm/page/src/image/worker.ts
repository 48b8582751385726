// A worker: either the one that knows the images, or one of several that read a layer each. Both have an instance of the
// module of their own, compiled once by the page. Nothing here asks a network.

import { contentsOf, Images, initSync, LayerReader } from "../../../glue/soci_local.js";
import { install } from "./host.ts";
import type { Call, Layer, LayerResult, Reply } from "./protocol.ts";

/** Bytes since the page was last told. */
let advanced = 0;
let told = 0;
const progress = (bytes: number): void => {
  advanced += bytes;
  const now = performance.now();
  if (now - told < 100) return;
  told = now;
  post({ progress: advanced });
  advanced = 0;
};
const setFiles = install(progress);

/** Read at once of a layer; the next piece comes while one is indexed. */
const PIECE = 1024 * 1024;

let images: Images | undefined;

const ACTIONS = {
  start(module: WebAssembly.Module): void {
    initSync({ module });
  },
  open(name: string, files: Blob[], paths: string[] | undefined): { isLayer: boolean; isOfEngine: boolean; layers: Layer[] } {
    setFiles(files);
    const named = files.map(({ size }, index) => ({ path: paths?.[index] ?? name, size }));
    images = new Images(name, JSON.stringify(named), paths !== undefined);
    return { isLayer: images.isLayer(), isOfEngine: images.isOfEngine(), layers: JSON.parse(images.layers()) as Layer[] };
  },
  /** Between the pieces the worker is idle for a moment, in which the browser gives their memory back. */
  async read({ mediaType, digest, size, length, index }: Layer, file: Blob): Promise<LayerResult> {
    let outcome = "null";
    if (index) {
      const reader = new LayerReader(mediaType, digest, size);
      const piece = (at: number): Promise<ArrayBuffer> => file.slice(at, at + PIECE).arrayBuffer();
      let next = piece(0);
      for (let at = 0; at < file.size; at += PIECE) {
        const bytes = new Uint8Array(await next);
        next = piece(at + PIECE);
        reader.push(bytes);
        progress(bytes.length);
      }
      const read = reader.finish();
      outcome = read.outcome();
      const ztoc = read.ztoc() as Uint8Array<ArrayBuffer>;
      read.free();
      if (ztoc.length > 0) return { outcome, table: ztoc };
    }
    setFiles([file]);
    return { outcome, table: contentsOf(mediaType, digest, size, length) as Uint8Array<ArrayBuffer> };
  },
  keep(digest: string, { outcome, table }: LayerResult): void {
    images?.keep(digest, outcome, table);
  },
  settle: (): unknown => JSON.parse(images?.settle() ?? "[]"),
  describe: (facts: string): unknown => JSON.parse(Images.describe(facts)),
  facts: (image: number, converted: boolean): string | undefined => images?.facts(image, converted),
  ztoc: (image: number, layer: string): Uint8Array | undefined => images?.ztoc(image, layer),
  files: (image: number, platform: number): unknown => parse(images?.files(image, platform)),
  list: (node: number): unknown => parse(images?.list(node)),
  search: (text: string): unknown => parse(images?.search(text)),
};
export type Actions = typeof ACTIONS;

function parse(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text);
}

function post(reply: Reply, transfer: Transferable[] = []): void {
  self.postMessage(reply, { transfer });
}

self.addEventListener("message", async ({ data }: MessageEvent<Call>) => {
  try {
    const action = ACTIONS[data.action] as (...values: unknown[]) => unknown;
    const result = await action(...data.values);
    const table = (result as Partial<LayerResult> | undefined)?.table;
    post({ id: data.id, result }, table ? [table.buffer] : []);
  } catch (error) {
    post({ id: data.id, error: error instanceof Error ? error.message : String(error) });
  }
});
