//! `trace SRC [-- COMMAND…]`: a start of a lazily mounted image on this machine, recorded and measured.

#[cfg(target_os = "linux")]
mod human;
#[cfg(target_os = "linux")]
mod linux;

use std::path::PathBuf;
use std::time::Duration;

use soci_start::Link;

use crate::commands::CommandResult;
use crate::context::{Context, Format};
use crate::lazy_image::Which;

/// Flags of `trace`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The image is mounted as a lazy client mounts it, with a writable layer on top, and its own command runs in it under an
OCI runtime; COMMAND takes the place of the image's Cmd. What is read until ready goes into the trace file, which
`estimate` reads. With --link the image comes over a line of that bandwidth and round trip, to a client as fast as the
one that was measured (docs/trace.md). Everything is unmounted and removed at the end, whatever the end is.
Linux only, as root, with runc or crun.

  sudo cargo soci trace ./app-soci --ready-port 8080 --output app.trace
  sudo cargo soci trace ./app-soci --ready-exit --link 200Mbit/2ms -- python3 -c 'import numpy'
  sudo cargo soci trace ./app-soci --ready-port 8080 --link 200Mbit/2ms --whole")]
pub struct Args {
    /// Where the image is
    #[arg(value_name = "SRC")]
    pub source: String,
    /// What runs instead of the image's Cmd, with its arguments
    #[arg(value_name = "COMMAND", last = true)]
    pub command: Vec<String>,
    /// The image, if SRC has several.
    #[command(flatten)]
    pub which: Which,
    /// What ready is.
    #[command(flatten)]
    pub ready: ReadyFlags,
    /// Give up after this time from the start of the container: 90s, 5m
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = time)]
    pub timeout: Duration,
    /// Be as slow as this link, bandwidth and round trip, and as the lazy client behind it
    #[arg(long, value_name = "LINK")]
    pub link: Option<Link>,
    /// Download and unpack all layers before the start, to compare; writes no trace file
    #[arg(long)]
    pub whole: bool,
    /// Where the trace goes; `-` is stdout, in place of the report
    #[arg(
        short,
        long,
        value_name = "OUT",
        default_value = "app.trace",
        conflicts_with = "whole"
    )]
    pub output: PathBuf,
    /// The runtime, by name or path; without it runc or crun
    #[arg(long, value_name = "RUNTIME")]
    pub runtime: Option<String>,
    /// host or none
    #[arg(
        long,
        value_enum,
        value_name = "NETWORK",
        default_value = "host",
        hide_possible_values = true
    )]
    pub network: NetworkFlag,
    /// Runs instead of the image's Entrypoint and Cmd
    #[arg(long, value_name = "PROGRAM")]
    pub entrypoint: Option<String>,
    /// A variable of the container; can be repeated
    #[arg(short, long, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// Runs as this user instead of the image's: a name or number, with :GROUP or without
    #[arg(short, long, value_name = "USER")]
    pub user: Option<String>,
    /// Starts in this folder instead of the image's
    #[arg(short, long, value_name = "DIR")]
    pub workdir: Option<String>,
}

/// When the program counts as started. Without any of them: when it ends, or after 30 s.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub struct ReadyFlags {
    /// Ready when something listens on this TCP port
    #[arg(long, value_name = "PORT")]
    pub ready_port: Option<u16>,
    /// Ready when a GET of this http address is answered with a status below 400
    #[arg(long, value_name = "URL")]
    pub ready_http: Option<String>,
    /// Ready when a line of its output matches
    #[arg(long, value_name = "REGEX")]
    pub ready_log: Option<String>,
    /// Ready when it ends, with exit code 0
    #[arg(long)]
    pub ready_exit: bool,
    /// Ready after this time, or when it ends with exit code 0 before [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub r#for: Option<Duration>,
}

/// What the container sees of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum NetworkFlag {
    /// This machine's.
    Host,
    /// Itself.
    None,
}

/// `500ms`, `30s`, `5m`
fn time(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000)];
    units
        .iter()
        .find_map(|(unit, milliseconds)| {
            let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
            number.checked_mul(*milliseconds)
        })
        .filter(|milliseconds| (1..=MOST).contains(milliseconds))
        .map(Duration::from_millis)
        .ok_or_else(|| "write a time up to a day, such as 500ms, 30s or 5m".to_owned())
}

/// A day, in milliseconds.
const MOST: u64 = 86_400_000;

/// Runs, records, tells.
pub fn run(args: Args, context: &Context) -> CommandResult {
    let format = context.format(&[Format::Human, Format::Json])?;
    machine(args, format, context)
}

#[cfg(not(target_os = "linux"))]
fn machine(args: Args, format: Format, context: &Context) -> CommandResult {
    let _ = (args, format, context);
    Err(crate::error::CommandError::failed("`trace` works on Linux only")
        .help("`cargo soci estimate` takes traces of strace and fatrace everywhere"))
}

#[cfg(target_os = "linux")]
use linux::machine;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, milliseconds) in [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("1440m", MOST)] {
            assert_eq!(time(text), Ok(Duration::from_millis(milliseconds)));
        }
        for text in [
            "",
            "30",
            "s",
            "0s",
            "-1s",
            "1.5s",
            "1h",
            "1441m",
            "99999999999999999999s",
            "9999999999999999999m",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
