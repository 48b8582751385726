//! Configuration: one set of keys, five places to set them.
//!
//! From strong to weak: flags, `CARGO_SOCI_*`, `soci.toml`, `[package.metadata.soci]`,
//! `[workspace.metadata.soci]`. [`keys`] is the table of settings; every source is read against it,
//! so that a key means the same everywhere and an unknown one is an error that points at its place.
//!
//! ```toml
//! [package.metadata.soci]
//! image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/{name}:{version}"
//! platforms = ["linux/arm64"]
//! task-definitions = ["deploy/task-definition.json"]
//! lint.fail-on = "not-lazy"
//! ```

mod file;
pub mod keys;
mod placeholders;
pub mod project;
pub mod reference;
pub mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::causes;
use crate::context::Context;
use crate::error::{CommandError, OrFail};

use keys::{KEYS, Key, VARIABLE_PREFIX};
use project::Project;
pub use value::{Origin, Value};

/// One setting and where it was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The value.
    pub value: Value,
    /// The place that won.
    pub origin: Origin,
}

/// What is wrong with a configuration; the message begins with the place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    message: String,
    help: Option<String>,
}

impl ConfigError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
        }
    }

    /// A file that the system does not let us read.
    pub(crate) fn unread(path: &Path, error: &std::io::Error) -> Self {
        let shown = causes::of_file("read", path, error);
        Self {
            message: shown.message().to_owned(),
            help: shown.help_text().map(str::to_owned),
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        let shown = CommandError::usage(error.message);
        match error.help {
            Some(help) => shown.help(help),
            None => shown,
        }
    }
}

/// Settings from the command line.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    settings: BTreeMap<&'static str, Setting>,
    /// Tables whose entries join those of weaker places, instead of taking their place.
    joining: BTreeSet<&'static str>,
}

impl Flags {
    /// A flag with one value, if it was given.
    pub fn word(&mut self, name: &'static str, flag: &str, word: Option<&str>) -> Result<(), ConfigError> {
        let (Some(key), Some(word)) = (keys::find(name), word) else {
            return Ok(());
        };
        let origin = Origin::Flag(flag.to_owned());
        let value = parse_word(key, word, &origin)?;
        self.settings.insert(key.name, Setting { value, origin });
        Ok(())
    }

    /// A flag that may be repeated, each time with one value that is taken as it is. Entries of a table are
    /// added to those that are configured.
    pub fn list(&mut self, name: &'static str, flag: &str, words: &[String]) -> Result<(), ConfigError> {
        let (Some(key), false) = (keys::find(name), words.is_empty()) else {
            return Ok(());
        };
        let origin = Origin::Flag(flag.to_owned());
        let value = match key.kind {
            keys::Kind::Paths => Value::Paths(words.iter().map(PathBuf::from).collect()),
            keys::Kind::Map => {
                let entries = words.iter().map(|word| {
                    let (name, value) = word
                        .split_once('=')
                        .ok_or_else(|| ConfigError::new(format!("{origin}: {word:?} must be NAME=VALUE")))?;
                    Ok((name.to_owned(), value.to_owned()))
                });
                self.joining.insert(key.name);
                Value::Map(entries.collect::<Result<_, ConfigError>>()?)
            }
            _ => Value::List(words.to_vec()),
        };
        self.settings.insert(key.name, Setting { value, origin });
        Ok(())
    }

    /// `--config KEY=VALUE` for any key; flags of their own are stronger.
    pub fn pairs(&mut self, pairs: &[String]) -> Result<(), ConfigError> {
        for pair in pairs {
            let origin = Origin::Flag(format!("--config {pair}"));
            let (name, word) = pair
                .split_once('=')
                .ok_or_else(|| ConfigError::new(format!("{origin}: must be KEY=VALUE")))?;
            let name = name.trim();
            let Some(key) = keys::find(name) else {
                return Err(unknown(&origin, name, KEYS.iter().map(|key| key.name)));
            };
            let value = parse_word(key, word.trim(), &origin)?;
            match self.settings.get_mut(key.name) {
                None => {
                    self.settings.insert(key.name, Setting { value, origin });
                }
                // The flag of its own adds to this one as it does to a file.
                Some(stronger) if self.joining.contains(key.name) => {
                    stronger.value.join(value);
                    self.joining.remove(key.name);
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// All settings of one project, the strongest place of each.
#[derive(Clone, Debug)]
pub struct Config {
    /// What is built.
    pub project: Project,
    settings: BTreeMap<&'static str, Setting>,
    warnings: Vec<String>,
}

impl Config {
    /// Reads every source; `variables` is the environment.
    pub fn load(
        project: Project,
        flags: &Flags,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut settings = BTreeMap::new();
        // From weak to strong; each layer replaces what it also sets.
        if let Some(manifest) = &project.workspace_manifest {
            settings.extend(file::read_cargo_toml(manifest, "workspace")?);
        }
        if let Some(manifest) = &project.manifest {
            settings.extend(file::read_cargo_toml(manifest, "package")?);
        }
        if let Some(path) = &project.soci_toml {
            settings.extend(file::read_soci_toml(path)?);
        }
        let mut warnings = Vec::new();
        settings.extend(read_variables(variables, &mut warnings)?);
        for (name, setting) in &flags.settings {
            let mut setting = setting.clone();
            if flags.joining.contains(name)
                && let Some(weaker) = settings.remove(name)
            {
                setting.value.join(weaker.value);
            }
            settings.insert(*name, setting);
        }
        Ok(Self {
            project,
            settings,
            warnings,
        })
    }

    /// The settings of the working folder's project and of the environment.
    pub fn around_working_folder(flags: &Flags) -> Result<Self, CommandError> {
        let folder = std::env::current_dir().or_fail(|| "cannot find the working folder".to_owned())?;
        let project = project::around(&folder);
        Ok(Self::load(project, flags, std::env::vars_os())?)
    }

    /// Says what is odd about the surroundings and stops nothing.
    pub fn warn(&self, context: &Context) {
        for warning in &self.warnings {
            context.warn(warning);
        }
    }

    /// The setting of this name, with its origin.
    pub fn setting(&self, name: &str) -> Option<&Setting> {
        debug_assert!(keys::find(name).is_some(), "{name} is not a key");
        self.settings.get(name)
    }

    /// The place where a key is set, for messages about its value.
    pub fn origin(&self, name: &str) -> String {
        self.setting(name)
            .map_or_else(|| format!("`{name}`"), |setting| setting.origin.to_string())
    }

    /// A text or a choice.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.setting(name)?.value {
            Value::Text(ref text) => Some(text),
            _ => None,
        }
    }

    /// A path.
    pub fn path(&self, name: &str) -> Option<&Path> {
        match self.setting(name)?.value {
            Value::Path(ref path) => Some(path),
            _ => None,
        }
    }

    /// A size or a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        match self.setting(name)?.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// A list or a command; empty if it is not set.
    pub fn list(&self, name: &str) -> &[String] {
        match self.setting(name) {
            Some(Setting {
                value: Value::List(list),
                ..
            }) => list,
            _ => &[],
        }
    }

    /// A list of paths; empty if it is not set.
    pub fn paths(&self, name: &str) -> &[PathBuf] {
        match self.setting(name) {
            Some(Setting {
                value: Value::Paths(paths),
                ..
            }) => paths,
            _ => &[],
        }
    }

    /// A list of tables; empty if it is not set.
    pub fn tables(&self, name: &str) -> &[BTreeMap<String, String>] {
        match self.setting(name) {
            Some(Setting {
                value: Value::Tables(tables),
                ..
            }) => tables,
            _ => &[],
        }
    }

    /// A table's entries in the order of their names; none if it is not set.
    pub fn entries(&self, name: &str) -> impl Iterator<Item = (&str, &str)> {
        let map = match self.setting(name) {
            Some(Setting {
                value: Value::Map(map),
                ..
            }) => Some(map),
            _ => None,
        };
        map.into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The names of the image with their placeholders filled in; `git_sha` is asked only if needed.
    pub fn image_names(
        &self,
        git_sha: impl Fn() -> Result<String, ConfigError>,
    ) -> Result<Vec<String>, ConfigError> {
        self.list("image")
            .iter()
            .map(|name| placeholders::fill(name, &self.project, &git_sha))
            .collect::<Result<_, _>>()
            .map_err(|error| ConfigError {
                message: format!("{}: {}", self.origin("image"), error.message),
                help: error.help,
            })
    }
}

fn read_variables(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    warnings: &mut Vec<String>,
) -> Result<BTreeMap<&'static str, Setting>, ConfigError> {
    let mut settings = BTreeMap::new();
    for (name, word) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with(VARIABLE_PREFIX)) else {
            continue;
        };
        let origin = Origin::Variable(name.to_owned());
        let Some(key) = KEYS.iter().find(|key| key.variable() == name) else {
            if OTHER_VARIABLES.contains(&name) {
                continue;
            }
            let Some(meant) = keys::misspelt_variable(name) else {
                // It may belong to something else, such as a script around this program.
                warnings.push(format!("{origin}: no setting has this name"));
                continue;
            };
            let error = ConfigError::new(format!("{origin}: `{name}` is not a setting"));
            return Err(error.help(format!("did you mean `{meant}`?")));
        };
        let Some(word) = word.to_str() else {
            return Err(ConfigError::new(format!("{origin}: not UTF-8")));
        };
        let value = parse_word(key, word, &origin)?;
        settings.insert(key.name, Setting { value, origin });
    }
    Ok(settings)
}

fn parse_word(key: &Key, word: &str, origin: &Origin) -> Result<Value, ConfigError> {
    value::from_word(key, word).map_err(|found| {
        let expected = key.kind.expected();
        ConfigError::new(format!(
            "{origin}: `{}` must be {expected}, not {found}",
            key.name
        ))
    })
}

fn unknown<'a>(origin: &Origin, name: &str, known: impl Iterator<Item = &'a str>) -> ConfigError {
    let error = ConfigError::new(format!("{origin}: `{name}` is not a setting"));
    match keys::nearest(name, known) {
        Some(meant) => error.help(format!("did you mean `{meant}`?")),
        None => error.help("docs/configuration.md lists all settings"),
    }
}

/// Variables that begin like settings and are none: secrets, which belong in no file.
const OTHER_VARIABLES: &[&str] = &[
    "CARGO_SOCI_USERNAME",
    "CARGO_SOCI_PASSWORD",
    "CARGO_SOCI_LOGIN_REGISTRY",
];

#[cfg(test)]
mod tests;
