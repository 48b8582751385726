//! `cargo soci`, `docker soci`, `cargo-soci`: one binary. All of it is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_soci::run(std::env::args_os().collect()).into()
}
