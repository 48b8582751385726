//! Credential helpers: `docker-credential-NAME get`, the server's name on standard input, JSON on
//! standard output (<https://github.com/docker/docker-credential-helpers>, checked 2026-11-24).

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
    use std::io::{self, Read, Write};
    use std::process::{Child, Command, ExitStatus, Stdio};
    use std::thread;
    use std::time::{Duration, Instant};

    use serde::Deserialize;

    use super::{HelperAnswer, Helpers};
    use crate::environment::Environment;
    use crate::secret::Secret;

    /// Helpers that are programs on the `PATH`.
    pub struct ProcessHelpers {
        environment: Environment,
        patience: Duration,
    }

    /// Most output that is read; an ECR password has about 2,700 characters.
    const MAX_OUTPUT: u64 = 64 * 1024;

    /// A helper that asks the user or a slow network gets this long.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// What all helpers print when they do not know a server.
    const NOT_FOUND: &str = "credentials not found";

    #[derive(Deserialize)]
    struct Output {
        #[serde(rename = "Username")]
        username: String,
        #[serde(rename = "Secret")]
        secret: String,
    }

    impl ProcessHelpers {
        /// Helpers that run with exactly this environment.
        pub fn new(environment: Environment) -> Self {
            Self {
                environment,
                patience: PATIENCE,
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
            let output = child.stdout.take().expect("standard output is piped");
            let reader = thread::spawn(move || {
                let mut bytes = Vec::new();
                output.take(MAX_OUTPUT + 1).read_to_end(&mut bytes).map(|_| bytes)
            });
            // A helper that does not read its input is its own affair; its answer counts.
            let _ = input.write_all(server.as_bytes());
            drop(input);
            let deadline = Instant::now() + self.patience;
            while !reader.is_finished() {
                if Instant::now() >= deadline {
                    stop(&mut child);
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "did not answer in time"));
                }
                thread::sleep(Duration::from_millis(5));
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
                if Instant::now() >= deadline {
                    stop(&mut child);
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "did not end in time"));
                }
                thread::sleep(Duration::from_millis(5));
            }
        }
    }

    impl Helpers for ProcessHelpers {
        fn get(&self, helper: &str, server: &str) -> HelperAnswer {
            // The name comes from a file and becomes a program's: no separators.
            let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if helper.is_empty() || helper.len() > 64 || !helper.chars().all(is_name) {
                return HelperAnswer::Failed("is no name of a program".into());
            }
            let program = format!("docker-credential-{helper}");
            let (status, output) = match self.run(&program, server) {
                Ok(finished) => finished,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return HelperAnswer::Failed("is not installed (not on the PATH)".into());
                }
                Err(error) => return HelperAnswer::Failed(error.to_string()),
            };
            if !status.success() {
                let text = String::from_utf8_lossy(&output);
                if text.contains(NOT_FOUND) {
                    return HelperAnswer::NotFound;
                }
                // Only the first line, and only of a failure: a success may hold a password.
                let line: String = text
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .chars()
                    .filter(|c| !c.is_control())
                    .take(200)
                    .collect();
                return HelperAnswer::Failed(format!("ended with {status}: {line}"));
            }
            match serde_json::from_slice::<Output>(&output) {
                Ok(Output { username, secret }) if !secret.is_empty() => HelperAnswer::Found {
                    username,
                    secret: Secret::new(secret),
                },
                Ok(_) => HelperAnswer::NotFound,
                Err(_) => HelperAnswer::Failed("printed something else than credentials".into()),
            }
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

        fn ask(script: &str, helper: &str) -> HelperAnswer {
            let folder = tempfile::tempdir().unwrap();
            let program = folder.path().join("docker-credential-fake");
            fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            let path = format!("{}:/usr/bin:/bin", folder.path().display());
            ProcessHelpers::new(Environment::new([("PATH", path)]))
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
                ("echo broken; exit 3", "ended with exit status: 3: broken"),
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
    }
}
