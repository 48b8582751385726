// The linter: the same module as in the Action, called on the page's own thread.

import init, { acceptance, Documents, rules, version } from "../../glue/soci_wasm.js";
import type { Report } from "../../types/report.ts";
import type { RuleInfo } from "../../types/rules.ts";

/** The report forms that the page offers. */
export type Form = "human" | "markdown" | "json";

/** One checked document. */
export interface Checked {
  report: Report;
  /** The report as text of a form. */
  render(form: Form): string;
}

/** The rules' pages, by code. */
export type Pages = () => Promise<Record<string, string>>;

/** The loaded linter. */
export interface Checker {
  version: string;
  /** How many rules there are. */
  rules: number;
  /** The rules' pages as Markdown, by code; loaded when the first is asked for. */
  pages: Pages;
  /** Checks one document; throws the linter's objection where an option is wrong. */
  check(path: string, bytes: Uint8Array, options: object): Checked;
  /** Searches files as the command line searches a folder, and checks what it finds. */
  checkFiles(paths: string[], folders: object, options: object): Checked;
  /** An entry of `accept` out of its line. */
  acceptance(line: string): object;
}

/** Loads the module that lies beside this script. */
export async function loadChecker(): Promise<Checker> {
  await init({ module_or_path: new URL("soci_wasm.wasm", import.meta.url) });
  let documents: Documents | undefined;
  let pages: ReturnType<Pages> | undefined;
  return {
    version: version(),
    rules: (JSON.parse(rules()) as RuleInfo[]).length,
    pages: () => (pages ??= loadPages()),
    check: (path, bytes, options) => checked(options, (current) => current.add(path, bytes, false)),
    checkFiles: (paths, folders, options) =>
      checked(options, (current) => {
        const isFolder = paths.some((path) => path.includes("/"));
        current.find(isFolder ? "." : paths.join("\n"), folders);
      }),
    acceptance: (line) => JSON.parse(acceptance(line)) as object,
  };

  function checked(options: object, fill: (current: Documents) => void): Checked {
    documents?.free();
    const current = new Documents();
    documents = current;
    fill(current);
    const json = current.lint(JSON.stringify(options));
    return {
      report: JSON.parse(json) as Report,
      render: (form) => (form === "json" ? json : current.render(form)),
    };
  }
}

async function loadPages(): Promise<Record<string, string>> {
  const response = await fetch(new URL("rules.json", import.meta.url));
  if (!response.ok) throw new Error(`rules.json: ${response.status}`);
  return (await response.json()) as Record<string, string>;
}
