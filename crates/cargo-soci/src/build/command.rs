//! A builder of one's own: a command with placeholders, and the settings that it must receive.
//!
//! A setting that the command has no place for would be dropped in silence, and the image would be another one
//! than was asked for; so it is an error before anything runs.

use std::path::Path;
use std::process::Command;

use soci_image::Reference;

use super::buildx::Request;
use super::child::show_words;
use super::plan::Outputs;
use crate::config::{Config, keys};
use crate::error::CommandError;

/// What the placeholders stand for in one build.
#[derive(Debug)]
pub struct Values {
    texts: Vec<(&'static str, Option<String>)>,
    build_args: Vec<String>,
}

impl Values {
    /// Those of a build of these names.
    pub fn of(names: &[Reference], request: &Request, outputs: &Outputs) -> Self {
        let path = |path: &Path| Some(path.display().to_string());
        let joined = |words: Vec<String>, between: &str| (!words.is_empty()).then(|| words.join(between));
        let images: Vec<String> = names.iter().map(ToString::to_string).collect();
        Self {
            texts: vec![
                ("image", images.first().cloned()),
                ("images", joined(images, " ")),
                ("output", path(&outputs.image)),
                ("digest-file", path(&outputs.digest_file)),
                ("metadata-file", path(&outputs.metadata_file)),
                ("context", path(&request.context)),
                ("dockerfile", request.dockerfile.as_deref().and_then(path)),
                ("target", request.target.clone()),
                ("platforms", joined(request.platforms.clone(), ",")),
            ],
            build_args: request
                .build_args
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
        }
    }

    /// The command with all of it filled in, in its words and in its environment.
    pub fn command(&self, words: &[String]) -> Command {
        let mut filled = words.iter().flat_map(|word| self.fill(word));
        let mut command = Command::new(filled.next().unwrap_or_default());
        command.args(filled);
        for (name, value) in &self.texts {
            command.env(variable(name), value.as_deref().unwrap_or_default());
        }
        command.env(variable(BUILD_ARGS), self.build_args.join("\n"));
        command
    }

    /// `{build-args}` stands for as many words as it needs, all others for a part of one.
    fn fill(&self, word: &str) -> Vec<String> {
        if word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) == Some(BUILD_ARGS) {
            let pairs = self.build_args.iter();
            return pairs
                .flat_map(|pair| ["--build-arg".to_owned(), pair.clone()])
                .collect();
        }
        let mut filled = String::with_capacity(word.len());
        for part in parts(word) {
            match part {
                Part::Braces(name) => match self.texts.iter().find(|(known, _)| *known == name) {
                    Some((_, value)) => filled.push_str(value.as_deref().unwrap_or_default()),
                    None => filled.push_str(&format!("{{{name}}}")),
                },
                Part::Text(text) => filled.push_str(text),
            }
        }
        vec![filled]
    }
}

/// Checks before any build that the command receives every setting, and asks for none that is not there.
pub fn check(words: &[String], config: &Config, has_image: bool) -> Result<(), CommandError> {
    let builder = config.origin("builder");
    let asked: Vec<&str> = words
        .iter()
        .flat_map(|word| parts(word))
        .filter_map(|part| match part {
            Part::Braces(name) => Some(name),
            Part::Text(_) => None,
        })
        .collect();
    for name in &asked {
        if known().any(|known| known == *name) {
            continue;
        }
        // Braces are common in shells and templates; only what is nearly ours is taken for a mistake.
        if let Some(meant) = keys::nearest(name, known()) {
            return Err(
                CommandError::usage(format!("{builder}: unknown placeholder {{{name}}}"))
                    .help(format!("did you mean {{{meant}}}?")),
            );
        }
    }
    for word in words {
        if word.contains("{build-args}") && word != "{build-args}" {
            return Err(
                CommandError::usage(format!("{builder}: {{build-args}} must be a word of its own"))
                    .help("it stands for `--build-arg NAME=VALUE`, as often as needed; a script reads SOCI_BUILD_ARGS, a line for each"),
            );
        }
    }
    for name in SETTINGS {
        let is_set = config.setting(name).is_some();
        if is_set && !receives(words, name) {
            return Err(CommandError::usage(format!(
                "{}: `{name}` would be lost: the builder `{}` does not receive it",
                config.origin(name),
                show_words(words)
            ))
            .help(match name {
                BUILD_ARGS => "write {build-args} into `builder` where its flags go, or leave `build-args` out".to_owned(),
                _ => format!(
                    "write {{{name}}} into `builder` where it belongs (`env {}={{{name}}} ./build.sh` for a script), or \
                     leave `{name}` out",
                    variable(name)
                ),
            }));
        }
        let has_value = is_set || matches!(name, "context" | BUILD_ARGS);
        if !has_value && asked.contains(&name) {
            return Err(CommandError::usage(format!(
                "{builder}: asks for {{{name}}}, and no `{name}` is set"
            ))
            .help(format!(
                "set `{name}`, or take it out of `builder`; a script can look whether {} is empty",
                variable(name)
            )));
        }
    }
    if !has_image && asked.iter().any(|name| matches!(*name, "image" | "images")) {
        return Err(CommandError::usage(format!(
            "{builder}: asks for the name of the image, and no `image` is set"
        ))
        .help("set `image` or give --image"));
    }
    Ok(())
}

/// The settings that only the builder can carry out.
const SETTINGS: [&str; 5] = ["dockerfile", "context", "target", BUILD_ARGS, "platforms"];

const BUILD_ARGS: &str = "build-args";

fn known() -> impl Iterator<Item = &'static str> {
    let outputs = ["image", "images", "output", "digest-file", "metadata-file"];
    outputs.into_iter().chain(SETTINGS)
}

/// `{dockerfile}` is `SOCI_DOCKERFILE` in the environment.
fn variable(name: &str) -> String {
    format!("SOCI_{}", name.replace('-', "_").to_uppercase())
}

fn receives(words: &[String], name: &str) -> bool {
    let variable = variable(name);
    words.iter().any(|word| {
        word.contains(&variable)
            || parts(word)
                .iter()
                .any(|part| matches!(part, Part::Braces(found) if *found == name))
    })
}

enum Part<'a> {
    Text(&'a str),
    /// `{name}`, without the braces.
    Braces(&'a str),
}

/// A word in its parts. `${…}` belongs to a shell and `{{…}}` to a template: both are text.
fn parts(word: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut text = 0;
    let mut at = 0;
    while let Some(found) = word[at..].find('{') {
        let open = at + found;
        at = open + 1;
        let Some(end) = word[at..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
        else {
            break;
        };
        let close = at + end;
        let before = word[..open].chars().next_back();
        if end > 0 && word[close..].starts_with('}') && !matches!(before, Some('$' | '{')) {
            parts.push(Part::Text(&word[text..open]));
            parts.push(Part::Braces(&word[at..close]));
            text = close + 1;
            at = text;
        }
    }
    parts.push(Part::Text(&word[text..]));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(words: &[&str]) -> Vec<String> {
        let request = Request {
            context: "{target}".into(),
            target: Some("run".into()),
            build_args: vec![("A".into(), "1 2".into()), ("B".into(), String::new())],
            ..Request::default()
        };
        let values = Values::of(&[], &request, &Outputs::within(Path::new("tmp")));
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        let command = values.command(&words);
        let shown = |word: &std::ffi::OsStr| word.to_string_lossy().into_owned();
        std::iter::once(shown(command.get_program()))
            .chain(command.get_args().map(shown))
            .collect()
    }

    #[test]
    fn placeholders_are_filled_once_and_only_where_they_are_ours() {
        assert_eq!(
            filled(&["b", "{build-args}", "--to={target}:{target}", "{context}"]),
            [
                "b",
                "--build-arg",
                "A=1 2",
                "--build-arg",
                "B=",
                "--to=run:run",
                "{target}"
            ]
        );
        let others = ["sh", "${target} {{target}} {a b} {} { {target", "{other}"];
        assert_eq!(filled(&others), others);
    }

    proptest::proptest! {
        #[test]
        fn words_without_braces_pass_as_they_are(word in r"[^{}\x00]{0,20}") {
            proptest::prop_assert_eq!(filled(&["b", &word])[1].clone(), word);
        }

        #[test]
        fn no_word_panics(word in "[{}$a-z -]{0,20}") {
            filled(&["b", &word]);
        }
    }
}
