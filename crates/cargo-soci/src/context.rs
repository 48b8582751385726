//! What a command gets from its surroundings: where to print, how much, and when to stop.
//!
//! stdout carries exactly one thing: the report, or with `-q` the digest. All else goes to stderr.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use terminal_size::Width;

use crate::cancel::Cancel;
use crate::causes;
use crate::error::CommandError;
use crate::escape;
use crate::invocation::{Caller, DockerFlags};
use crate::progress::Progress;
use crate::registries::Registries;

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables and sentences.
    Human,
    /// One line per thing.
    Short,
    /// One JSON document.
    Json,
    /// GitHub workflow commands.
    Github,
    /// SARIF 2.1.0.
    Sarif,
    /// Markdown, for job summaries.
    Markdown,
    /// One page for a browser.
    Html,
}

impl Format {
    /// The word on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Human => "human",
            Format::Short => "short",
            Format::Json => "json",
            Format::Github => "github",
            Format::Sarif => "sarif",
            Format::Markdown => "markdown",
            Format::Html => "html",
        }
    }
}

/// How much goes to stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    /// Errors, warnings and notes.
    Normal,
    /// Details as well.
    Verbose,
    /// Every request and decision.
    Trace,
}

/// What every command gets beside its own arguments.
pub struct Context {
    /// The program that the user typed.
    pub caller: Caller,
    /// The report form that was asked for, if one was.
    pub format: Option<Format>,
    /// How much goes to stderr.
    pub verbosity: Verbosity,
    /// Set when somebody asked to stop.
    pub cancel: Cancel,
    /// Bars or lines on stderr.
    pub progress: Arc<Progress>,
    /// What docker was told before our name.
    pub docker: DockerFlags,
    /// The registries that commands reach.
    pub registries: Registries,
}

impl Context {
    /// The report form for a command that knows `supported`; the first one is its default.
    pub fn format(&self, supported: &[Format]) -> Result<Format, CommandError> {
        let default = supported.first().copied().unwrap_or(Format::Human);
        let asked = self.format.unwrap_or(default);
        if supported.contains(&asked) {
            return Ok(asked);
        }
        let names: Vec<&str> = supported.iter().map(|format| format.name()).collect();
        Err(
            CommandError::usage(format!("this command has no `--format {}`", asked.name()))
                .help(format!("use one of: {}", names.join(", "))),
        )
    }

    /// Prints the report to stdout, with a line end if it has none.
    ///
    /// A reader that went away (`| head`) is not an error: the work itself is done.
    pub fn report(&self, text: &str) -> Result<(), CommandError> {
        let end = if text.ends_with('\n') || text.is_empty() {
            ""
        } else {
            "\n"
        };
        self.progress.suspend(|| {
            let mut stdout = anstream::stdout().lock();
            write_all(&mut stdout, text.as_bytes()).and_then(|()| write_all(&mut stdout, end.as_bytes()))
        })
    }

    /// Prints bytes to stdout as they are.
    pub fn report_bytes(&self, bytes: &[u8]) -> Result<(), CommandError> {
        write_all(&mut std::io::stdout().lock(), bytes)
    }

    /// Prints a value as indented JSON to stdout.
    pub fn report_json(&self, value: &impl serde::Serialize) -> Result<(), CommandError> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| CommandError::failed("cannot write the report as JSON").because(&error))?;
        self.report(&escape::json(&text))
    }

    /// Tells something on stderr, unless `-q` was given. Escape foreign parts with
    /// [`escape::terminal`].
    pub fn note(&self, text: &str) {
        self.tell(Verbosity::Normal, text);
    }

    /// Tells something on stderr with `-v`.
    pub fn detail(&self, text: &str) {
        self.tell(Verbosity::Verbose, text);
    }

    /// Warns on stderr, unless `-q` was given. The text is escaped here.
    pub fn warn(&self, text: &str) {
        let yellow = anstyle::AnsiColor::Yellow.on_default().bold();
        let text = escape::terminal(text);
        self.tell(Verbosity::Normal, &format!("{yellow}warning{yellow:#}: {text}"));
    }

    /// Columns that a report for people may take: those of the terminal, or 80 where stdout is none.
    pub fn columns(&self) -> usize {
        match terminal_size::terminal_size_of(std::io::stdout()) {
            Some((Width(columns), _)) => usize::from(columns).clamp(NARROWEST, WIDEST),
            None => soci_lint::columns::COLUMNS,
        }
    }

    /// Whether `-vv` was given.
    pub fn tells_trace(&self) -> bool {
        self.verbosity >= Verbosity::Trace
    }

    /// Whether `-v` was given.
    pub fn tells_details(&self) -> bool {
        self.verbosity >= Verbosity::Verbose
    }

    /// Whether `-q` was given: stdout then carries the digest only.
    pub fn is_quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// Docker's configuration folder: `--config`, `DOCKER_CONFIG`, or `~/.docker`.
    pub fn docker_config_folder(&self) -> Option<PathBuf> {
        let from_environment =
            |name: &str| -> Option<OsString> { std::env::var_os(name).filter(|value| !value.is_empty()) };
        self.docker
            .config
            .clone()
            .or_else(|| from_environment("DOCKER_CONFIG").map(PathBuf::from))
            .or_else(|| {
                let home = from_environment("HOME").or_else(|| from_environment("USERPROFILE"))?;
                Some(PathBuf::from(home).join(".docker"))
            })
    }

    fn tell(&self, at_least: Verbosity, text: &str) {
        if self.verbosity >= at_least {
            self.progress.suspend(|| {
                // A stderr that is gone leaves nobody to tell.
                let _ = writeln!(anstream::stderr().lock(), "{text}");
            });
        }
    }
}

/// Narrower terminals break lines themselves.
const NARROWEST: usize = 40;
/// Longer lines are hard to read.
const WIDEST: usize = 120;

fn write_all(sink: &mut impl Write, bytes: &[u8]) -> Result<(), CommandError> {
    match sink.write_all(bytes).and_then(|()| sink.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(causes::of_file("write to", Path::new("-"), &error))
        }
        _ => Ok(()),
    }
}
