//! The JavaScript boundary: translates, decides nothing.

use wasm_bindgen::prelude::wasm_bindgen;

/// The version of the linter, as in its reports.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
