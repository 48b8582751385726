/* tslint:disable */
/* eslint-disable */

/**
 * What became of a layer.
 */
export class IndexedLayer {
  private constructor();
  free(): void;
  [Symbol.dispose](): void;
  /**
   * The SHA-256 of the layer as it was pushed, in hexadecimal.
   */
  digest(): string;
  /**
   * Why there is no zTOC.
   */
  reason(): string | undefined;
  /**
   * The zTOC; nothing if the layer cannot be loaded lazily.
   */
  ztoc(): Uint8Array | undefined;
}

/**
 * Builds the zTOC of a layer while it is pushed. The pieces do not change the result.
 */
export class LayerIndexer {
  free(): void;
  [Symbol.dispose](): void;
  /**
   * Ends the layer; an error says how it is damaged.
   */
  finish(): IndexedLayer;
  /**
   * Starts at the first byte of a layer. `compression` is `gzip` or `uncompressed`; a span has at least so many
   * uncompressed bytes. `tool` becomes part of the zTOC; without one it is that of the command line.
   */
  constructor(compression: string, span_size: number, tool?: string | null);
  /**
   * Takes the next bytes.
   */
  push(bytes: Uint8Array | number[]): void;
}

/**
 * Converts an image; takes and gives JSON.
 */
export function convert(job: string): string;

/**
 * The images of a builder's metadata file, as JSON: a list of `digest`, `names`, `target`.
 */
export function jobs(metadata: string, target?: string | null): string;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
  readonly memory: WebAssembly.Memory;
  readonly __wbg_indexedlayer_free: (a: number, b: number) => void;
  readonly __wbg_layerindexer_free: (a: number, b: number) => void;
  readonly convert: (a: number, b: number) => [number, number, number, number];
  readonly indexedlayer_digest: (a: number) => [number, number];
  readonly indexedlayer_reason: (a: number) => [number, number];
  readonly indexedlayer_ztoc: (a: number) => [number, number];
  readonly jobs: (a: number, b: number, c: number, d: number) => [number, number, number, number];
  readonly layerindexer_finish: (a: number) => [number, number, number];
  readonly layerindexer_new: (a: number, b: number, c: number, d: number, e: number) => [number, number, number];
  readonly layerindexer_push: (a: number, b: number, c: number) => [number, number];
  readonly __wbindgen_malloc: (a: number, b: number) => number;
  readonly __wbindgen_realloc: (a: number, b: number, c: number, d: number) => number;
  readonly __wbindgen_free: (a: number, b: number, c: number) => void;
  readonly __wbindgen_externrefs: WebAssembly.Table;
  readonly __externref_table_dealloc: (a: number) => void;
  readonly __wbindgen_start: () => void;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
* Instantiates the given `module`, which can either be bytes or
* a precompiled `WebAssembly.Module`.
*
* @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
*
* @returns {InitOutput}
*/
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
* If `module_or_path` is {RequestInfo} or {URL}, makes a request and
* for everything else, calls `WebAssembly.instantiate` directly.
*
* @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
*
* @returns {Promise<InitOutput>}
*/
export default function __wbg_init (module_or_path: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
