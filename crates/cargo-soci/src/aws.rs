//! AWS accounts of a run: reached as registries are.

use soci_aws::account::{AccountError, Reach};
use soci_registry::Trace;

use crate::cancel::Cancel;
use crate::error::CommandError;

/// How AWS is reached: with the authorities that registries are, until the run is stopped.
pub fn reach(extra_roots: Vec<u8>, cancel: &Cancel, trace: Option<Trace>) -> Reach {
    Reach {
        extra_roots,
        interrupted: cancel.flag(),
        trace,
    }
}

/// The error of a command.
pub fn failed(error: &AccountError) -> CommandError {
    let shown = match error {
        AccountError::NoRegion => CommandError::usage(error.to_string()),
        _ => CommandError::failed(error.to_string()),
    };
    match error.help() {
        Some(help) => shown.help(help),
        None => shown,
    }
}
