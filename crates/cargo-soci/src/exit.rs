//! Exit codes: the one list of them.

use std::process::ExitCode;

/// How a command ended. `docs/cli.md` lists the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The work is done, or the check found nothing.
    Done = 0,
    /// Findings at or above `--fail-on`.
    Findings = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The work could not be done.
    Failed = 3,
    /// The image holds nothing that can be indexed.
    NothingToIndex = 4,
    /// Stopped by Ctrl-C, SIGTERM or the Docker CLI.
    Interrupted = 130,
}

impl Exit {
    /// Every code, with the sentence that the documentation shows.
    pub const ALL: [(Exit, &str); 6] = [
        (Exit::Done, "done, or nothing found"),
        (Exit::Findings, "findings at or above `--fail-on`"),
        (Exit::Usage, "the command line or the configuration is wrong"),
        (Exit::Failed, "the work could not be done"),
        (
            Exit::NothingToIndex,
            "the image holds nothing that can be indexed",
        ),
        (Exit::Interrupted, "interrupted"),
    ];

    /// The number that the process ends with.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}
