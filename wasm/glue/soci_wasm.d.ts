/* tslint:disable */
/* eslint-disable */

/**
 * The documents of one run.
 */
export class Documents {
  free(): void;
  [Symbol.dispose](): void;
  /**
   * Adds a document. `by_name` says that a folder was searched and its name looked right, so that
   * nothing is said about it if it turns out to be something else.
   */
  add(path: string, bytes: Uint8Array | number[], by_name: boolean): void;
  /**
   * Says what makes the run fail, so that reports for people end with what did.
   */
  failOn(fail_on: string): void;
  /**
   * Whether the report fails under `fail_on`: `error`, `warning`, `not-lazy`, `unknown`, `never`.
   */
  fails(fail_on: string): boolean;
  /**
   * Finds the documents that the words name, one a line, and adds them; files beside them are read from the
   * same folders when the documents ask for them.
   */
  find(words: string, folders: any): void;
  /**
   * Checks the documents under `options`, JSON of `soci_lint::Options`; gives the report as JSON and
   * keeps it for the calls below.
   */
  lint(options: string): string;
  /**
   * None yet.
   */
  constructor();
  /**
   * The report in a form: `human`, `short`, `json`, `github`, `markdown`, `sarif`.
   */
  render(format: string): string;
  /**
   * The images that are to be looked up before [`lint`](Self::lint) is called with what was found: one a line, its
   * name in the documents, its registry and its whole name, with tabs between. `all` takes those in any registry and
   * with any verdict; else those of private ECR registries that a verdict hangs on.
   */
  wanted(options: string, all: boolean): string;
}

/**
 * An entry of `accept` out of its line, as JSON: `container=NAME image=IMAGE -- reason`.
 */
export function acceptance(line: string): string;

/**
 * Whether a file with this path is looked at when its folder is searched.
 */
export function isCommonName(path: string): boolean;

/**
 * Every rule with its documentation, as JSON.
 */
export function rules(): string;

/**
 * The version of the linter.
 */
export function version(): string;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
  readonly memory: WebAssembly.Memory;
  readonly __wbg_documents_free: (a: number, b: number) => void;
  readonly acceptance: (a: number, b: number) => [number, number, number, number];
  readonly documents_add: (a: number, b: number, c: number, d: number, e: number, f: number) => void;
  readonly documents_failOn: (a: number, b: number, c: number) => [number, number];
  readonly documents_fails: (a: number, b: number, c: number) => [number, number, number];
  readonly documents_find: (a: number, b: number, c: number, d: any) => [number, number];
  readonly documents_lint: (a: number, b: number, c: number) => [number, number, number, number];
  readonly documents_new: () => number;
  readonly documents_render: (a: number, b: number, c: number) => [number, number, number, number];
  readonly documents_wanted: (a: number, b: number, c: number, d: number) => [number, number, number, number];
  readonly isCommonName: (a: number, b: number) => number;
  readonly rules: () => [number, number];
  readonly version: () => [number, number];
  readonly __wbindgen_malloc: (a: number, b: number) => number;
  readonly __wbindgen_free: (a: number, b: number, c: number) => void;
  readonly __wbindgen_realloc: (a: number, b: number, c: number, d: number) => number;
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
