// The Actions as README and docs show them: every input and output that a snippet or a table names is one, and none is
// left out of the tables.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

import { ROOT } from "./root.mjs";
import { action } from "./runner.mjs";

const ACTIONS = {
  "cargo-soci/cargo-soci": action("action.yml", "wasm/action/dist"),
  "cargo-soci/cargo-soci/convert": action("convert/action.yml", "wasm/convert/dist"),
};
const PAGES = ["README.md", "docs/action.md", "docs/workflows/github-actions.md"];

/** The steps of ours in the snippets of a page: which Action, its id, and the keys under `with`. */
function steps(text) {
  const found = [];
  for (const [, block] of text.matchAll(/```yaml\n([\s\S]*?)```/g)) {
    for (const step of block.split(/^ *- (?=id:|uses:|name:|run:|env:|if:)/m)) {
      const uses = /^ *uses: (cargo-soci\/\S+?)@v0/m.exec(step)?.[1];
      if (uses === undefined) continue;
      const inputs = (/^( *)with:\n([\s\S]*)/m.exec(step)?.[2] ?? "").split("\n");
      const depth = /^ */.exec(inputs[0])[0].length;
      const keys = inputs.filter((line) => /^ */.exec(line)[0].length === depth).map((line) => /^ *([a-z-]+):/.exec(line)?.[1]);
      found.push({ uses, id: /^ *id: (\S+)/m.exec(step)?.[1], keys: keys.filter(Boolean), block });
    }
  }
  return found;
}

test("snippets name inputs and outputs that there are", () => {
  const seen = new Set();
  for (const page of PAGES) {
    for (const { uses, id, keys, block } of steps(readFileSync(join(ROOT, page), "utf8"))) {
      const { defaults, outputs } = ACTIONS[uses];
      seen.add(uses);
      assert.ok(keys.length > 0, `${page}: ${uses} without inputs`);
      for (const key of keys) assert.ok(key in defaults, `${page}: ${uses} has no input ${key}`);
      for (const [, name] of block.matchAll(new RegExp(`steps\\.${id}\\.outputs\\.([a-z-]+)`, "g"))) {
        assert.ok(outputs.includes(name), `${page}: ${uses} has no output ${name}`);
      }
    }
  }
  assert.deepEqual([...seen].sort(), Object.keys(ACTIONS).sort());
});

test("the tables of docs/action.md name every input and output", () => {
  const [lint, convert] = readFileSync(join(ROOT, "docs/action.md"), "utf8").split("\n## convert\n");
  for (const [uses, text] of [["cargo-soci/cargo-soci", lint], ["cargo-soci/cargo-soci/convert", convert]]) {
    const cells = [...text.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word));
    const { defaults, outputs } = ACTIONS[uses];
    for (const name of [...Object.keys(defaults), ...outputs]) assert.ok(cells.includes(name), `${uses}: ${name} is in no table`);
  }
});
