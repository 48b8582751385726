//! What the module asks of its host, the global object `sociFiles`; `wasm/page/src/image/host.ts` is the other side.

use std::io;

use soci_store::ReadAt;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(js_namespace = sociFiles)]
extern "C" {
    /// Fills `buffer`, or the beginning of it, from a place in the file of that number, and says how much: 0 is the end, a
    /// negative number a fault.
    #[wasm_bindgen(js_name = read)]
    fn host_read(file: u32, offset: f64, buffer: &mut [u8]) -> i32;

    /// Why the last `read` failed.
    fn trouble() -> String;

    /// So many more bytes of a layer were read.
    pub(super) fn progress(bytes: f64);
}

/// A file of the host's.
#[derive(Debug)]
pub(super) struct HostFile(pub(super) u32);

impl ReadAt for HostFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        usize::try_from(host_read(self.0, offset as f64, buffer)).map_err(|_| io::Error::other(trouble()))
    }
}
