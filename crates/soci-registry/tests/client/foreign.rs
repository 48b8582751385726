//! Answers that no registry gives: the fuzz target's seeds, and changes to them.

use proptest::prelude::*;
use soci_tests::seeds::{replay, replay_texts, seeds};

#[path = "../../../../tests/fuzz/bodies/registry.rs"]
mod body;

#[test]
fn seeds_of_fields_are_survived() {
    replay_texts("registry_fields", body::fields);
}

#[test]
fn seeds_are_survived() {
    replay("registry_answers", body::answers);
}

proptest! {
    #[test]
    fn changed_seeds_are_survived(
        first in 0usize..5,
        second in 0usize..5,
        cut in 0usize..400,
        at in 0usize..400,
        byte in any::<u8>(),
    ) {
        let seeds = seeds("registry_answers");
        let mut bytes = seeds[first].clone();
        bytes.truncate(cut.max(1));
        bytes.push(0);
        bytes.extend_from_slice(&seeds[second]);
        let place = at % bytes.len();
        bytes[place] = byte;
        body::answers(&bytes);
    }
}
