// Several files or a dropped folder: read into memory, and searched by the module as the command line searches a disk.

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
      await reader.add(path, await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)));
    }
  }
  return reader.files;
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
