//! Prints `docs/cli.md`.

fn main() {
    print!("{}", cargo_soci::reference::markdown());
}
