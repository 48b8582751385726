/* tslint:disable */
/* eslint-disable */

/**
 * The images of a place.
 */
export class Images {
  free(): void;
  [Symbol.dispose](): void;
  /**
   * What somebody else has found out about one image or several, the output of `inspect --format json`, as `settle`
   * gives it.
   */
  static describe(facts: string): string;
  /**
   * The facts of an image, byte for byte those of `inspect --format json`.
   */
  facts(image: number, converted: boolean): string | undefined;
  /**
   * Opens the file system of a platform of an image, and gives its sums as JSON.
   */
  files(image: number, platform: number): string | undefined;
  /**
   * Whether it is one layer and no image.
   */
  isLayer(): boolean;
  /**
   * Whether it is an archive of an engine, whose layers are not compressed as they are in a registry.
   */
  isOfEngine(): boolean;
  /**
   * Takes what came of a layer in another worker.
   */
  keep(digest: string, outcome: string, table: Uint8Array | number[]): void;
  /**
   * The layers to read, each once, as JSON: `mediaType`, `digest`, `size`, where it lies (`file`, `offset`, `length`),
   * and whether its zTOC is wanted (`index`).
   */
  layers(): string;
  /**
   * What is in a directory of the open file system, as JSON.
   */
  list(node: number): string | undefined;
  /**
   * Opens the host's files: one, which is an archive of images or a layer, or those of a folder, as JSON of `path` and
   * `size`, in the order of their numbers. `min_layer_size` is that of `convert`.
   */
  constructor(name: string, files: string, is_folder: boolean, min_layer_size?: number | null);
  /**
   * What of the open file system has this text in its name, as JSON.
   */
  search(text: string): string | undefined;
  /**
   * Joins what is known, and gives it as JSON, an item for each image: its `names`, the facts `now` and, if anything of
   * it can be lazy, once `converted`; with the `report` of that; otherwise the `problem`, and the reason for each layer.
   */
  settle(): string;
  /**
   * The zTOC of a layer, if the image has one of it once converted.
   */
  ztoc(image: number, layer: string): Uint8Array | undefined;
}

/**
 * A layer that is indexed while its bytes are pushed: the host waits for a file between the pieces.
 */
export class LayerReader {
  free(): void;
  [Symbol.dispose](): void;
  /**
   * The end; an error says what is wrong with the layer.
   */
  finish(): ReadLayer;
  /**
   * Starts at the first byte of the layer that has this descriptor.
   */
  constructor(media_type: string, digest: string, size: number);
  /**
   * Takes the next bytes.
   */
  push(bytes: Uint8Array | number[]): void;
}

/**
 * What became of it.
 */
export class ReadLayer {
  private constructor();
  free(): void;
  [Symbol.dispose](): void;
  /**
   * What came of it, for `Images.keep`.
   */
  outcome(): string;
  /**
   * Its zTOC; empty if it stays without.
   */
  ztoc(): Uint8Array;
}

/**
 * What is in a layer without a zTOC, the host's file 0 of `length` bytes, as one that only tells that; empty if it cannot
 * be known.
 */
export function contentsOf(media_type: string, digest: string, size: number, length: number): Uint8Array;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
  readonly memory: WebAssembly.Memory;
  readonly __wbg_images_free: (a: number, b: number) => void;
  readonly __wbg_layerreader_free: (a: number, b: number) => void;
  readonly __wbg_readlayer_free: (a: number, b: number) => void;
  readonly contentsOf: (a: number, b: number, c: number, d: number, e: number, f: number) => [number, number, number, number];
  readonly images_describe: (a: number, b: number) => [number, number, number, number];
  readonly images_facts: (a: number, b: number, c: number) => [number, number];
  readonly images_files: (a: number, b: number, c: number) => [number, number];
  readonly images_isLayer: (a: number) => number;
  readonly images_isOfEngine: (a: number) => number;
  readonly images_keep: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => [number, number];
  readonly images_layers: (a: number) => [number, number, number, number];
  readonly images_list: (a: number, b: number) => [number, number];
  readonly images_open: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => [number, number, number];
  readonly images_search: (a: number, b: number, c: number) => [number, number];
  readonly images_settle: (a: number) => [number, number, number, number];
  readonly images_ztoc: (a: number, b: number, c: number, d: number) => [number, number];
  readonly layerreader_finish: (a: number) => [number, number, number];
  readonly layerreader_new: (a: number, b: number, c: number, d: number, e: number) => [number, number, number];
  readonly layerreader_push: (a: number, b: number, c: number) => [number, number];
  readonly readlayer_outcome: (a: number) => [number, number];
  readonly readlayer_ztoc: (a: number) => [number, number];
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
