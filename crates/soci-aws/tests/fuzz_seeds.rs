//! The seeds of the fuzz target over documents of ECS.

#[path = "../../../tests/fuzz/bodies/aws.rs"]
#[allow(unreachable_pub)]
mod bodies;

#[test]
fn documents() {
    soci_tests::seeds::replay("aws_documents", bodies::documents);
}
