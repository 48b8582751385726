//! Stopping: Ctrl-C, SIGTERM, and the Docker CLI closing its plugin socket.
//!
//! The first two signals ask: a flag is set, work in progress sees it and cleans up. Work that cannot
//! see it, because it waits for a pipe, a disk or a peer, is ended after a short while; what it was
//! writing goes with it. The third signal ends it at once. The Docker CLI passes no signals on when it has no terminal; it closes
//! `DOCKER_CLI_PLUGIN_SOCKET` instead, and end of file there counts as the first signal.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use soci_store::workspace;

use crate::build::child;
use crate::error::CommandError;
use crate::exit::Exit;

/// The flag that says "stop", shared by everything that runs for long.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    flag: Arc<AtomicBool>,
    /// A builder that is running: its process id, and whether it leads a group of its own.
    child: Arc<Mutex<Option<(u32, bool)>>>,
    /// What stopping leaves, where that is more than nothing.
    leaves: Arc<OnceLock<&'static str>>,
}

/// Forgets the builder when dropped.
pub struct ChildGuard(Cancel);

impl Drop for ChildGuard {
    fn drop(&mut self) {
        *self.0.child.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Cancel {
    /// Whether somebody asked to stop.
    pub fn is_set(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    /// Asks everything to stop.
    pub fn set(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    /// Asks everything to stop, and ends the process if that does not happen.
    fn stop(&self) {
        self.set();
        let cancel = self.clone();
        std::thread::spawn(move || {
            std::thread::sleep(PATIENCE);
            cancel.end();
        });
    }

    /// Ends the process, and its builder before it.
    fn end(&self) {
        let child = *self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((id, own_group)) = child {
            child::kill_id(id, own_group);
        }
        workspace::remove_all();
        // On a thread of its own: a stderr that nobody reads must not hold us.
        let error = self.interrupted();
        std::thread::spawn(move || error.print());
        std::thread::sleep(Duration::from_millis(50));
        std::process::exit(i32::from(Exit::Interrupted.code()));
    }

    /// The bare flag, for libraries that poll one.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }

    /// Remembers a running builder, which the third signal kills with us.
    pub fn guard_child(&self, id: u32, own_group: bool) -> ChildGuard {
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some((id, own_group));
        ChildGuard(self.clone())
    }

    /// Says what the message of an interruption says, for commands that publish on the way.
    pub fn leaves(&self, message: &'static str) {
        let _ = self.leaves.set(message);
    }

    /// The error of an interruption.
    pub fn interrupted(&self) -> CommandError {
        match self.leaves.get() {
            Some(message) => CommandError::with_exit(Exit::Interrupted, *message),
            None => CommandError::interrupted(),
        }
    }

    /// An error with exit code 130 once somebody asked to stop.
    pub fn check(&self) -> Result<(), CommandError> {
        if self.is_set() {
            Err(self.interrupted())
        } else {
            Ok(())
        }
    }
}

/// What stops by itself has stopped by then. Together with what ending takes it stays below two seconds.
const PATIENCE: Duration = Duration::from_millis(1600);

/// Listens for signals and, under `docker`, to the plugin socket. Call once per process.
pub fn listen() -> Cancel {
    let cancel = Cancel::default();
    let for_signals = cancel.clone();
    let seen = AtomicUsize::new(0);
    // A second handler in one process is refused; the first one keeps working.
    let _ = ctrlc::set_handler(move || match seen.fetch_add(1, Ordering::Relaxed) {
        0 => for_signals.stop(),
        1 => {}
        _ => for_signals.end(),
    });
    #[cfg(unix)]
    if let Some(name) = std::env::var_os("DOCKER_CLI_PLUGIN_SOCKET") {
        follow_plugin_socket(&name, cancel.clone());
    }
    cancel
}

/// Sets the flag when the Docker CLI closes the socket, or has already gone away.
#[cfg(unix)]
fn follow_plugin_socket(name: &std::ffi::OsStr, cancel: Cancel) {
    use std::io::Read;

    let Ok(mut socket) = connect(name) else {
        // No socket to follow: an older docker, or one that ended meanwhile; signals still work.
        return;
    };
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        loop {
            match socket.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
        cancel.stop();
    });
}

/// `@name` is a socket in Linux's abstract name space; anything else is a path.
#[cfg(unix)]
fn connect(name: &std::ffi::OsStr) -> std::io::Result<std::os::unix::net::UnixStream> {
    use std::os::unix::net::UnixStream;

    #[cfg(target_os = "linux")]
    {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::net::SocketAddr;

        if let Some(abstract_name) = name.as_bytes().strip_prefix(b"@") {
            return UnixStream::connect_addr(&SocketAddr::from_abstract_name(abstract_name)?);
        }
    }
    UnixStream::connect(name)
}
