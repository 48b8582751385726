//! A container under an OCI runtime of this machine: started, watched until it is ready, and taken away.

use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::bundle::{Network, Program};
use crate::error::system;
use crate::ready::{Ready, Watch, is_listening};
use crate::world::World;
use crate::{Error, Result};

/// Runtimes that are looked for, in this order.
const RUNTIMES: [&str; 2] = ["runc", "crun"];

/// Takes what a container prints, from any thread.
pub type Output = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// How a container is run.
pub struct Run<'a> {
    /// Its surroundings.
    pub world: &'a World,
    /// Its files, without a writable layer.
    pub lower: &'a Path,
    /// What runs in it.
    pub program: &'a Program,
    /// The runtime's program.
    pub runtime: &'a Path,
    /// What it sees of the network.
    pub network: Network,
    /// When it counts as started.
    pub ready: &'a Ready,
    /// How long that may take.
    pub timeout: Duration,
    /// Whether somebody asked to stop.
    pub stop: &'a dyn Fn() -> bool,
    /// Takes what it prints, stdout and stderr alike.
    pub output: Output,
}

/// A start as it went.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Started {
    /// When the runtime was called.
    pub called: Instant,
    /// When the program was ready.
    pub ready: Instant,
}

/// The program of a runtime: the one given, by name or path, or the first that is there.
///
/// # Errors
/// [`Error::Lacking`]
pub fn find_runtime(wanted: Option<&str>) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = |name: &str| {
        std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    };
    let found = match wanted {
        Some(file) if file.contains('/') => Some(PathBuf::from(file)).filter(|file| file.is_file()),
        Some(name) => on_path(name),
        None => RUNTIMES.into_iter().find_map(on_path),
    };
    found.ok_or_else(|| Error::Lacking {
        what: match wanted {
            Some(wanted) => format!("there is no runtime {wanted:?}"),
            None => "neither runc nor crun is on PATH: a container needs an OCI runtime".to_owned(),
        },
        help: "install one: apt-get install runc; or name another with --runtime".to_owned(),
    })
}

impl Run<'_> {
    /// Starts the container, waits until it is ready, tells `at_ready`, and takes it away.
    ///
    /// # Errors
    /// [`Error::Container`] if it ends, or time does, before it is ready; [`Error::Interrupted`]; [`Error::System`].
    pub fn until_ready(&self, at_ready: impl FnOnce()) -> Result<Started> {
        if let Ready::Port(port) = self.ready
            && is_listening(*port)
        {
            return Err(Error::Container {
                what: format!("something listens on port {port} already, before the container does"),
                help: "stop it, or let the container listen on another port".to_owned(),
            });
        }
        let rootfs = self.world.writable(self.lower)?;
        let bundle = self.world.folder("bundle")?;
        let state = self.world.folder("state")?;
        let name = self.world.name();
        self.program.write_bundle(&bundle, &rootfs, name, self.network)?;
        let watch = Watch::new(self.ready);
        let called = Instant::now();
        let mut container = Container::start(self, &bundle, &state, &watch)?;
        let outcome = self.wait(&mut container, called, &watch);
        if outcome.is_ok() {
            at_ready();
        }
        container.end();
        // As long as it is there it holds the files below it.
        let unmounted = crate::mount::detach(&rootfs);
        let outcome = outcome.and_then(|ready| unmounted.map(|()| ready));
        outcome.map(|ready| Started { called, ready })
    }

    fn wait(&self, container: &mut Container<'_>, called: Instant, watch: &Watch) -> Result<Instant> {
        loop {
            if (self.stop)() {
                return Err(Error::Interrupted);
            }
            let ended = container.ended()?;
            let now = Instant::now();
            let is_ready = match self.ready {
                Ready::Port(port) => is_listening(*port),
                Ready::Http(address) => address.answers(),
                Ready::Log(_) => watch.has_seen(),
                Ready::Exit => ended.is_some_and(|status| status.success()),
                Ready::After(time) => {
                    now.duration_since(called) >= *time || ended.is_some_and(|status| status.success())
                }
            };
            if is_ready {
                return Ok(now);
            }
            if let Some(status) = ended {
                // Its last words are on their way.
                std::thread::sleep(LAST_WORDS);
                if watch.has_seen() {
                    return Ok(now);
                }
                return Err(Error::Container {
                    what: format!("the container ended before it was ready: {}", in_words(status)),
                    help: "what it printed is above; `--ready-exit` takes the end for ready".to_owned(),
                });
            }
            if now.duration_since(called) > self.timeout {
                return Err(Error::Container {
                    what: format!(
                        "the container was not ready after {} s",
                        self.timeout.as_secs_f64()
                    ),
                    help: "give it longer with --timeout, or say otherwise what ready is".to_owned(),
                });
            }
            std::thread::sleep(GLANCE);
        }
    }
}

/// How often it is looked at.
const GLANCE: Duration = Duration::from_millis(2);

/// How long output of an ended container may take to arrive.
const LAST_WORDS: Duration = Duration::from_millis(100);

fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

/// A container that runs.
struct Container<'a> {
    runtime: &'a Path,
    state: PathBuf,
    name: &'a str,
    process: Child,
    status: Option<ExitStatus>,
}

impl<'a> Container<'a> {
    fn start(run: &'a Run<'_>, bundle: &Path, state: &Path, watch: &Watch) -> Result<Self> {
        let name = run.world.name();
        let mut process = Command::new(run.runtime)
            .arg("--root")
            .arg(state)
            .args(["run", "--bundle"])
            .arg(bundle)
            .arg(name)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is for us.
            .process_group(0)
            .spawn()
            .map_err(system("start", run.runtime))?;
        let (stdout, stderr) = (process.stdout.take(), process.stderr.take());
        follow(stdout, watch, &run.output);
        follow(stderr, watch, &run.output);
        Ok(Self {
            runtime: run.runtime,
            state: state.to_path_buf(),
            name,
            process,
            status: None,
        })
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>> {
        if self.status.is_none() {
            self.status = self
                .process
                .try_wait()
                .map_err(system("wait for", self.runtime))?;
        }
        Ok(self.status)
    }

    /// Kills what runs in it and removes what the runtime keeps of it. What does not work here the end of our
    /// processes' namespace does.
    fn end(&mut self) {
        for words in [["kill", self.name, "KILL"], ["delete", "--force", self.name]] {
            let _ = Command::new(self.runtime)
                .arg("--root")
                .arg(&self.state)
                .args(words)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
        }
        let asked = Instant::now();
        while self.ended().is_ok_and(|ended| ended.is_none()) && asked.elapsed() < PATIENCE {
            std::thread::sleep(GLANCE);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How long a killed container may take to be gone.
const PATIENCE: Duration = Duration::from_secs(2);

impl Drop for Container<'_> {
    fn drop(&mut self) {
        if self.status.is_none() {
            self.end();
        }
    }
}

/// Passes output on while it comes; ends with the last process that holds the other end.
fn follow(stream: Option<impl Read + Send + 'static>, watch: &Watch, output: &Output) {
    let (Some(mut stream), watch, output) = (stream, watch.clone(), Arc::clone(output)) else {
        return;
    };
    std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        let mut line = Vec::new();
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    watch.look(&mut line, &buffer[..count]);
                    output(&buffer[..count]);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    });
}

/// A writer of output that never fails: nobody waits for a stderr that is gone.
pub fn to_stderr(bytes: &[u8]) {
    let _ = std::io::stderr().lock().write_all(bytes);
}
