//! `--reuse` and `--reuse-from`: where zTOCs may be that need not be made again.

use std::sync::Arc;

use clap::ValueEnum;
use soci_store::Location;
use soci_store::workflow::{Options, Reuse, ReusePlace};

use crate::context::Context;
use crate::error::CommandError;
use crate::places;

/// Which zTOCs serve again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// None: read every layer.
    None,
    /// Those that the same build tool made with the same span size.
    Same,
    /// Those of any build tool, with the same span size.
    Any,
}

/// Flags about zTOCs that are there already.
#[derive(Clone, Debug, clap::Args)]
pub struct ReuseFlags {
    /// Which existing zTOCs are reused: those of the `same` tool, of `any`, or `none`. They are
    /// looked for in the destination, in --reuse-from and in the image itself, if one of them is in a registry
    #[arg(
        long,
        value_name = "WHICH",
        value_enum,
        default_value = "same",
        hide_possible_values = true
    )]
    pub reuse: Which,
    /// Image whose zTOCs are reused for the layers it shares with SRC; may be repeated
    #[arg(long, value_name = "PLACE")]
    pub reuse_from: Vec<String>,
}

impl Default for ReuseFlags {
    fn default() -> Self {
        Self {
            reuse: Which::Same,
            reuse_from: Vec::new(),
        }
    }
}

/// Opens the places that may have zTOCs.
pub(crate) fn apply(
    flags: &ReuseFlags,
    options: &mut Options,
    source: &Location,
    destination: &Location,
    context: &Context,
) -> Result<(), CommandError> {
    options.reuse = match flags.reuse {
        Which::None => Reuse::None,
        Which::Same => Reuse::SameTool,
        Which::Any => Reuse::AnyTool,
    };
    if options.reuse == Reuse::None {
        if let Some(place) = flags.reuse_from.first() {
            return Err(CommandError::usage(format!(
                "--reuse none and --reuse-from {place} contradict each other"
            )));
        }
        return Ok(());
    }
    options.reuse_referrers = destination == source;
    if let Location::Registry(reference) = destination
        && destination != source
    {
        let there = ReusePlace::at_destination(places::image(reference, context)?)?;
        options.reuse_from.extend(there);
    }
    for text in &flags.reuse_from {
        let source = places::open(&places::source(text, context)?, context)?;
        options.reuse_from.push(ReusePlace {
            name: text.clone(),
            source: Arc::new(source),
            optional: false,
        });
    }
    Ok(())
}
