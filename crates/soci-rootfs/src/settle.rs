//! Which layers stay without a zTOC so that the image looks the same lazily as unpacked.

use crate::compare::{Layer, compare};
use crate::verdict::{Comparison, Verdict};

/// What became of the layers of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settled {
    /// For each layer with a zTOC that is better left without: what is wrong with it.
    pub left_out: Vec<Option<Verdict>>,
    /// The image without those zTOCs.
    pub rest: Comparison,
}

/// Takes zTOCs away until the image looks the same both ways. A layer that is unpacked can show a fault of one
/// below it, so this is done in rounds; each takes at least one away.
pub fn settle(layers: &[Layer<'_>]) -> Settled {
    let mut layers = layers.to_vec();
    let mut left_out = vec![None; layers.len()];
    let mut rounds = 0;
    loop {
        let rest = compare(&layers);
        let mut changed = false;
        for (index, verdict) in rest.layers.iter().enumerate() {
            if layers[index].has_ztoc() && !verdict.is_same() {
                layers[index] = layers[index].without_ztoc();
                left_out[index] = Some(verdict.clone());
                changed = true;
            }
        }
        if !changed {
            return Settled { left_out, rest };
        }
        rounds += 1;
        if rounds == MOST_ROUNDS {
            break;
        }
    }
    // Only a stack made for it goes on for so long: nothing of it is mounted.
    let rest = compare(&layers);
    for (index, verdict) in rest.layers.iter().enumerate() {
        if layers[index].has_ztoc() {
            layers[index] = layers[index].without_ztoc();
            left_out[index] = Some(verdict.clone());
        }
    }
    let rest = compare(&layers);
    Settled { left_out, rest }
}

/// Builders' images need one round or two.
const MOST_ROUNDS: usize = 8;
