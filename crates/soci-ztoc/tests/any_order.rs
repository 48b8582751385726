//! Any order of public calls, on good and on damaged layers: see the fuzz target `ztoc_calls`.

#[path = "../../../tests/fuzz/bodies/calls.rs"]
#[allow(unreachable_pub)]
mod bodies;

use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_order_of_calls_panics_or_gives_something_wrong(
        choices in prop::collection::vec(any::<u8>(), 0..1500),
    ) {
        bodies::calls(&choices);
    }
}
