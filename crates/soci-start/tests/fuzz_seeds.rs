//! The seeds of the fuzz target.

#[path = "../../../tests/fuzz/bodies/start.rs"]
#[allow(unreachable_pub)]
mod bodies;

#[test]
fn seeds_of_the_fuzz_target() {
    soci_tests::seeds::replay("start_trace", bodies::trace);
}
