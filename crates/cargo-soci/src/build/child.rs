//! Running the builder: its output shown on stderr, stopped when we are.

use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::cancel::Cancel;
use crate::error::CommandError;
use crate::escape;

/// Runs `command` to its end. What it prints on stdout goes to our stderr, because our stdout
/// carries the report.
///
/// On a terminal the builder stays in our process group, so that Ctrl-C reaches it by itself and it
/// can draw its progress. Without one it gets a group of its own, and SIGINT from us when we are to
/// stop; whatever it started gets it as well.
pub fn run(command: &mut Command, cancel: &Cancel) -> Result<ExitStatus, CommandError> {
    cancel.check()?;
    let shown = show(command);
    command.stdin(Stdio::inherit()).stdout(Stdio::from(io::stderr()));
    let own_group = !has_terminal();
    #[cfg(unix)]
    if own_group {
        std::os::unix::process::CommandExt::process_group(command, 0);
    }
    let mut child = command.spawn().map_err(|error| {
        let failed = CommandError::failed(format!("cannot run `{shown}`")).because(&error);
        match error.kind() {
            io::ErrorKind::NotFound => failed.help("is the program installed, and on PATH?"),
            _ => failed,
        }
    })?;
    let _registered = cancel.guard_child(child.id(), own_group);
    let status = wait(&mut child, cancel, own_group)
        .map_err(|error| CommandError::failed(format!("cannot wait for `{shown}`")).because(&error))?;
    // What a stopped builder left half done is of no use, whatever its exit code.
    cancel.check()?;
    Ok(status)
}

/// A command line as a person would type it.
pub fn show(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    show_words(&words)
}

/// The same for words.
pub fn show_words(words: &[String]) -> String {
    let quoted: Vec<String> = words
        .iter()
        .map(|word| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+#".contains(c);
            if !word.is_empty() && word.chars().all(is_plain) {
                word.clone()
            } else {
                format!("'{}'", escape::terminal(word).replace('\'', r"'\''"))
            }
        })
        .collect();
    quoted.join(" ")
}

fn wait(child: &mut Child, cancel: &Cancel, own_group: bool) -> io::Result<ExitStatus> {
    let mut stopping_since: Option<Instant> = None;
    let mut told = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if cancel.is_set() {
            let since = *stopping_since.get_or_insert_with(Instant::now);
            // Ctrl-C has reached a builder on our terminal already, and a second SIGINT would make
            // some of them give up cleaning; SIGTERM to us alone has not, so tell it after a while.
            let grace = if own_group { Duration::ZERO } else { GRACE };
            if !told && since.elapsed() >= grace {
                interrupt(child, own_group);
                told = true;
            }
            if since.elapsed() >= PATIENCE {
                kill(child, own_group);
                return child.wait();
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(unix)]
fn has_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

#[cfg(not(unix))]
fn has_terminal() -> bool {
    true
}

#[cfg(unix)]
fn interrupt(child: &Child, own_group: bool) {
    signal(child.id(), own_group, rustix::process::Signal::INT);
}

#[cfg(not(unix))]
fn interrupt(_child: &Child, _own_group: bool) {}

fn kill(child: &mut Child, own_group: bool) {
    kill_id(child.id(), own_group);
    // It may have ended meanwhile.
    let _ = child.kill();
}

/// Kills a builder at once.
#[cfg(unix)]
pub(crate) fn kill_id(id: u32, own_group: bool) {
    signal(id, own_group, rustix::process::Signal::KILL);
}

/// Kills a builder at once; here `Child::kill` does it.
#[cfg(not(unix))]
pub(crate) fn kill_id(_id: u32, _own_group: bool) {}

#[cfg(unix)]
fn signal(id: u32, own_group: bool, signal: rustix::process::Signal) {
    use rustix::process::{Pid, kill_process, kill_process_group};

    let Some(id) = i32::try_from(id).ok().and_then(Pid::from_raw) else {
        return;
    };
    // It may have ended meanwhile.
    let _ = if own_group {
        kill_process_group(id, signal)
    } else {
        kill_process(id, signal)
    };
}

/// A builder that does not stop within this time is killed: we end within two seconds.
const PATIENCE: Duration = Duration::from_millis(1200);
/// A builder on our terminal has this long to see Ctrl-C by itself.
const GRACE: Duration = Duration::from_millis(400);

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn words_are_shown_as_a_shell_takes_them() {
        let words = ["sh", "-c", "echo 'a' $B", ""].map(str::to_owned);
        assert_eq!(show_words(&words), r"sh -c 'echo '\''a'\'' $B' ''");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program"), &Cancel::default()).expect_err("it is missing");
        assert!(
            error.message().starts_with("cannot run `no-such-program`: "),
            "{error}"
        );
        assert!(error.help_text().is_some());
    }

    #[test]
    fn a_cancelled_builder_and_its_children_end() {
        let cancel = Cancel::default();
        let for_thread = cancel.clone();
        let stopper = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            for_thread.set();
        });
        let started = Instant::now();
        let error = run(Command::new("sh").args(["-c", "sleep 60; true"]), &cancel).expect_err("stopped");
        assert_eq!(error.exit(), crate::exit::Exit::Interrupted);
        // Where SIGINT is ignored, as in the background of a script, it takes our patience longer.
        assert!(started.elapsed() < PATIENCE + Duration::from_secs(10));
        stopper.join().expect("the thread sleeps and sets a flag");
    }
}
