//! Commands of this repository: demo, test, gen, bench.
fn main() {}
