// The module from where this file came from. Bundlers know `new URL(…, import.meta.url)` and bring the file along.

import init from "./soci_wasm.js";

await init({ module_or_path: new URL("soci_wasm.wasm", import.meta.url) });

export * from "./lint.js";
