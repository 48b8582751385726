//! Credential helpers: `docker-credential-NAME get`, the server's name on standard input, JSON on
//! standard output (<https://github.com/docker/docker-credential-helpers>, checked 2026-11-24).

use serde::Deserialize;

use crate::secret::Secret;

/// What a helper says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelperAnswer {
    /// It knows the server.
    Found {
        /// The user name; `<token>` marks a refresh token.
        username: String,
        /// Password or token.
        secret: Secret,
    },
    /// It does not know the server.
    NotFound,
    /// It could not be asked, and why; holds nothing secret.
    Failed(String),
}

/// A way to ask credential helpers.
pub trait Helpers: Send + Sync {
    /// Asks the helper of this name (without `docker-credential-`) about a server.
    fn get(&self, helper: &str, server: &str) -> HelperAnswer;
}

/// Most output that is read; an ECR password has about 2,700 characters.
pub const MAX_HELPER_OUTPUT: usize = 64 * 1024;

/// What all helpers print when they do not know a server.
const NOT_FOUND: &str = "credentials not found";

/// The program of a helper.
///
/// # Errors
/// The answer to give where the name is none: it comes from a file, and becomes that of a program.
pub fn helper_program(helper: &str) -> Result<String, HelperAnswer> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if helper.is_empty() || helper.len() > 64 || !helper.chars().all(is_name) {
        return Err(HelperAnswer::Failed("is no name of a program".into()));
    }
    Ok(format!("docker-credential-{helper}"))
}

/// What a helper says by its output, and by how it ended if not well ("exit status: 1").
pub fn helper_answer(failure: Option<&str>, output: &[u8]) -> HelperAnswer {
    if let Some(failure) = failure {
        let text = String::from_utf8_lossy(output);
        if text.contains(NOT_FOUND) {
            return HelperAnswer::NotFound;
        }
        // Not one word of it is quoted: helpers print passwords there.
        return HelperAnswer::Failed(format!("ended with {failure}"));
    }
    match serde_json::from_slice::<Output>(output) {
        Ok(Output { username, secret }) if !secret.is_empty() => HelperAnswer::Found {
            username,
            secret: Secret::new(secret),
        },
        Ok(_) => HelperAnswer::NotFound,
        Err(_) => HelperAnswer::Failed("printed something else than credentials".into()),
    }
}

#[derive(Deserialize)]
struct Output {
    #[serde(rename = "Username")]
    username: String,
    #[serde(rename = "Secret")]
    secret: String,
}

/// A host without programs.
pub struct NoHelpers;

impl Helpers for NoHelpers {
    fn get(&self, _helper: &str, _server: &str) -> HelperAnswer {
        HelperAnswer::Failed("no programs can be started here".into())
    }
}

#[cfg(feature = "native")]
pub use self::process::ProcessHelpers;

#[cfg(feature = "native")]
mod process {
    use std::collections::BTreeMap;
    use std::io::{self, Read, Write};
    use std::process::{Child, Command, ExitStatus, Stdio};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, PoisonError};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::{HelperAnswer, Helpers, MAX_HELPER_OUTPUT, helper_answer, helper_program};
    use crate::environment::Environment;

    /// Helpers that are programs on the `PATH`.
    pub struct ProcessHelpers {
        environment: Environment,
        patience: Duration,
        interrupted: Arc<AtomicBool>,
        /// Helpers that could not answer are not asked again: each time may cost the whole patience.
        failed: Mutex<BTreeMap<String, String>>,
    }

    const MAX_OUTPUT: u64 = MAX_HELPER_OUTPUT as u64;

    /// A helper that asks the user or a slow network gets this long.
    const PATIENCE: Duration = Duration::from_secs(60);

    impl ProcessHelpers {
        /// Helpers that run with exactly this environment, until the flag is raised.
        pub fn new(environment: Environment, interrupted: Arc<AtomicBool>) -> Self {
            Self {
                environment,
                patience: PATIENCE,
                interrupted,
                failed: Mutex::default(),
            }
        }

        /// The same with another time limit.
        #[must_use]
        pub fn with_patience(self, patience: Duration) -> Self {
            Self { patience, ..self }
        }

        fn run(&self, program: &str, server: &str) -> io::Result<(ExitStatus, Vec<u8>)> {
            let mut child = Command::new(program)
                .arg("get")
                .env_clear()
                .envs(self.environment.variables())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()?;
            let mut input = child.stdin.take().expect("standard input is piped");
            let server = server.to_owned();
            // A helper that does not read its input is its own affair; its answer counts.
            thread::spawn(move || input.write_all(server.as_bytes()).ok());
            let output = child.stdout.take().expect("standard output is piped");
            let reader = thread::spawn(move || {
                let mut bytes = Vec::new();
                output.take(MAX_OUTPUT + 1).read_to_end(&mut bytes).map(|_| bytes)
            });
            let deadline = Instant::now() + self.patience;
            while !reader.is_finished() {
                self.go_on(&mut child, deadline, "did not answer in time")?;
            }
            let bytes = reader
                .join()
                .map_err(|_| io::Error::other("its output could not be read"))??;
            if bytes.len() as u64 > MAX_OUTPUT {
                stop(&mut child);
                return Err(io::Error::other(format!("printed more than {MAX_OUTPUT} bytes")));
            }
            // The output is closed; what still runs after that gets no more than the patience.
            loop {
                if let Some(status) = child.try_wait()? {
                    return Ok((status, bytes));
                }
                self.go_on(&mut child, deadline, "did not end in time")?;
            }
        }

        /// Waits a little, or stops the helper.
        fn go_on(&self, child: &mut Child, deadline: Instant, late: &'static str) -> io::Result<()> {
            let problem = if self.interrupted.load(Ordering::Relaxed) {
                "was interrupted"
            } else if Instant::now() >= deadline {
                late
            } else {
                thread::sleep(Duration::from_millis(5));
                return Ok(());
            };
            stop(child);
            Err(io::Error::new(io::ErrorKind::TimedOut, problem))
        }

        fn ask(&self, helper: &str, server: &str) -> HelperAnswer {
            let program = match helper_program(helper) {
                Ok(program) => program,
                Err(answer) => return answer,
            };
            let (status, output) = match self.run(&program, server) {
                Ok(finished) => finished,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return HelperAnswer::Failed("is not installed (not on the PATH)".into());
                }
                Err(error) => return HelperAnswer::Failed(error.to_string()),
            };
            let failure = (!status.success()).then(|| status.to_string());
            helper_answer(failure.as_deref(), &output)
        }
    }

    impl Helpers for ProcessHelpers {
        fn get(&self, helper: &str, server: &str) -> HelperAnswer {
            // Held while one is asked: several threads that need the same login need it once.
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(problem) = failed.get(helper) {
                return HelperAnswer::Failed(problem.clone());
            }
            let answer = self.ask(helper, server);
            if let HelperAnswer::Failed(problem) = &answer {
                failed.insert(helper.to_owned(), problem.clone());
            }
            answer
        }
    }

    fn stop(child: &mut Child) {
        // It may have ended meanwhile; then there is nothing to stop.
        let _ = child.kill();
        let _ = child.wait();
    }

    #[cfg(all(test, unix))]
    mod tests {
        use std::fs;
        use std::os::unix::fs::PermissionsExt;

        use super::*;
        use crate::secret::Secret;

        fn ask(script: &str, helper: &str) -> HelperAnswer {
            let folder = tempfile::tempdir().unwrap();
            let program = folder.path().join("docker-credential-fake");
            fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            let path = format!("{}:/usr/bin:/bin", folder.path().display());
            ProcessHelpers::new(Environment::new([("PATH", path)]), Arc::default())
                .with_patience(Duration::from_secs(2))
                .get(helper, "r.example")
        }

        #[test]
        fn the_protocol_is_spoken() {
            let script = r#"test "$1" = get && read -r server; printf '{"ServerURL":"%s","Username":"u-%s","Secret":"p"}' "$server" "$server""#;
            assert_eq!(
                ask(script, "fake"),
                HelperAnswer::Found {
                    username: "u-r.example".into(),
                    secret: Secret::new("p")
                }
            );
            let script = "cat >/dev/null; echo 'credentials not found in native keychain'; exit 1";
            assert_eq!(ask(script, "fake"), HelperAnswer::NotFound);
        }

        #[test]
        fn helpers_that_misbehave_are_reported() {
            for (script, text) in [
                ("echo hunter2; exit 3", "ended with exit status: 3"),
                ("echo hunter2", "something else"),
                ("exec sleep 30", "did not answer in time"),
                ("exec yes", "printed more than"),
                ("exec >&-; exec sleep 30", "did not end in time"),
            ] {
                let HelperAnswer::Failed(problem) = ask(script, "fake") else {
                    panic!("{script}")
                };
                assert!(problem.contains(text), "{script}: {problem}");
                assert!(!problem.contains("hunter2"));
            }
            assert!(
                matches!(ask("", "absent"), HelperAnswer::Failed(text) if text.contains("not installed"))
            );
            assert!(matches!(ask("", "../fake"), HelperAnswer::Failed(text) if text.contains("no name")));
        }

        #[test]
        fn a_helper_that_hangs_is_asked_once_and_ends_with_the_run() {
            let folder = tempfile::tempdir().unwrap();
            let program = folder.path().join("docker-credential-slow");
            fs::write(&program, "#!/bin/sh\necho x >>\"$0.calls\"\nexec sleep 60\n").unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            let path = format!("{}:/usr/bin:/bin", folder.path().display());
            let interrupted = Arc::new(AtomicBool::new(false));
            let environment = Environment::new([("PATH", path)]);
            let helpers = ProcessHelpers::new(environment.clone(), Arc::clone(&interrupted))
                .with_patience(Duration::from_millis(200));
            for _ in 0..3 {
                assert!(
                    matches!(helpers.get("slow", "r.example"), HelperAnswer::Failed(text) if text.contains("in time"))
                );
            }
            let calls = fs::read_to_string(folder.path().join("docker-credential-slow.calls")).unwrap();
            assert_eq!(calls.lines().count(), 1);
            let patient = ProcessHelpers::new(environment, Arc::clone(&interrupted));
            let raise = thread::spawn(move || {
                thread::sleep(Duration::from_millis(100));
                interrupted.store(true, Ordering::Relaxed);
            });
            let begun = Instant::now();
            assert!(
                matches!(patient.get("slow", "r.example"), HelperAnswer::Failed(text) if text.contains("interrupted"))
            );
            raise.join().unwrap();
            assert!(begun.elapsed() < Duration::from_secs(30));
        }
    }
}
