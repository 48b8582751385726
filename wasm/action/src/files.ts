// What the module asks of the runner's disk. Which files a word of `task-definition` means is decided in the
// module, as on the command line. Paths have `/` between their parts.

import { lstatSync, readdirSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname, sep } from "node:path";

/** Larger files beside the documents are no configuration that somebody wrote. */
const LARGEST = 4 * 1024 * 1024;

/** The disk, with a list of folders that documents may name files in. */
export class Folders {
  #near = new Set<string>([realpathSync(".")]);
  #named = new Set<string>();
  #reason = "";

  /** Allows a file that the workflow names, wherever it lies; throws if it cannot be read. */
  name(path: string): void {
    readFileSync(path);
    this.#named.add(realpathSync(path));
  }

  here(): string {
    return process.cwd().replaceAll(sep, "/");
  }

  kind(path: string): string | undefined {
    const stats = this.#try(() => statSync(at(path)));
    return stats && letter(stats);
  }

  entries(folder: string): string | undefined {
    const entries = this.#try(() => readdirSync(at(folder), { withFileTypes: true }));
    return entries?.map((entry) => `${letter(entry)}${entry.name}\0`).join("");
  }

  text(path: string): string | undefined {
    return this.#try(() => readFileSync(at(path), "utf8"));
  }

  document(path: string): Uint8Array | undefined {
    return this.#try(() => {
      const bytes = readFileSync(at(path));
      this.#near.add(realpathSync(dirname(path)));
      return bytes;
    });
  }

  beside(path: string): Uint8Array | undefined {
    const real = this.#try(() => realpathSync(at(path)));
    if (real !== undefined && this.#named.has(real)) return this.#try(() => readFileSync(real));
    // A link that was not named itself may lead anywhere, a pipe may never end.
    const stats = this.#try(() => lstatSync(at(path)));
    if (!stats?.isFile() || stats.size > LARGEST || !this.#isNear(path)) return undefined;
    return this.#try(() => readFileSync(at(path)));
  }

  neighbours(folder: string): string | undefined {
    if (!this.#isNear(folder)) return undefined;
    const entries = this.#try(() => readdirSync(at(folder), { withFileTypes: true }));
    const files = entries?.filter((entry) => entry.isFile()).map((entry) => entry.name);
    return files?.sort().map((name) => `${name}\0`).join("");
  }

  reason(): string {
    return this.#reason;
  }

  #isNear(path: string): boolean {
    const real = this.#try(() => realpathSync(at(path)));
    if (real === undefined) return false;
    return [...this.#near].some((folder) => real === folder || real.startsWith(folder.endsWith(sep) ? folder : folder + sep));
  }

  #try<T>(look: () => T): T | undefined {
    try {
      return look();
    } catch (error) {
      this.#reason = (error as Error).message;
      return undefined;
    }
  }
}

function at(path: string): string {
  return path === "" ? "." : path;
}

function letter(found: Pick<Stats, "isFile" | "isDirectory">): string {
  if (found.isFile()) return "f";
  return found.isDirectory() ? "d" : "o";
}
