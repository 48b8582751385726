//! What the words of a user's `docker buildx build` say about its results.

use std::path::{Path, PathBuf};

use super::csv;

/// What the words of a user's `docker buildx build` say about its results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserBuild {
    /// The words for buildx, without those that are ours or that we replace.
    pub words: Vec<String>,
    /// `--tag`
    pub tags: Vec<String>,
    /// `--metadata-file`
    pub metadata_file: Option<PathBuf>,
    /// `--iidfile`
    pub iid_file: Option<PathBuf>,
    /// `--builder`
    pub builder: Option<String>,
    /// `--output` and `--push`, read.
    pub outputs: Vec<UserOutput>,
    /// `--load`, or an output that only the engine's own store gets.
    pub loads: bool,
    /// `--call`, `--check` and `--print` build nothing.
    pub only_checks: bool,
    /// `--help`
    pub help: bool,
    /// `--quiet`
    pub is_quiet: bool,
}

/// One result of a user's build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserOutput {
    /// Pushed, under the names of the output itself (else those of `--tag`).
    Push {
        /// `name=` of the output.
        names: Vec<String>,
    },
    /// An archive.
    Archive(PathBuf),
    /// A layout folder.
    Layout(PathBuf),
    /// An archive on stdout: the position in `words` whose value must name a file instead, and the
    /// output's fields without `dest`.
    Stdout {
        /// Index into [`UserBuild::words`].
        word: usize,
        /// The fields.
        fields: Vec<String>,
    },
    /// Pushed without a tag.
    PushByDigest,
    /// Files, a tar of a file system, or a cache: no image.
    NoImage,
}

/// Reads the words after `docker buildx build`. `--metadata-file` is taken out, because we read it
/// first; all else stays as it is.
pub fn read_user_words(words: &[String]) -> Result<UserBuild, String> {
    let mut build = UserBuild::default();
    let mut rest = words.iter().peekable();
    while let Some(word) = rest.next() {
        if word == "--" {
            build.words.push(word.clone());
            build.words.extend(rest.cloned());
            break;
        }
        let (name, inline) = split_flag(word);
        let Some(name) = name else {
            build.words.push(word.clone());
            continue;
        };
        if !takes_value(name) {
            let on = inline.is_none_or(|value| value == "true" || value == "1");
            match name {
                "--push" if on => build.outputs.push(UserOutput::Push { names: Vec::new() }),
                "-q" | "--quiet" if on => build.is_quiet = true,
                "--load" if on => build.loads = true,
                "--check" if on => build.only_checks = true,
                "--help" | "-h" => build.help = true,
                _ => {}
            }
            build.words.push(word.clone());
            continue;
        }
        let value = match inline {
            Some(value) => value.to_owned(),
            None => rest
                .next()
                .cloned()
                .ok_or_else(|| format!("{name} needs a value"))?,
        };
        if name == "--metadata-file" {
            build.metadata_file = Some(PathBuf::from(value));
            continue;
        }
        match name {
            "-t" | "--tag" => build.tags.push(value.clone()),
            "--iidfile" => build.iid_file = Some(PathBuf::from(&value)),
            "--builder" => build.builder = Some(value.clone()),
            "--call" => build.only_checks = value != "build",
            _ => {}
        }
        // The value of an output in a word of its own: it may have to be replaced.
        if inline.is_some() && name != "-o" && name != "--output" {
            build.words.push(word.clone());
        } else {
            build.words.extend([name.to_owned(), value.clone()]);
        }
        if name == "-o" || name == "--output" {
            let output = read_output(&value, build.words.len() - 1)?;
            match output {
                Some(output) => build.outputs.push(output),
                None => build.loads = true,
            }
        }
    }
    Ok(build)
}

/// An `--output` value; `None` if it only loads into the engine.
fn read_output(value: &str, word: usize) -> Result<Option<UserOutput>, String> {
    let fields = csv::read(value).ok_or_else(|| format!("--output {value:?}: quotes do not match"))?;
    if let [only] = fields.as_slice()
        && !only.contains('=')
    {
        // `-o PATH` is a folder of files, `-o -` a tar of them.
        return Ok(Some(UserOutput::NoImage));
    }
    let get = |wanted: &str| -> Option<&str> {
        fields
            .iter()
            .filter_map(|field| field.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value)
    };
    let is_true = |name: &str| get(name).is_some_and(|value| value == "true" || value == "1");
    let kind = get("type").ok_or_else(|| format!("--output {value:?} has no type"))?;
    let dest = get("dest").filter(|dest| *dest != "-");
    Ok(match kind {
        "registry" | "image" if is_true("push-by-digest") => Some(UserOutput::PushByDigest),
        "registry" | "image" if kind == "registry" || is_true("push") => {
            let names = get("name").unwrap_or_default();
            let names = names
                .split(',')
                .filter(|name| !name.is_empty())
                .map(str::to_owned);
            Some(UserOutput::Push {
                names: names.collect(),
            })
        }
        "image" => None,
        "oci" | "docker" => match dest {
            Some(dest) if get("tar").is_some_and(|tar| tar == "false" || tar == "0") => {
                Some(UserOutput::Layout(PathBuf::from(dest)))
            }
            Some(dest) => Some(UserOutput::Archive(PathBuf::from(dest))),
            None if kind == "docker" && get("dest").is_none() => None,
            None => Some(UserOutput::Stdout {
                word,
                fields: fields
                    .iter()
                    .filter(|field| !field.starts_with("dest="))
                    .cloned()
                    .collect(),
            }),
        },
        _ => Some(UserOutput::NoImage),
    })
}

/// The value of `--output` with a file in place of stdout.
pub fn output_to_file(fields: &[String], path: &Path) -> String {
    let mut fields = fields.to_vec();
    fields.push(format!("dest={}", path.display()));
    csv::write(&fields)
}

/// `--name=value`, `--name`, `-n`, `-nvalue`; `None` for a word that is no flag.
fn split_flag(word: &str) -> (Option<&str>, Option<&str>) {
    if word.starts_with("--") {
        return match word.split_once('=') {
            Some((name, value)) => (Some(name), Some(value)),
            None => (Some(word), None),
        };
    }
    if word.len() < 2 || !word.starts_with('-') || !word.is_char_boundary(2) {
        return (None, None);
    }
    let (name, value) = word.split_at(2);
    if value.is_empty() || !takes_value(name) {
        // Joined switches such as `-qD` pass as they are.
        return (Some(word), None);
    }
    (Some(name), Some(value.strip_prefix('=').unwrap_or(value)))
}

/// Flags of buildx v0.36 that are followed by a value
/// (<https://docs.docker.com/reference/cli/docker/buildx/build/>, read 2026-11-24).
fn takes_value(name: &str) -> bool {
    VALUE_FLAGS.contains(&name)
}

const VALUE_FLAGS: &[&str] = &[
    "--add-host",
    "--allow",
    "--annotation",
    "--attest",
    "--build-arg",
    "--build-context",
    "--builder",
    "--cache-from",
    "--cache-to",
    "--call",
    "--cgroup-parent",
    "--cpu-period",
    "--cpu-quota",
    "--cpu-shares",
    "--cpuset-cpus",
    "--cpuset-mems",
    "--file",
    "--iidfile",
    "--isolation",
    "--label",
    "--memory",
    "--memory-swap",
    "--metadata-file",
    "--network",
    "--no-cache-filter",
    "--output",
    "--platform",
    "--policy",
    "--print",
    "--progress",
    "--provenance",
    "--sbom",
    "--secret",
    "--security-opt",
    "--shm-size",
    "--ssh",
    "--tag",
    "--target",
    "--ulimit",
    "-c",
    "-f",
    "-m",
    "-o",
    "-t",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn user(line: &str) -> UserBuild {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        read_user_words(&words).expect("good words")
    }

    #[test]
    fn a_users_words_pass_unchanged_but_for_the_metadata_file() {
        let build = user(
            "-f D --push -t r.example/a:1 --tag=r.example/a:2 -tr.example/a:3 --metadata-file m.json --no-cache .",
        );
        assert_eq!(build.tags, ["r.example/a:1", "r.example/a:2", "r.example/a:3"]);
        assert_eq!(build.metadata_file, Some("m.json".into()));
        assert_eq!(build.outputs, [UserOutput::Push { names: Vec::new() }]);
        assert_eq!(
            build.words.join(" "),
            "-f D --push -t r.example/a:1 --tag=r.example/a:2 -tr.example/a:3 --no-cache ."
        );
    }

    #[test]
    fn every_form_of_output() {
        let output = |text: &str| user(&format!("{text} .")).outputs;
        assert_eq!(
            output("-o type=oci,dest=a.tar"),
            [UserOutput::Archive("a.tar".into())]
        );
        assert_eq!(
            output("-otype=docker,dest=a.tar"),
            [UserOutput::Archive("a.tar".into())]
        );
        assert_eq!(
            output("--output=type=oci,dest=d,tar=false"),
            [UserOutput::Layout("d".into())]
        );
        assert_eq!(output("--output out"), [UserOutput::NoImage]);
        assert_eq!(output("--output type=cacheonly"), [UserOutput::NoImage]);
        assert_eq!(
            output("--output type=image,\"name=a.example/a:1,b.example/b:1\",push=true"),
            [UserOutput::Push {
                names: vec!["a.example/a:1".into(), "b.example/b:1".into()]
            }]
        );
        assert_eq!(
            output("--output type=registry"),
            [UserOutput::Push { names: Vec::new() }]
        );
        for text in ["--output type=oci", "--output type=oci,dest=-"] {
            assert!(
                matches!(output(text)[..], [UserOutput::Stdout { word: 1, .. }]),
                "{text}"
            );
        }
        for text in ["--output type=docker", "--output type=image", "--load"] {
            let build = user(&format!("{text} ."));
            assert!(build.loads && build.outputs.is_empty(), "{text}");
        }
    }

    #[test]
    fn values_are_not_taken_for_flags() {
        let build = user("--build-arg --push --label -o --platform linux/arm64 -- --push");
        assert_eq!(build.outputs, []);
        assert_eq!(user("--push=false .").outputs, []);
        assert!(user("--call check .").only_checks);
        assert!(read_user_words(&["--tag".to_owned()]).is_err());
        assert!(read_user_words(&["-o".to_owned(), "type=oci,\"dest=x".to_owned()]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_words_pass_but_for_the_metadata_file(words in proptest::collection::vec("(-{0,2}[a-z=,\"]{0,8}|--output|-o|--tag|--push)", 0..8)) {
            if let Ok(build) = read_user_words(&words) {
                // Nothing but the metadata file is taken out; a value may get a word of its own.
                let text = |words: &[String]| words.concat().replace('=', "");
                if build.metadata_file.is_none() {
                    proptest::prop_assert_eq!(text(&build.words), text(&words));
                }
            }
        }
    }
}
