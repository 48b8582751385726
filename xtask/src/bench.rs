//! `cargo xtask bench`: our tools against others, interleaved, as ratios.

use crate::run::Outcome;

/// Placeholder until the commands exist.
pub(crate) fn run(_arguments: &[String]) -> Outcome {
    Err("the benchmarks are being written".to_owned())
}
