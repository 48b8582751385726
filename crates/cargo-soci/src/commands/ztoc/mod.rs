//! `ztoc …`: zTOCs of single layers.

pub mod build;
pub mod extract;
pub mod info;
mod layer_file;
pub mod verify;

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use clap::Subcommand;
use soci_ztoc::ztoc::Ztoc;

use crate::causes::AtPath;
use crate::commands::CommandResult;
use crate::context::Context;
use crate::error::CommandError;

/// Flags of `ztoc`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub verb: ZtocVerb,
}

/// What can be done with a zTOC.
#[derive(Debug, Subcommand)]
pub enum ZtocVerb {
    /// Build the zTOC of a layer
    Build(build::Args),
    /// Read one file of an image or a layer through its spans only
    Extract(extract::Args),
    /// Show what a zTOC says about its layer
    Info(info::Args),
    /// List the files of a zTOC
    Ls(info::Args),
    /// Check a zTOC against its layer: every digest, every span, every file
    Verify(verify::Args),
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> CommandResult {
    match args.verb {
        ZtocVerb::Build(args) => build::run(args, context),
        ZtocVerb::Extract(args) => extract::run(args, context),
        ZtocVerb::Info(args) => info::info(args, context),
        ZtocVerb::Ls(args) => info::ls(args, context),
        ZtocVerb::Verify(args) => verify::run(args, context),
    }
}

/// Reads a zTOC and its bytes.
fn read_ztoc(path: &Path) -> Result<(Ztoc, Vec<u8>), CommandError> {
    let name = path.display();
    let file = File::open(path).at("read", path)?;
    let mut bytes = Vec::new();
    file.take(ZTOC_LIMIT + 1)
        .read_to_end(&mut bytes)
        .at("read", path)?;
    if bytes.len() as u64 > ZTOC_LIMIT {
        return Err(CommandError::failed(format!(
            "{name} is larger than 2 GiB, which no zTOC is"
        )));
    }
    let ztoc = Ztoc::from_bytes(&bytes).map_err(|error| {
        let failed = CommandError::failed(format!("{name} is not a zTOC")).because(&error);
        match bytes.as_slice() {
            [0x1f, 0x8b, ..] => failed.help("this is a gzip file: is it the layer instead of its zTOC?"),
            [b'{', ..] => failed.help("this is JSON: is it the SOCI index instead of a zTOC?"),
            _ => failed,
        }
    })?;
    Ok((ztoc, bytes))
}

fn hex_digest(hash: [u8; 32]) -> String {
    format!("sha256:{}", hex(&hash))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string never fails");
        text
    })
}

/// The format's offsets have 31 bits.
const ZTOC_LIMIT: u64 = 1 << 31;
