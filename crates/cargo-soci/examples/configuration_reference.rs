//! Prints `docs/configuration.md`.

fn main() {
    print!("{}", cargo_soci::config::reference::markdown());
}
