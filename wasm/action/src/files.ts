// From the lines of `task-definition` to files. Symbolic links found on the way are not followed: a
// link in a checkout may point anywhere on the runner.

import { type Dirent, readdirSync, statSync } from "node:fs";
import { join, posix, sep } from "node:path";

import picomatch from "picomatch";

import { InputError } from "./inputs.ts";

/** A file to read. */
export interface Found {
  /** Relative to the working folder, with `/`. */
  path: string;
  /** Found in a folder by its name; may turn out to be something else. */
  byName: boolean;
}

/** Folders that hold no documents of the project itself. */
const SKIPPED = new Set([".git", "node_modules"]);

/** All files that the patterns name, each once, in the order of the patterns and then by path. */
export function findFiles(patterns: string[], isCommonName: (path: string) => boolean): Found[] {
  const found = new Map<string, Found>();
  for (const written of patterns) {
    const pattern = sep === "\\" ? written.replaceAll("\\", "/") : written;
    for (const file of expand(pattern, isCommonName)) {
      if (!found.has(file.path)) found.set(file.path, file);
    }
  }
  return [...found.values()];
}

function expand(pattern: string, isCommonName: (path: string) => boolean): Found[] {
  const stat = statSync(pattern, { throwIfNoEntry: false });
  if (stat?.isFile()) return [{ path: posix.normalize(pattern), byName: false }];
  if (stat?.isDirectory()) {
    const paths = walk(posix.normalize(pattern)).filter(isCommonName);
    if (paths.length === 0) {
      throw new InputError(
        `task-definition: the folder ${JSON.stringify(pattern)} holds no file with a name that task definitions have; name the file itself`,
      );
    }
    return paths.map((path) => ({ path, byName: true }));
  }
  const { base, isGlob } = picomatch.scan(pattern);
  if (!isGlob) throw new InputError(`task-definition: there is no file or folder ${JSON.stringify(pattern)}`);
  const matches = picomatch(posix.normalize(pattern), { dot: true });
  const paths = walk(posix.normalize(base || ".")).filter((path) => matches(path));
  if (paths.length === 0) throw new InputError(`task-definition: no file matches ${JSON.stringify(pattern)}`);
  return paths.map((path) => ({ path, byName: false }));
}

/** The regular files below a folder, sorted. */
function walk(folder: string): string[] {
  const files: string[] = [];
  const visit = (at: string): void => {
    for (const entry of entries(at)) {
      const path = posix.normalize(posix.join(at, entry.name));
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) visit(path);
      else if (entry.isFile()) files.push(path);
    }
  };
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) visit(folder);
  return files.sort((a, b) => (a < b ? -1 : 1));
}

function entries(folder: string): Dirent[] {
  try {
    return readdirSync(join(folder), { withFileTypes: true });
  } catch (error) {
    throw new InputError(`cannot read the folder ${JSON.stringify(folder)}: ${(error as Error).message}`);
  }
}
