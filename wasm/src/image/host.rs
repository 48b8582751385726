//! What the module asks of its host, the global object `sociHost`; `wasm/convert/src/host.ts` is the other side.

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(js_namespace = sociHost)]
extern "C" {
    /// One HTTP exchange, up to the end of the header. The request is JSON (`method`, `url`, `headers`, `hasBody`,
    /// `seconds`), and so is the answer: `status`, `headers`, `body` (a number), or `fault`, `message`.
    pub(super) fn send(request: &str, body: &[u8]) -> String;

    /// Fills a part of `buffer` with what comes next of a body, within so many seconds, and says how much: 0 is the
    /// end, a negative number a fault.
    pub(super) fn read(body: u32, buffer: &mut [u8], seconds: f64) -> i32;

    /// Why the last `read` failed, as JSON: `fault`, `message`.
    pub(super) fn trouble() -> String;

    /// Nothing more is read of a body.
    pub(super) fn close(body: u32);

    /// Waits, unless the run is interrupted.
    pub(super) fn wait(seconds: f64);

    /// Whether the run is to end.
    pub(super) fn interrupted() -> bool;

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub(super) fn now() -> f64;

    /// A number from 0 to 1, different each time.
    pub(super) fn random() -> f64;

    /// The environment variables, as a JSON object of texts.
    pub(super) fn environment() -> String;

    /// A file of at most so many bytes, or one more of a larger one; nothing if it cannot be read.
    pub(super) fn file(path: &str, limit: u32) -> Option<Vec<u8>>;

    /// Why the last `file` gave nothing; empty where there is no such file.
    pub(super) fn reason() -> String;

    /// Starts `program get` with `server` on its standard input, and gives how it ended and at most so many bytes of
    /// its output, as JSON: `failure` (nothing if it ended well), `output`, or `problem`.
    pub(super) fn credential(program: &str, server: &str, limit: u32) -> String;

    /// Something happened to a layer, as JSON.
    pub(super) fn event(event: &str);
}
