//! `cargo xtask demo`: the main job on an example image made on the spot.

use crate::run::Outcome;

/// Placeholder until the commands exist.
pub(crate) fn run(_arguments: &[String]) -> Outcome {
    Err("the demo is being written".to_owned())
}
