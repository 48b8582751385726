//! Running the program in a clean environment, with a stand-in for docker and a registry in this process.
#![allow(dead_code, reason = "each test binary uses its part")]

#[cfg(all(target_os = "linux", feature = "real-tools"))]
pub(crate) mod machine;
#[cfg(all(unix, feature = "real-tools"))]
pub(crate) mod terminal;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;
use soci_tests::registry::{Behaviour, TestRegistry};

/// A folder for one test, with what every command line of it shares.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    path: Option<String>,
    variables: Vec<(String, String)>,
}

impl Place {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            path: None,
            variables: Vec::new(),
        };
        place.write("docker-config/config.json", "{}");
        place
    }

    /// The same with the stand-in as `docker`, replaying a recorded case against a registry.
    pub(crate) fn with_stand_in(case: &str, registry: &TestRegistry) -> Self {
        let mut place = Self::new();
        let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stand-in");
        let path = std::env::var("PATH").unwrap_or_default();
        place.path = Some(format!("{}:{path}", stand_in.display()));
        let case = soci_tests::buildx_vectors().join(case);
        let log = place.join("docker.log");
        place.set("STAND_IN_CASE", &case.display().to_string());
        place.set("STAND_IN_REGISTRY", &registry.host());
        place.set("STAND_IN_LOG", &log.display().to_string());
        place
    }

    /// A variable for every command that follows.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// A folder that is looked in before the others.
    pub(crate) fn prepend_path(&mut self, folder: &Path) {
        let path = self
            .path
            .take()
            .or_else(|| std::env::var("PATH").ok())
            .unwrap_or_default();
        self.path = Some(format!("{}:{path}", folder.display()));
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("the folder is writable");
        fs::write(path, text).expect("the folder is writable");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The command lines that the stand-in got; temporary folders are shown as TEMPORARY.
    pub(crate) fn docker_log(&self) -> String {
        let log = fs::read_to_string(self.join("docker.log")).unwrap_or_default();
        let mut shown = String::new();
        for (number, part) in log.split(".cargo-soci-").enumerate() {
            if number == 0 {
                shown.push_str(part);
            } else {
                let cut = shown.rfind([' ', '=', '"']).map_or(0, |at| at + 1);
                shown.truncate(cut);
                shown.push_str("TEMPORARY");
                shown.push_str(part.trim_start_matches(|c: char| c.is_ascii_alphanumeric()));
            }
        }
        shown
    }

    /// `cargo-soci` with these words, not yet run.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        self.program(Path::new(env!("CARGO_BIN_EXE_cargo-soci")), words)
    }

    /// Any program in the same surroundings.
    pub(crate) fn program(&self, program: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(words).current_dir(self.path());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            let is_ours = [
                "CARGO_SOCI_",
                "CARGO_TERM_",
                "DOCKER_",
                "REGISTRY_AUTH",
                "GITHUB_",
                "AWS_",
                "CLICOLOR",
            ]
            .iter()
            .any(|prefix| name.starts_with(prefix));
            if is_ours {
                command.env_remove(name);
            }
        }
        command
            .env("NO_COLOR", "1")
            .env("HOME", self.path())
            .env("DOCKER_CONFIG", self.join("docker-config"));
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs `cargo-soci` with these words.
    pub(crate) fn run(&self, words: &[&str]) -> Run {
        Run::of(self.command(words).output().expect("the program runs"))
    }

    /// What another program writes to stdout; one that is not there or fails is a failed test.
    #[track_caller]
    pub(crate) fn tool(&self, words: &[&str]) -> Vec<u8> {
        let output = self.program(Path::new(words[0]), &words[1..]).output();
        let output = output.unwrap_or_else(|error| {
            panic!(
                "{} cannot be started ({error}): `cargo xtask test` installs it",
                words[0]
            )
        });
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {errors}", words.join(" "));
        output.stdout
    }

    /// Names of files in the folder that a run may have left behind.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![self.path().to_path_buf()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).expect("readable").flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.starts_with(".cargo-soci") {
                    found.push(name);
                }
                if entry.path().is_dir() {
                    open.push(entry.path());
                }
            }
        }
        found
    }
}

/// What a run printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The run, which must have ended with this code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "\nstdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        self
    }

    /// stdout as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

/// Waits until the file holds this word.
pub(crate) fn wait_for(path: &Path, word: &str) {
    let started = Instant::now();
    while !fs::read_to_string(path).unwrap_or_default().contains(word) {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{} never said {word}",
            path.display()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a signal to a program that is still running.
#[cfg(unix)]
pub(crate) fn send(child: &Child, signal: rustix::process::Signal) {
    let id = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .expect("a process id");
    rustix::process::kill_process(id, signal).expect("the process is running");
}

/// A recorded case: a registry that holds what buildx pushed, and a place with the stand-in that replays it.
pub(crate) fn replayed(case: &str) -> (TestRegistry, Place) {
    let registry = registry_with(case);
    let place = Place::with_stand_in(case, &registry);
    (registry, place)
}

/// The metadata file of a recorded case, as it would be with this registry.
pub(crate) fn metadata(case: &str, registry: &TestRegistry) -> String {
    let path = soci_tests::buildx_vectors().join(case).join("metadata.json");
    let recorded = fs::read_to_string(path).expect("recorded");
    recorded.replace("localhost:5055", &registry.host())
}

/// A registry that holds what buildx pushed in a recorded case: by digest, without tags.
pub(crate) fn registry_with(case: &str) -> TestRegistry {
    let registry = TestRegistry::start(Behaviour::default());
    fill(&registry, case);
    registry
}

/// The repositories of the recorded names.
pub(crate) fn repositories(case: &str) -> Vec<String> {
    let index = soci_tests::buildx_vectors()
        .join(case)
        .join("registry/index.json");
    let index: Value = serde_json::from_slice(&fs::read(index).expect("recorded")).expect("JSON");
    let mut repositories: Vec<String> = index["manifests"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|entry| entry["annotations"].as_object())
        .flat_map(|annotations| annotations.values())
        .filter_map(Value::as_str)
        .filter_map(|name| Some(name.split_once('/')?.1.rsplit_once(':')?.0.to_owned()))
        .collect();
    repositories.sort();
    repositories.dedup();
    assert!(!repositories.is_empty(), "{case} names no repository");
    repositories
}

/// Adds what buildx pushed in a recorded case.
pub(crate) fn fill(registry: &TestRegistry, case: &str) {
    let repositories = repositories(case);
    let blobs = soci_tests::buildx_vectors()
        .join(case)
        .join("registry/blobs/sha256");
    for blob in fs::read_dir(blobs).expect("recorded").flatten() {
        let bytes = fs::read(blob.path()).expect("recorded");
        let document: Option<Value> = serde_json::from_slice(&bytes).ok();
        let media_type = document
            .as_ref()
            .filter(|document| document.get("layers").is_some() || document.get("manifests").is_some())
            .map(|document| document["mediaType"].as_str().unwrap_or_default().to_owned());
        for repository in &repositories {
            registry.with(repository, |content| match &media_type {
                Some(media_type) => content.add_manifest(media_type, &bytes),
                None => content.add_blob(&bytes),
            });
        }
    }
}

/// The digest that a tag names.
pub(crate) fn tag(registry: &TestRegistry, repository: &str, tag: &str) -> Option<String> {
    registry.with(repository, |content| content.tags.get(tag).cloned())
}

/// All tags of a repository.
pub(crate) fn tags(registry: &TestRegistry, repository: &str) -> Vec<String> {
    registry.with(repository, |content| content.tags.keys().cloned().collect())
}
