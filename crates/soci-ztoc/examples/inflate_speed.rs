//! Inflates a gzip file to nowhere, with CRC and a checkpoint every 4 MiB: the inflater's own
//! speed, to compare with `igzip -dc FILE >/dev/null`.
//!
//!     cargo run --release -p soci-ztoc --example inflate_speed -- LAYER

#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // The crate does no I/O, its examples do.

use std::fs::File;
use std::io::Read;

use soci_ztoc::inflate::{Boundary, Consumer, GzipInflater, InflateError, InputBuffer, WINDOW_SIZE};

const SPAN: u64 = 4 << 20;

#[derive(Default)]
struct Points {
    windows: Vec<Box<[u8; WINDOW_SIZE]>>,
    last: u64,
}

impl Consumer for Points {
    type Error = InflateError;

    fn output(&mut self, _: &[u8]) -> Result<(), InflateError> {
        Ok(())
    }

    fn boundary(&mut self, boundary: Boundary<'_>) -> Result<(), InflateError> {
        let at = boundary.uncompressed_offset;
        if at == 0 || at - self.last > SPAN {
            self.windows.push(Box::new(*boundary.window()));
            self.last = at;
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: inflate_speed LAYER")?;
    let mut file = File::open(path)?;
    let mut points = Points::default();
    let mut inflater = GzipInflater::new();
    let mut spare = None;
    loop {
        let mut buffer: InputBuffer = spare.take().unwrap_or_default();
        let count = file.read(buffer.space())?;
        if count == 0 {
            break;
        }
        buffer.set_filled(count);
        inflater.exchange(buffer, &mut points, |spent| spare = Some(spent.reuse()))?;
    }
    let (totals, _) = inflater.finish(&mut points)?;
    println!("{totals:?}, {} checkpoints", points.windows.len());
    Ok(())
}
