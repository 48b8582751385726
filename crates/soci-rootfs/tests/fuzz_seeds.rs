//! Random stacks of layers and the seeds of the fuzz target: the crate and a simple model find the same.

#[path = "../../../tests/fuzz/bodies/rootfs.rs"]
#[allow(unreachable_pub, missing_docs)]
mod bodies;

use proptest::prelude::*;

#[test]
fn rootfs_seeds_do_no_harm() {
    soci_tests::seeds::replay("rootfs", bodies::rootfs);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_stacks_are_as_a_simple_model_has_them(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        bodies::rootfs(&bytes);
    }
}
