//! The function's own program, with settings that suit small images.

use std::ffi::OsStr;
use std::process::Command;

use soci_tests::lambda;
pub(crate) use soci_tests::lambda::Bootstrap;

const PROGRAM: &str = env!("CARGO_BIN_EXE_bootstrap");

const SMALL: [(&str, &str); 2] = [("SOCI_MIN_LAYER_SIZE", "50KiB"), ("SOCI_SPAN_SIZE", "256KiB")];

/// The program as a command.
pub(crate) fn program(api: &str, settings: &[(&str, &str)]) -> Command {
    lambda::program(&[OsStr::new(PROGRAM)], api, &[&SMALL, settings].concat())
}

/// Starts it.
pub(crate) fn start(settings: &[(&str, &str)]) -> Bootstrap {
    Bootstrap::start(&[OsStr::new(PROGRAM)], &[&SMALL, settings].concat())
}
