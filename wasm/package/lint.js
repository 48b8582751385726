// Documents and options in, the linter's own report out. It decides nothing; `lint.d.ts` says what there is.

import { acceptance as entryOf, Documents, rules as listed, version as current } from "./soci_wasm.js";

const UTF8 = new TextEncoder();

/** One run and its report. */
class Checked {
  #documents;
  #json;

  constructor(documents, options) {
    this.#documents = documents;
    this.#json = documents.lint(JSON.stringify(options));
    this.report = JSON.parse(this.#json);
  }

  render(form, { failOn } = {}) {
    if (form === "json") return this.#json;
    if (failOn !== undefined) this.#documents.failOn(failOn);
    return this.#documents.render(form);
  }

  fails(failOn = "error") {
    return this.#documents.fails(failOn);
  }
}

export function lint(documents, options = {}) {
  const all = new Documents();
  for (const { path, content } of Array.isArray(documents) ? documents : [documents]) {
    all.add(path, typeof content === "string" ? UTF8.encode(content) : content, false);
  }
  return new Checked(all, options);
}

export function acceptance(line) {
  return JSON.parse(entryOf(line));
}

export function rules() {
  return JSON.parse(listed());
}

export function version() {
  return current();
}
