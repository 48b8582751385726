// Several files or a dropped folder: read into memory, and searched by the module as the command line searches a disk.

import type { Given } from "./image/session.ts";

/** The names of files that belong to a folder, and their bytes. */
export type Files = Map<string, Uint8Array<ArrayBuffer>>;

/** All files together; a folder may hold anything. */
const LARGEST = 5 * 1024 * 1024;
const MOST = 5000;
/** Folders that hold no documents of the project itself; the module passes them over, here they are not even read. */
const SKIPPED = new Set([".git", ".terraform", "node_modules", "target"]);

/** What a file dialog gave, or a drop of files alone; a folder's files have their path in it. */
export async function ofFiles(list: File[]): Promise<Files> {
  const reader = new Reader();
  for (const file of list) await reader.add(file.webkitRelativePath || file.name, file);
  return reader.files;
}

/** What a drop holds; folders with all that is in them. */
export async function ofEntries(entries: FileSystemEntry[]): Promise<Files> {
  const reader = new Reader();
  const open = entries.map((entry) => [entry.name, entry] as const);
  for (let next = open.shift(); next; next = open.shift()) {
    const [path, entry] = next;
    if (isFolder(entry)) {
      if (!SKIPPED.has(entry.name)) open.push(...(await children(entry)).map((child) => [`${path}/${child.name}`, child] as const));
    } else if (entry.isFile) {
      await reader.add(path, await fileOf(entry));
    }
  }
  return reader.files;
}

/**
 * The image among what was dropped or opened, if it is one: an archive or a layer (by its first bytes), a folder with an
 * OCI image layout or an unpacked archive, or facts that `cargo soci inspect` printed.
 */
export async function imageIn(list: File[], entries: FileSystemEntry[]): Promise<Given | { name: string; facts: string } | undefined> {
  const [entry] = entries;
  const root = entry?.name ?? list[0]?.webkitRelativePath.split("/")[0] ?? "";
  if (entries.length === 1 && entry && isFolder(entry)) {
    const names = (await children(entry)).map(({ name }) => name);
    return isLayout(names) ? given(root, await below(entry)) : undefined;
  }
  if (list[0]?.webkitRelativePath) {
    const inside = list.map((file) => [file.webkitRelativePath.slice(root.length + 1), file] as const);
    return isLayout(inside.map(([path]) => path.split("/")[0] ?? "")) ? given(root, inside) : undefined;
  }
  const only = entries.length === 1 && entry ? await fileOf(entry) : list[0];
  if (!only || list.length > 1 || entries.length > 1) return undefined;
  const head = new Uint8Array(await only.slice(0, 512).arrayBuffer());
  const begins = (...magic: number[]): boolean => magic.every((byte, at) => head[at] === byte);
  const isTar = new TextDecoder().decode(head.slice(257, 262)) === "ustar";
  if (isTar || begins(0x1f, 0x8b) || begins(0x28, 0xb5, 0x2f, 0xfd)) return { name: only.name, files: [only] };
  if (only.size > LARGEST) return undefined;
  const text = await only.text();
  return /"schema"\s*:\s*"soci-image-facts\//.test(text) && !/"facts"\s*:\s*\{/.test(text) ? { name: only.name, facts: text } : undefined;
}

/** Whether a folder with these names in it holds an image. */
function isLayout(names: string[]): boolean {
  return (names.includes("index.json") && names.includes("blobs")) || (names.includes("manifest.json") && !names.includes("package.json"));
}

function given(name: string, inside: (readonly [string, File])[]): Given {
  return { name, files: inside.map(([, file]) => file), paths: inside.map(([path]) => path) };
}

/** All files of a folder, by their paths in it. */
async function below(folder: FileSystemDirectoryEntry): Promise<(readonly [string, File])[]> {
  const open: (readonly [string, FileSystemEntry])[] = [["", folder]];
  const files: (readonly [string, File])[] = [];
  for (let next = open.shift(); next; next = open.shift()) {
    const [path, entry] = next;
    if (isFolder(entry)) open.push(...(await children(entry)).map((child) => [path === "" ? child.name : `${path}/${child.name}`, child] as const));
    else files.push([path, await fileOf(entry)]);
    if (files.length > MOST) throw new Error("the folder has more than 5,000 files; look into it with `cargo soci inspect`");
  }
  return files;
}

function fileOf(entry: FileSystemEntry): Promise<File> {
  return new Promise((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

/** A reader gives a hundred entries at a time, and none at the end. */
async function children(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/** Takes files until they are too many. */
class Reader {
  readonly files: Files = new Map();
  #bytes = 0;

  async add(path: string, file: File): Promise<void> {
    if (path.split("/").some((name) => SKIPPED.has(name))) return;
    this.#bytes += file.size;
    if (this.#bytes > LARGEST || this.files.size === MOST) {
      throw new Error("the files are more than 5 MiB or 5,000; check them with `cargo soci lint`");
    }
    this.files.set(path, new Uint8Array(await file.arrayBuffer()));
  }
}

/** The files as the module looks into folders: `wasm/src/folders.rs` has the other side. */
export class Folders {
  readonly #files: ReadonlyMap<string, Uint8Array>;

  constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.#files = files;
  }

  here(): string {
    return "/";
  }

  kind(path: string): string | undefined {
    if (this.#files.has(path)) return "f";
    return path === "" || [...this.#files.keys()].some((name) => name.startsWith(`${path}/`)) ? "d" : undefined;
  }

  entries(folder: string): string {
    const entries = new Set<string>();
    const inside = folder === "" ? "" : `${folder}/`;
    for (const name of this.#files.keys()) {
      if (!name.startsWith(inside)) continue;
      const [first = "", ...rest] = name.slice(inside.length).split("/");
      entries.add(`${rest.length === 0 ? "f" : "d"}${first}\0`);
    }
    return [...entries].join("");
  }

  text(path: string): string | undefined {
    const bytes = this.#files.get(path);
    return bytes && new TextDecoder().decode(bytes);
  }

  document(path: string): Uint8Array | undefined {
    return this.#files.get(path);
  }

  beside(path: string): Uint8Array | undefined {
    return this.#files.get(path);
  }

  neighbours(folder: string): string {
    const files = this.entries(folder).split("\0").filter((entry) => entry.startsWith("f"));
    return files.map((entry) => `${entry.slice(1)}\0`).join("");
  }

  reason(): string {
    return "it is not among the files";
  }
}
