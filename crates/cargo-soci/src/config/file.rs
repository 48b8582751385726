//! Settings in files: `soci.toml`, and the `metadata.soci` tables of a `Cargo.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, KEYS};
use super::value::{self, Origin, line_and_column};
use super::{ConfigError, Setting};

/// The settings of one file or table, by key.
pub(super) type Layer = BTreeMap<&'static str, Setting>;

/// Reads a `soci.toml`: the whole document is the table.
pub(super) fn read_soci_toml(path: &Path) -> Result<Layer, ConfigError> {
    let text = read(path)?;
    let document = parse(path, &text)?;
    let reader = Reader::new(path, &text, "");
    let mut layer = Layer::new();
    reader.table("", document.get_ref(), &mut layer)?;
    Ok(layer)
}

/// Reads `[package.metadata.soci]` or `[workspace.metadata.soci]` of a `Cargo.toml`; `owner` is the
/// first word. A file without the table has no settings.
pub(super) fn read_cargo_toml(path: &Path, owner: &str) -> Result<Layer, ConfigError> {
    let text = read(path)?;
    let document = parse(path, &text)?;
    let mut layer = Layer::new();
    let soci = document
        .get_ref()
        .get(owner)
        .and_then(|owner| owner.get_ref().as_table()?.get("metadata"))
        .and_then(|metadata| metadata.get_ref().as_table()?.get("soci"));
    let Some(soci) = soci else {
        return Ok(layer);
    };
    let name = format!("{owner}.metadata.soci");
    let reader = Reader::new(path, &text, &name);
    match soci.get_ref() {
        DeValue::Table(table) => reader.table("", table, &mut layer)?,
        _ => return Err(reader.wrong(soci, format!("`{name}` must be a table"))),
    }
    Ok(layer)
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    folder: PathBuf,
    /// Name of the table in errors; empty for the document itself.
    name: &'a str,
}

impl<'a> Reader<'a> {
    fn new(path: &'a Path, text: &'a str, name: &'a str) -> Self {
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        Self {
            path,
            text,
            folder,
            name,
        }
    }

    /// Reads a table; `prefix` is `lint.` inside `[lint]`.
    fn table(&self, prefix: &str, table: &DeTable<'_>, layer: &mut Layer) -> Result<(), ConfigError> {
        for (name, value) in table {
            let full = format!("{prefix}{}", name.get_ref());
            if let Some(key) = keys::find(&full) {
                if keys::NOT_FROM_FILES.contains(&key.name) {
                    let problem = format!(
                        "`{full}` cannot be set in a file: a checkout could weaken the way to a registry"
                    );
                    let flag = full.replacen("registry.", "--", 1);
                    let error = self.at(name.span().start, problem);
                    return Err(error.help(format!("pass {flag}, or set {}", key.variable())));
                }
                let parsed = value::from_toml(key, value, &self.folder).map_err(|mismatch| {
                    self.at(
                        mismatch.at.start,
                        format!("`{full}` must be {}, not {}", key.kind.expected(), mismatch.found),
                    )
                })?;
                layer.insert(
                    key.name,
                    Setting {
                        value: parsed,
                        origin: self.origin(value.span().start),
                    },
                );
                continue;
            }
            let inner = format!("{full}.");
            if KEYS.iter().any(|key| key.name.starts_with(&inner)) {
                let Some(below) = value.get_ref().as_table() else {
                    return Err(self.wrong(value, format!("`{full}` must be a table")));
                };
                self.table(&inner, below, layer)?;
                continue;
            }
            return Err(self.unknown(name, &full));
        }
        Ok(())
    }

    fn unknown(&self, name: &Spanned<std::borrow::Cow<'_, str>>, full: &str) -> ConfigError {
        let place = match self.name {
            "" => String::new(),
            table => format!(" in [{table}]"),
        };
        let mut error = self.at(name.span().start, format!("unknown key `{full}`{place}"));
        if let Some(meant) = keys::nearest(full, KEYS.iter().map(|key| key.name)) {
            error.help = Some(format!("did you mean `{meant}`?"));
        }
        error
    }

    fn wrong(&self, value: &Spanned<DeValue<'_>>, problem: String) -> ConfigError {
        self.at(value.span().start, problem)
    }

    fn at(&self, offset: usize, problem: String) -> ConfigError {
        ConfigError::new(format!("{}: {problem}", self.origin(offset)))
    }

    fn origin(&self, offset: usize) -> Origin {
        let (line, column) = line_and_column(self.text, offset);
        Origin::File {
            path: self.path.to_path_buf(),
            line,
            column,
        }
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let size = std::fs::metadata(path).map(|metadata| metadata.len());
    if size.is_ok_and(|size| size > FILE_LIMIT) {
        return Err(ConfigError::new(format!(
            "{}: larger than {FILE_LIMIT} bytes, which no configuration is",
            path.display()
        )));
    }
    std::fs::read_to_string(path).map_err(|error| ConfigError::unread(path, &error))
}

fn parse<'a>(path: &Path, text: &'a str) -> Result<Spanned<DeTable<'a>>, ConfigError> {
    DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        let (line, column) = line_and_column(text, offset);
        ConfigError::new(format!(
            "{}:{line}:{column}: not TOML: {}",
            path.display(),
            error.message()
        ))
    })
}

/// Far above any real file, far below what hurts.
const FILE_LIMIT: u64 = 4 << 20;
