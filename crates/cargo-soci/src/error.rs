//! What a command says when it cannot do its work: what, where, and what to do next.

use std::error::Error;
use std::fmt::Display;
use std::io;

use crate::causes;
use crate::escape;
use crate::exit::Exit;

/// A failed command, as the user reads it.
///
/// ```text
/// error: cannot read layer.tar.gz: no such file
///   help: give the path of a gzip or tar file
/// ```
#[derive(Debug)]
pub struct CommandError {
    exit: Exit,
    message: String,
    help: Option<String>,
}

impl CommandError {
    /// The work could not be done (exit code 3). `message` says what and where.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::with_exit(Exit::Failed, message)
    }

    /// The command line or the configuration is wrong (exit code 2).
    pub fn usage(message: impl Into<String>) -> Self {
        Self::with_exit(Exit::Usage, message)
    }

    /// There is nothing to index (exit code 4).
    pub fn nothing_to_index(message: impl Into<String>) -> Self {
        Self::with_exit(Exit::NothingToIndex, message)
    }

    /// Ctrl-C, SIGTERM or the Docker CLI asked to stop (exit code 130).
    pub fn interrupted() -> Self {
        Self::with_exit(Exit::Interrupted, "interrupted; nothing was published")
    }

    /// An error with any exit code.
    pub fn with_exit(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            help: None,
        }
    }

    /// The same error followed by the causes of `error`: `message: cause: cause`.
    #[must_use]
    pub fn because(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(cause) = next {
            if let Some(error) = cause.downcast_ref::<io::Error>() {
                self.message.push_str(": ");
                self.message.push_str(&causes::of_io(error, false));
                break;
            }
            let text = cause.to_string();
            // Wrappers that already show their source would say the same twice.
            if !self.message.ends_with(&text) {
                self.message.push_str(": ");
                self.message.push_str(&text);
            }
            next = cause.source();
        }
        self
    }

    /// The same error behind what could not be done because of it. An interruption is nobody's fault.
    #[must_use]
    pub fn after(mut self, consequence: &str) -> Self {
        if self.exit != Exit::Interrupted {
            self.message = format!("{consequence}: {}", self.message);
        }
        self
    }

    /// The same error with a line that says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The exit code that the process ends with.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// What is wrong, without the help.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it, if that is known.
    pub fn help_text(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Prints the error to stderr, foreign text escaped.
    pub fn print(&self) {
        let red = anstyle::AnsiColor::Red.on_default().bold();
        let cyan = anstyle::AnsiColor::Cyan.on_default().bold();
        if self.exit == Exit::Interrupted {
            anstream::eprintln!("{}", lines(&self.message, "  "));
            return;
        }
        anstream::eprintln!("{red}error{red:#}: {}", lines(&self.message, "  "));
        if let Some(help) = &self.help {
            anstream::eprintln!("  {cyan}help{cyan:#}: {}", lines(help, "        "));
        }
    }
}

/// Turns the error of a library into one of a command.
pub trait OrFail<T> {
    /// A failure reads `message: causes`, exit code 3.
    fn or_fail(self, message: impl FnOnce() -> String) -> Result<T, CommandError>;
}

impl<T, E: Error + 'static> OrFail<T> for Result<T, E> {
    fn or_fail(self, message: impl FnOnce() -> String) -> Result<T, CommandError> {
        self.map_err(|error| CommandError::failed(message()).because(&error))
    }
}

/// Our own messages may have lines; each is escaped by itself and indented after the first.
fn lines(text: &str, indent: &str) -> String {
    let escaped: Vec<_> = text.lines().map(escape::terminal).collect();
    escaped.join(&format!("\n{indent}"))
}

impl Display for CommandError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for CommandError {}
