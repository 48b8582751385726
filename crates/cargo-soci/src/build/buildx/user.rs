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
    /// With `soci=false`: left as it is built.
    AsBuilt,
    /// Files, a tar of a file system, or a cache: no image.
    NoImage,
}

/// Reads the words after `docker buildx build` as Go's flag parser does: switches may be joined (`-qt NAME`), the
/// last of several values counts, and truth values have all the spellings of `strconv.ParseBool`
/// (<https://pkg.go.dev/github.com/spf13/pflag>, read 2026-11-28). `--metadata-file` is taken out, because we read
/// it first, and `soci=` of an output, which is ours; all else stays as it is.
pub fn read_user_words(words: &[String]) -> Result<UserBuild, String> {
    let mut reader = Reader::default();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if word == "--" {
            reader.build.words.push(word.clone());
            reader.build.words.extend(rest.cloned());
            break;
        }
        if word.starts_with("--") {
            reader.long(word, &mut rest)?;
        } else if word.len() > 1 && word.starts_with('-') {
            reader.short(word, &mut rest)?;
        } else {
            reader.build.words.push(word.clone());
        }
    }
    Ok(reader.finish())
}

#[derive(Default)]
struct Reader {
    build: UserBuild,
    push: bool,
    /// Outputs of the type `image` that do not push by themselves: `--push` makes them.
    images: Vec<Vec<String>>,
}

impl Reader {
    fn long<'a>(&mut self, word: &str, rest: &mut impl Iterator<Item = &'a String>) -> Result<(), String> {
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        if !takes_value(name) {
            self.build.words.push(word.to_owned());
            return self.switch(name, inline);
        }
        let value = value(name, inline, rest)?;
        match (name, inline) {
            ("--metadata-file", _) => {}
            // The value of an output in a word of its own: it may have to be replaced.
            ("--output", _) | (_, None) => self.build.words.extend([name.to_owned(), value.clone()]),
            (_, Some(_)) => self.build.words.push(word.to_owned()),
        }
        self.value(name, value)
    }

    /// `-q`, `-t NAME`, `-tNAME`, `-t=NAME`, `-qt NAME`, `-q=false`
    fn short<'a>(&mut self, word: &str, rest: &mut impl Iterator<Item = &'a String>) -> Result<(), String> {
        for (at, letter) in word.char_indices().skip(1) {
            let name = format!("-{letter}");
            let behind = &word[at + letter.len_utf8()..];
            if !takes_value(&name) {
                if let Some(value) = behind.strip_prefix('=') {
                    self.build.words.push(word.to_owned());
                    return self.switch(&name, Some(value));
                }
                self.switch(&name, None)?;
                continue;
            }
            let inline = (!behind.is_empty()).then(|| behind.strip_prefix('=').unwrap_or(behind));
            let value = value(&name, inline, rest)?;
            if name == "-o" {
                let joined = &word[..at];
                if joined != "-" {
                    self.build.words.push(joined.to_owned());
                }
                self.build.words.extend([name.clone(), value.clone()]);
            } else {
                self.build.words.push(word.to_owned());
                if inline.is_none() {
                    self.build.words.push(value.clone());
                }
            }
            return self.value(&name, value);
        }
        self.build.words.push(word.to_owned());
        Ok(())
    }

    fn switch(&mut self, name: &str, inline: Option<&str>) -> Result<(), String> {
        let build = &mut self.build;
        let place = match name {
            "--push" => &mut self.push,
            "-q" | "--quiet" => &mut build.is_quiet,
            "--load" => &mut build.loads,
            "--check" => &mut build.only_checks,
            "-h" | "--help" => &mut build.help,
            // Not about the result; buildx says what it thinks of it.
            _ => return Ok(()),
        };
        *place = match inline {
            None => true,
            Some(text) => truth(text).ok_or_else(|| format!("{name}={text} is neither true nor false"))?,
        };
        Ok(())
    }

    fn value(&mut self, name: &str, value: String) -> Result<(), String> {
        let build = &mut self.build;
        match name {
            "--metadata-file" => build.metadata_file = Some(PathBuf::from(value)),
            "-t" | "--tag" => build.tags.push(value),
            "--iidfile" => build.iid_file = Some(PathBuf::from(value)),
            "--builder" => build.builder = Some(value),
            "--call" => build.only_checks = value != "build",
            "-o" | "--output" => return self.output(&value),
            _ => {}
        }
        Ok(())
    }

    /// An `--output` value, whose word is the last so far.
    fn output(&mut self, value: &str) -> Result<(), String> {
        let word = self.build.words.len() - 1;
        let mut fields =
            csv::read(value).ok_or_else(|| format!("--output {value:?}: quotes do not match"))?;
        if let [only] = fields.as_slice()
            && !only.contains('=')
        {
            // `-o PATH` is a folder of files, `-o -` a tar of them.
            self.build.outputs.push(UserOutput::NoImage);
            return Ok(());
        }
        let soci = field_truth(&fields, "soci", value)?;
        if soci.is_some() {
            // Depot and a fork of BuildKit spell it so; others refuse what they do not know.
            fields.retain(|field| field_name(field) != "soci");
            self.build.words[word] = csv::write(&fields);
        }
        let output = self.read_output(&fields, value, word)?;
        match (soci, output) {
            (Some(true), Some(UserOutput::NoImage)) => {
                return Err(format!(
                    "--output {value:?}: soci=true needs an image, and this output is none"
                ));
            }
            (Some(false), Some(_)) => self.build.outputs.push(UserOutput::AsBuilt),
            (_, Some(output)) => self.build.outputs.push(output),
            (_, None) => {}
        }
        Ok(())
    }

    /// `None` if it only loads into the engine.
    fn read_output(
        &mut self,
        fields: &[String],
        value: &str,
        word: usize,
    ) -> Result<Option<UserOutput>, String> {
        let get = |wanted: &str| field(fields, wanted);
        let is_true = |name: &str| Ok::<_, String>(field_truth(fields, name, value)?.unwrap_or(false));
        let kind = get("type").ok_or_else(|| format!("--output {value:?} has no type"))?;
        let dest = get("dest").filter(|dest| *dest != "-");
        Ok(match kind {
            "registry" | "image" if is_true("push-by-digest")? => Some(UserOutput::PushByDigest),
            "registry" | "image" => {
                let names = get("name").unwrap_or_default().split(',');
                let names: Vec<String> = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
                if kind == "registry" || is_true("push")? {
                    Some(UserOutput::Push { names })
                } else {
                    self.images.push(names);
                    None
                }
            }
            "oci" | "docker" => match dest {
                Some(dest) if field_truth(fields, "tar", value)? == Some(false) => {
                    Some(UserOutput::Layout(PathBuf::from(dest)))
                }
                Some(dest) => Some(UserOutput::Archive(PathBuf::from(dest))),
                None if kind == "docker" && get("dest").is_none() => {
                    self.build.loads = true;
                    None
                }
                None => Some(UserOutput::Stdout {
                    word,
                    fields: fields
                        .iter()
                        .filter(|field| field_name(field) != "dest")
                        .cloned()
                        .collect(),
                }),
            },
            _ => Some(UserOutput::NoImage),
        })
    }

    /// `--push` pushes the outputs of the type `image`; without one it is an output itself.
    fn finish(mut self) -> UserBuild {
        if !self.push {
            self.build.loads |= !self.images.is_empty();
        } else if self.images.is_empty() {
            let pushes =
                |output: &UserOutput| matches!(output, UserOutput::Push { .. } | UserOutput::PushByDigest);
            if !self.build.outputs.iter().any(pushes) {
                self.build.outputs.push(UserOutput::Push { names: Vec::new() });
            }
        } else {
            let pushed = self.images.into_iter().map(|names| UserOutput::Push { names });
            self.build.outputs.extend(pushed);
        }
        self.build
    }
}

fn value<'a>(
    name: &str,
    inline: Option<&str>,
    rest: &mut impl Iterator<Item = &'a String>,
) -> Result<String, String> {
    match inline {
        Some(value) => Ok(value.to_owned()),
        None => rest
            .next()
            .cloned()
            .ok_or_else(|| format!("{name} needs a value")),
    }
}

fn field_name(field: &str) -> String {
    let name = field.split_once('=').map_or(field, |(name, _)| name);
    name.trim().to_ascii_lowercase()
}

fn field<'a>(fields: &'a [String], wanted: &str) -> Option<&'a str> {
    fields
        .iter()
        .filter(|field| field_name(field) == wanted)
        .find_map(|field| field.split_once('=').map(|(_, value)| value))
}

fn field_truth(fields: &[String], name: &str, output: &str) -> Result<Option<bool>, String> {
    field(fields, name)
        .map(|text| {
            truth(text).ok_or_else(|| format!("--output {output:?}: {name}={text} is neither true nor false"))
        })
        .transpose()
}

/// Go's `strconv.ParseBool`.
fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// The value of `--output` with a file in place of stdout.
pub fn output_to_file(fields: &[String], path: &Path) -> String {
    let mut fields = fields.to_vec();
    fields.push(format!("dest={}", path.display()));
    csv::write(&fields)
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
    fn flags_are_read_as_go_reads_them() {
        let pushed = [UserOutput::Push { names: Vec::new() }];
        for text in [
            "-qt r.example/a:1 --push=t .",
            "-qDtr.example/a:1 --push=1 .",
            "-q=TRUE -t=r.example/a:1 --push=false --push .",
        ] {
            let build = user(text);
            assert_eq!(build.tags, ["r.example/a:1"], "{text}");
            assert!(build.is_quiet, "{text}");
            assert_eq!(build.outputs, pushed, "{text}");
            assert_eq!(build.words.join(" "), text);
        }
        assert_eq!(user("--push --push=F .").outputs, []);
        assert!(!user("-q -q=0 .").is_quiet);
        let build = user("-qo type=oci,dest=a.tar .");
        assert_eq!(build.words, ["-q", "-o", "type=oci,dest=a.tar", "."]);
        assert_eq!(build.outputs, [UserOutput::Archive("a.tar".into())]);
        let named = [UserOutput::Push {
            names: vec!["r.example/a:1".into()],
        }];
        assert_eq!(
            user("--output type=image,name=r.example/a:1 --push .").outputs,
            named
        );
        assert_eq!(
            user("--output type=image,name=r.example/a:1,push=T .").outputs,
            named
        );
        assert_eq!(
            user("--output type=registry,name=r.example/a:1 --push .").outputs,
            named
        );
        for text in [
            "--push=yes",
            "-q=ja",
            "--output=type=image,push=on",
            "-o=type=oci,tar=no,dest=x",
        ] {
            let error = read_user_words(&[text.to_owned()]).expect_err(text);
            assert!(error.contains("is neither true nor false"), "{error}");
        }
    }

    #[test]
    fn soci_in_an_output_is_ours() {
        let build = user("--output type=image,name=r.example/a:1,push=true,soci=true .");
        assert_eq!(build.words[1], "type=image,name=r.example/a:1,push=true");
        assert!(matches!(build.outputs[..], [UserOutput::Push { .. }]));
        let build = user("-osoci=1,type=oci,dest=a.tar .");
        assert_eq!(build.words, ["-o", "type=oci,dest=a.tar", "."]);
        assert_eq!(build.outputs, [UserOutput::Archive("a.tar".into())]);
        let build = user("-o type=oci,dest=a.tar,SOCI=false .");
        assert_eq!(build.words[1], "type=oci,dest=a.tar");
        assert_eq!(build.outputs, [UserOutput::AsBuilt]);
        for text in ["type=oci,soci=maybe", "type=local,dest=x,soci=true"] {
            assert!(
                read_user_words(&["-o".to_owned(), text.to_owned()]).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn values_are_not_taken_for_flags() {
        let build = user("--build-arg --push --label -o --platform linux/arm64 -- --push");
        assert_eq!(build.outputs, []);
        assert_eq!(user("--push=false .").outputs, []);
        assert!(user("--call check .").only_checks);
        assert!(!user("--check --check=f .").only_checks);
        assert!(read_user_words(&["--tag".to_owned()]).is_err());
        assert!(read_user_words(&["-o".to_owned(), "type=oci,\"dest=x".to_owned()]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_words_pass_but_for_the_metadata_file(words in proptest::collection::vec("(-{0,2}[a-z=,\"]{0,8}|--output|-o|--tag|--push)", 0..8)) {
            if let Ok(build) = read_user_words(&words) {
                // Nothing but the metadata file is taken out; a value and the `-o` of joined flags may get a
                // word of their own.
                let text = |words: &[String]| words.concat().replace(['=', '-'], "");
                if build.metadata_file.is_none() {
                    proptest::prop_assert_eq!(text(&build.words), text(&words));
                }
            }
        }
    }
}
