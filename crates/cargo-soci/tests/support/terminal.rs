//! A program on a pseudo terminal: what is typed, and what a screen of 80 columns shows in the end.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A program that believes to be used by a person.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<vt100::Parser>>,
}

impl Terminal {
    /// Starts the command with the terminal as its controlling one.
    pub(crate) fn start(command: &Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo terminal");
        grantpt(&master)
            .and_then(|()| unlockpt(&master))
            .expect("it is ours");
        let name = ptsname(&master, Vec::new()).expect("it has a name");
        let name = name.into_string().expect("of digits");
        let size = rustix::termios::Winsize {
            ws_row: ROWS,
            ws_col: COLUMNS,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&master, size).expect("a terminal has a size");
        let side = || {
            File::options()
                .read(true)
                .write(true)
                .open(&name)
                .expect("the other side opens")
        };
        // setsid makes it the controlling terminal, which only a new process of its own session can.
        let mut setsid = Command::new("setsid");
        setsid
            .args(["--ctty", "--wait"])
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => setsid.env(name, value),
                None => setsid.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            setsid.current_dir(folder);
        }
        let child = setsid
            .env("TERM", "xterm")
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .expect("setsid runs");
        let keyboard = File::from(master);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 1000)));
        let (mut output, shown) = (
            keyboard.try_clone().expect("a second handle"),
            Arc::clone(&screen),
        );
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // An error is the end of the other side.
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                shown.lock().expect("no panic").process(&buffer[..count]);
            }
        });
        Self {
            child,
            keyboard,
            screen,
        }
    }

    /// Types.
    pub(crate) fn keys(&mut self, keys: &str) {
        self.keyboard
            .write_all(keys.as_bytes())
            .expect("the terminal is there");
    }

    /// Waits until the screen shows this text.
    pub(crate) fn shows(&self, text: &str) {
        let started = Instant::now();
        while !self.screen().contains(text) {
            assert!(
                started.elapsed() < PATIENCE,
                "no {text:?} on the screen:\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the program ended, and until all that it wrote was read.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("our child") {
                std::thread::sleep(Duration::from_millis(100));
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "still running:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What a person sees now.
    pub(crate) fn screen(&self) -> String {
        self.screen.lock().expect("no panic").screen().contents()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a file that a shell writes.
pub(crate) fn written(path: &Path, terminal: &Terminal) -> String {
    let started = Instant::now();
    loop {
        match std::fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text,
            _ => {}
        }
        assert!(
            started.elapsed() < PATIENCE,
            "nothing was written:\n{}",
            terminal.screen()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

const ROWS: u16 = 40;
const COLUMNS: u16 = 80;
/// Bounds a test that would wait forever.
const PATIENCE: Duration = Duration::from_secs(60);
