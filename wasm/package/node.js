// The module from the disk beside this file: nothing to wait for.

import { readFileSync } from "node:fs";

import { initSync } from "./soci_wasm.js";

initSync({ module: readFileSync(new URL("soci_wasm.wasm", import.meta.url)) });

export * from "./lint.js";
