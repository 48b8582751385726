//! A panic is a bug of ours, and it never passes for success: on whatever thread it happens, the run ends with one
//! clear line and exit code 3.

use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Mutex, PoisonError};

use crate::error::CommandError;
use crate::exit::Exit;

/// Does the work of the process. Whatever the panicking thread was writing is dropped as it unwinds, so it never
/// becomes visible.
pub(crate) fn guard(work: impl FnOnce() -> Exit) -> Exit {
    let standard = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        remember(panic);
        // Who asks for a backtrace gets the whole story.
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            standard(panic);
        }
    }));
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    match (outcome, first()) {
        (Ok(exit), None) => exit,
        // A thread that nobody waited for: what it was to do was not done.
        (Ok(_) | Err(_), story) => {
            let story = story.unwrap_or_else(|| "a thread panicked".to_owned());
            let error = CommandError::failed(format!("internal error: {story}"))
                .help("this is a bug in cargo-soci, please report it; RUST_BACKTRACE=1 shows more");
            error.print();
            error.exit()
        }
    }
}

/// The first panic is the cause, later ones are its echo.
static FIRST: Mutex<Option<String>> = Mutex::new(None);

fn first() -> Option<String> {
    FIRST.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn remember(panic: &PanicHookInfo<'_>) {
    let text = panic.payload_as_str().unwrap_or("a panic without a message");
    let place = panic
        .location()
        .map(|place| format!(" ({}:{})", place.file(), place.line()));
    let line = format!("{text}{}", place.unwrap_or_default());
    FIRST
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert(line.lines().collect::<Vec<_>>().join(" "));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test: the hook and the memory belong to the process.
    #[test]
    fn a_panic_on_any_thread_is_an_error() {
        assert_eq!(guard(|| Exit::Done), Exit::Done);
        let exit = guard(|| {
            let thread = std::thread::spawn(|| panic!("made for the test\nin two lines"));
            assert!(thread.join().is_err());
            Exit::Done
        });
        assert_eq!(exit, Exit::Failed);
        let story = first().expect("it was remembered");
        assert!(
            story.starts_with("made for the test in two lines (crates/cargo-soci/src/panics.rs:"),
            "{story}"
        );
        assert_eq!(guard(|| panic!("on this thread")), Exit::Failed);
        assert_eq!(first(), Some(story));
        *FIRST.lock().expect("nobody panics with it") = None;
        drop(panic::take_hook());
    }
}
