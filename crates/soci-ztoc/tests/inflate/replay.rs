//! The seeds of the fuzz target, on a stable toolchain.

use crate::fuzz_bodies;

#[test]
fn seeds_of_the_fuzz_target_hold() {
    soci_tests::seeds::replay("ztoc_inflate", fuzz_bodies::inflate);
}
