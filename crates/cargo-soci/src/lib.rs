#![doc = include_str!("../README.md")]
//!
//! # The command line
//! One binary answers as `cargo soci`, `docker soci` and `cargo-soci`.
//!
//! This crate is a door: it owns argv, the terminal, threads, signals and exit codes, and translates
//! between them and the crates below. [`invocation`] finds out who calls and strips what is theirs,
//! [`cli`] holds the flags that all commands share, and `commands/` has one file per verb, each with
//! its `Args` and a `run(args, &Context) -> Result<Exit, CommandError>`.

pub mod at_once;
#[cfg(feature = "aws")]
pub mod aws;
pub mod backfill;
pub mod beside;
pub mod build;
pub mod cancel;
pub mod causes;
pub mod cli;
pub mod commands;
pub mod completion;
pub mod config;
pub mod context;
pub mod conversion;
pub mod documents;
pub mod error;
pub mod escape;
pub mod exit;
mod help;
pub mod html_page;
pub mod images;
pub mod invocation;
pub mod lazy_image;
pub mod lines;
pub mod lint_options;
#[cfg(target_os = "linux")]
mod machine;
pub mod mend;
pub mod output;
mod panics;
pub mod places;
pub mod plural;
pub mod progress;
pub mod registries;
pub mod replace;
pub mod start;
pub mod why;

use std::ffi::OsString;

use crate::exit::Exit;
use crate::invocation::{Invocation, Request};

/// Runs the program for one command line, `argv[0]` included, and gives its exit code.
pub fn run(argv: Vec<OsString>) -> Exit {
    panics::guard(|| {
        let invocation = Invocation::read(argv);
        match invocation.request {
            Request::PluginMetadata => invocation::print_plugin_metadata(),
            Request::Complete(words) => completion::answer(invocation.caller, &words),
            Request::Command(arguments) => cli::run(invocation.caller, arguments, invocation.docker),
        }
    })
}
