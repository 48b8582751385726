//! Who calls, and what is left for us once their own words are taken off.
//!
//! | typed | argv that arrives |
//! |---|---|
//! | `cargo soci lint f` | `cargo-soci soci lint f` |
//! | `cargo help soci` | `cargo-soci soci --help` |
//! | `docker --context x soci lint f` | `docker-soci --context x soci lint f` |
//! | `docker help soci lint` | `docker-soci help soci lint` |
//! | `docker __complete soci li` | `docker-soci __complete soci li` |
//! | `cargo-soci lint f` | as typed |
//! | a shell's completion | `cargo-soci __complete li` |

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::exit::Exit;

/// The program that the user typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// `cargo soci …`
    Cargo,
    /// `docker soci …`, or `docker-soci …` by itself
    Docker,
    /// `cargo-soci …`
    Direct,
}

impl Caller {
    /// How usage lines begin.
    pub fn name(self) -> &'static str {
        match self {
            Caller::Cargo => "cargo soci",
            Caller::Docker => "docker soci",
            Caller::Direct => "cargo-soci",
        }
    }
}

/// What a command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// The Docker CLI asks what this plugin is.
    PluginMetadata,
    /// The Docker CLI or a shell asks for completions of the last of these words.
    Complete(Vec<OsString>),
    /// A command, without program name and without the caller's own words.
    Command(Vec<OsString>),
}

/// A command line, understood.
#[derive(Debug, PartialEq, Eq)]
pub struct Invocation {
    /// Who calls.
    pub caller: Caller,
    /// What for.
    pub request: Request,
    /// Docker's own flags.
    pub docker: DockerFlags,
}

/// What docker was told before the plugin's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DockerFlags {
    /// `--config DIR`, where its plugins and credentials are.
    pub config: Option<PathBuf>,
    /// All of its flags as typed, for a docker that we call.
    pub words: Vec<OsString>,
}

impl Invocation {
    /// Understands `argv`, `argv[0]` included.
    pub fn read(argv: Vec<OsString>) -> Self {
        let mut words = argv.into_iter();
        let program = words.next().unwrap_or_default();
        let words: Vec<OsString> = words.collect();
        if words
            .first()
            .is_some_and(|word| word == "docker-cli-plugin-metadata")
        {
            return Self {
                caller: Caller::Docker,
                request: Request::PluginMetadata,
                docker: DockerFlags::default(),
            };
        }
        if is_docker_plugin(&program) {
            return read_docker(words);
        }
        let (caller, arguments) = match words.split_first() {
            Some((first, rest)) if first == "soci" => (Caller::Cargo, rest.to_vec()),
            _ => (Caller::Direct, words),
        };
        let request = match arguments.split_first() {
            Some((first, rest)) if first == "__complete" => Request::Complete(rest.to_vec()),
            _ => Request::Command(arguments),
        };
        Self {
            caller,
            request,
            docker: DockerFlags::default(),
        }
    }
}

/// Prints what the Docker CLI wants to know of a plugin. It runs this before every command, so it is
/// answered before anything else is set up.
///
/// Format: <https://pkg.go.dev/github.com/docker/cli/cli-plugins/metadata>, read 2026-11-24.
pub fn print_plugin_metadata() -> Exit {
    let metadata = serde_json::json!({
        "SchemaVersion": "0.1.0",
        "Vendor": "cargo-soci",
        "Version": concat!("v", env!("CARGO_PKG_VERSION")),
        "ShortDescription": "Lazy loading (SOCI) for container images: convert, verify, lint",
        "URL": env!("CARGO_PKG_REPOSITORY"),
    });
    println!("{metadata}");
    Exit::Done
}

fn is_docker_plugin(program: &OsStr) -> bool {
    let stem = Path::new(program).file_stem().unwrap_or_default();
    stem.eq_ignore_ascii_case("docker-soci")
}

/// Takes off docker's global flags and the plugin's name. Without the name (somebody ran
/// `docker-soci convert …`) the words are taken as they are.
fn read_docker(words: Vec<OsString>) -> Invocation {
    let mut docker = DockerFlags::default();
    let mut asks_help = false;
    let mut completes = false;
    let mut rest = words.as_slice();
    while let Some((word, tail)) = rest.split_first() {
        match word.to_str() {
            Some("soci") => {
                rest = tail;
                break;
            }
            Some("help" | "--help" | "-h") => asks_help = true,
            Some("__complete" | "__completeNoDesc") => completes = true,
            _ => match docker.take(rest) {
                0 => break,
                taken => {
                    rest = &rest[taken..];
                    continue;
                }
            },
        }
        rest = tail;
    }
    // `docker soci --context x convert …`: docker takes its flags on either side of the name.
    loop {
        match docker.take(rest) {
            0 => break,
            taken => rest = &rest[taken..],
        }
    }
    let mut arguments = rest.to_vec();
    let request = if completes {
        Request::Complete(arguments)
    } else {
        if asks_help {
            arguments.push("--help".into());
        }
        Request::Command(arguments)
    };
    Invocation {
        caller: Caller::Docker,
        request,
        docker,
    }
}

impl DockerFlags {
    /// Takes the flag at the front of `words`, if one of docker's is there; says how many words it has.
    fn take(&mut self, words: &[OsString]) -> usize {
        let Some(text) = words.first().and_then(|word| word.to_str()) else {
            return 0;
        };
        let (name, inline) = match text.split_once('=') {
            Some((name, value)) => (name, Some(OsString::from(value))),
            None => (text, None),
        };
        let count = match docker_flag(name) {
            DockerFlag::None => return 0,
            DockerFlag::Switch => 1,
            DockerFlag::Value if inline.is_some() => 1,
            DockerFlag::Value => words.len().min(2),
        };
        if name == "--config" {
            self.config = inline.or_else(|| words.get(1).cloned()).map(PathBuf::from);
        }
        self.words.extend_from_slice(&words[..count]);
        count
    }
}

enum DockerFlag {
    None,
    Switch,
    Value,
}

/// Docker's global flags: <https://docs.docker.com/reference/cli/docker/>, read 2026-11-24.
fn docker_flag(name: &str) -> DockerFlag {
    match name {
        "-D" | "--debug" | "--tls" | "--tlsverify" => DockerFlag::Switch,
        "--config" | "-c" | "--context" | "-H" | "--host" | "-l" | "--log-level" | "--tlscacert"
        | "--tlscert" | "--tlskey" => DockerFlag::Value,
        _ => DockerFlag::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Invocation {
        Invocation::read(line.split(' ').map(OsString::from).collect())
    }

    fn command(line: &str) -> (Caller, String) {
        let invocation = read(line);
        match invocation.request {
            Request::Command(words) => {
                let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
                (invocation.caller, words.join(" "))
            }
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn cargo_puts_the_name_in_front() {
        assert_eq!(
            command("/bin/cargo-soci soci lint f"),
            (Caller::Cargo, "lint f".into())
        );
        assert_eq!(
            command("cargo-soci soci --help"),
            (Caller::Cargo, "--help".into())
        );
        assert_eq!(
            command("cargo-soci lint soci"),
            (Caller::Direct, "lint soci".into())
        );
        assert_eq!(command(r"cargo-soci.exe soci"), (Caller::Cargo, String::new()));
    }

    #[test]
    fn docker_forwards_its_global_flags() {
        for line in [
            "docker-soci soci lint f",
            "docker-soci --context default soci lint f",
            "docker-soci -D -H unix:///x --log-level=error soci lint f",
            "docker-soci --tls --tlscacert a.pem soci lint f",
            "docker-soci soci --context x lint f",
            "docker-soci soci -D lint f",
            "docker-soci lint f",
            "/usr/lib/docker-soci.exe --config=/c soci lint f",
        ] {
            assert_eq!(command(line), (Caller::Docker, "lint f".into()), "{line}");
        }
    }

    #[test]
    fn flags_after_the_verb_belong_to_the_verb() {
        assert_eq!(
            command("docker-soci soci build -D --config x ."),
            (Caller::Docker, "build -D --config x .".into())
        );
    }

    #[test]
    fn the_config_folder_is_kept() {
        let config = |line| read(line).docker.config;
        assert_eq!(config("docker-soci --config /c soci x"), Some("/c".into()));
        assert_eq!(config("docker-soci --config=/c soci x"), Some("/c".into()));
        assert_eq!(config("docker-soci -c /c soci x"), None);
        assert_eq!(
            read("docker-soci -D --config /c soci x").docker.words,
            ["-D", "--config", "/c"]
        );
    }

    #[test]
    fn every_way_to_ask_for_help() {
        for line in [
            "docker-soci help soci",
            "docker-soci --help soci",
            "docker-soci soci --help",
        ] {
            assert_eq!(command(line), (Caller::Docker, "--help".into()), "{line}");
        }
        assert_eq!(
            command("docker-soci help soci ztoc"),
            (Caller::Docker, "ztoc --help".into())
        );
    }

    #[test]
    fn metadata_and_completion_are_recognised() {
        assert_eq!(
            read("docker-soci docker-cli-plugin-metadata").request,
            Request::PluginMetadata
        );
        assert_eq!(
            read("docker-soci __complete soci convert --pl").request,
            Request::Complete(vec!["convert".into(), "--pl".into()])
        );
        for line in [
            "cargo-soci __complete convert --pl",
            "cargo-soci soci __complete convert --pl",
        ] {
            assert_eq!(
                read(line).request,
                Request::Complete(vec!["convert".into(), "--pl".into()])
            );
        }
    }

    #[test]
    fn odd_command_lines_do_not_panic() {
        for argv in [
            vec![],
            vec!["docker-soci"],
            vec!["docker-soci", "--config"],
            vec!["docker-soci", "-c", "soci"],
        ] {
            Invocation::read(argv.into_iter().map(OsString::from).collect());
        }
    }
}
