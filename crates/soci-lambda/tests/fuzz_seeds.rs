//! The seeds of the fuzz target over events, replayed.

#[path = "../../../tests/fuzz/bodies/lambda.rs"]
mod bodies;

#[test]
fn events() {
    soci_tests::seeds::replay("lambda_event", bodies::event);
}
