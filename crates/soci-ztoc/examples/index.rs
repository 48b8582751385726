//! Indexes a layer: its zTOC goes into a file.
//!
//!     cargo run -p soci-ztoc --example index -- layer.tar.gz layer.ztoc

#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // The crate does no I/O, its examples do.

use std::error::Error;
use std::fs::{self, File};
use std::io::Read;

use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Compression, ZtocBuilder};

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args_os().skip(1);
    let (Some(layer), Some(output)) = (words.next(), words.next()) else {
        return Err("usage: index LAYER OUT".into());
    };
    let mut layer = File::open(layer)?;
    let mut buffer = vec![0; 128 << 10];
    let mut builder: Option<ZtocBuilder> = None;
    loop {
        let count = layer.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        let bytes = &buffer[..count];
        let builder = match &mut builder {
            Some(builder) => builder,
            none => none.insert(ZtocBuilder::new(BuildOptions::new(
                compression(bytes),
                "example",
            ))?),
        };
        builder.push(bytes)?;
    }
    match builder.ok_or("the layer is empty")?.finish()? {
        BuildOutcome::Indexed(built) => {
            fs::write(output, built.encoded().to_bytes())?;
            let ztoc = built.ztoc();
            println!("{} spans, {} entries", ztoc.span_count(), ztoc.toc().len());
            match built.refusal() {
                Some(refusal) => Err(refusal.to_string().into()),
                None => Ok(()),
            }
        }
        BuildOutcome::Skipped(skipped) => Err(skipped.reason.to_string().into()),
    }
}

/// By the first bytes; in an image the layer's media type tells.
fn compression(first: &[u8]) -> Compression {
    match first {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        _ => Compression::Uncompressed,
    }
}
