//! Values of settings: where each was set, and reading them from TOML or from one word.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::DeValue;

use soci_store::parse_size;

use super::keys::{Key, Kind};

/// The value of one setting, as its [`Kind`] promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// [`Kind::Text`], [`Kind::Choice`]
    Text(String),
    /// [`Kind::Path`]: absolute, or relative to the working folder
    Path(PathBuf),
    /// [`Kind::Size`], [`Kind::Number`]
    Number(u64),
    /// [`Kind::List`], [`Kind::Command`]
    List(Vec<String>),
    /// [`Kind::Paths`]
    Paths(Vec<PathBuf>),
    /// [`Kind::Map`], in the order of names
    Map(BTreeMap<String, String>),
    /// [`Kind::Tables`]
    Tables(Vec<BTreeMap<String, String>>),
}

impl Value {
    /// Takes the entries of a weaker table that this one does not have.
    pub(super) fn join(&mut self, weaker: Value) {
        if let (Value::Map(entries), Value::Map(weaker)) = (self, weaker) {
            for (name, value) in weaker {
                entries.entry(name).or_insert(value);
            }
        }
    }
}

/// Where a value was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line.
    Flag(String),
    /// An environment variable.
    Variable(String),
    /// A place in a file.
    File {
        /// The file.
        path: PathBuf,
        /// 1-based line.
        line: usize,
        /// 1-based column, in characters.
        column: usize,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(name) => formatter.write_str(name),
            Origin::Variable(name) => write!(formatter, "environment variable {name}"),
            Origin::File { path, line, column } => write!(formatter, "{}:{line}:{column}", path.display()),
        }
    }
}

/// The place of a byte in a text, both counted from 1.
pub(super) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

/// A value that is not what its key needs: what was found, and where in the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    pub(super) found: String,
    pub(super) at: Range<usize>,
}

/// Reads a value out of a file in `folder`.
pub(super) fn from_toml(key: &Key, value: &Spanned<DeValue<'_>>, folder: &Path) -> Result<Value, Mismatch> {
    let wrong = |value: &Spanned<DeValue<'_>>| Mismatch {
        found: describe(value.get_ref()),
        at: value.span(),
    };
    let text = |value: &Spanned<DeValue<'_>>| -> Result<String, Mismatch> {
        value
            .get_ref()
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| wrong(value))
    };
    let list = |value: &Spanned<DeValue<'_>>| -> Result<Vec<String>, Mismatch> {
        match value.get_ref() {
            DeValue::String(one) => Ok(vec![one.to_string()]),
            DeValue::Array(items) => items.iter().map(text).collect(),
            _ => Err(wrong(value)),
        }
    };
    match key.kind {
        Kind::Text => text(value).map(Value::Text),
        Kind::Path => text(value).map(|path| Value::Path(folder.join(path))),
        Kind::Size | Kind::Number => {
            let number = match value.get_ref() {
                DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
                DeValue::String(text) if key.kind == Kind::Size => parse_size(text),
                _ => None,
            };
            number
                .filter(|number| key.kind == Kind::Size || *number > 0)
                .map(Value::Number)
                .ok_or_else(|| wrong(value))
        }
        Kind::Choice(words) => {
            let word = match value.get_ref() {
                DeValue::Boolean(word) => word.to_string(),
                _ => text(value)?,
            };
            if words.contains(&word.as_str()) {
                Ok(Value::Text(word))
            } else {
                Err(wrong(value))
            }
        }
        Kind::List => list(value).map(Value::List),
        Kind::Paths => Ok(Value::Paths(
            list(value)?.iter().map(|path| folder.join(path)).collect(),
        )),
        Kind::Command => match value.get_ref() {
            DeValue::Array(words) if !words.is_empty() => {
                words.iter().map(text).collect::<Result<_, _>>().map(Value::List)
            }
            _ => Err(wrong(value)),
        },
        Kind::Map => {
            let table = value.get_ref().as_table().ok_or_else(|| wrong(value))?;
            let entries = table
                .iter()
                .map(|(name, value)| Ok((name.get_ref().to_string(), text(value)?)));
            entries.collect::<Result<_, _>>().map(Value::Map)
        }
        Kind::Tables(keys) => {
            let DeValue::Array(tables) = value.get_ref() else {
                return Err(wrong(value));
            };
            let table = |item: &Spanned<DeValue<'_>>| {
                let table = item.get_ref().as_table().ok_or_else(|| wrong(item))?;
                let entries = table.iter().map(|(name, value)| {
                    let key = name.get_ref().to_string();
                    match keys.contains(&key.as_str()) {
                        true => Ok((key, text(value)?)),
                        false => Err(Mismatch {
                            found: format!("one with the key `{key}`"),
                            at: name.span(),
                        }),
                    }
                });
                entries.collect::<Result<_, Mismatch>>()
            };
            tables
                .iter()
                .map(table)
                .collect::<Result<_, _>>()
                .map(Value::Tables)
        }
    }
}

/// Reads a value out of one word of the command line or one variable. Lists are separated by
/// commas, commands by spaces, tables are `NAME=VALUE` separated by commas; where that does not
/// serve, a TOML array or inline table does.
pub(super) fn from_word(key: &Key, word: &str) -> Result<Value, String> {
    let wrong = || format!("{word:?}");
    let is_toml = match key.kind {
        Kind::List | Kind::Paths | Kind::Command | Kind::Tables(_) => word.starts_with('['),
        Kind::Map => word.starts_with('{'),
        _ => false,
    };
    if is_toml {
        let value = DeValue::parse(word).map_err(|_| wrong())?;
        return from_toml(key, &value, Path::new("")).map_err(|mismatch| mismatch.found);
    }
    let split = |separator: char| -> Vec<String> {
        word.split(separator)
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    };
    match key.kind {
        Kind::Text => Ok(Value::Text(word.to_owned())),
        Kind::Path => Ok(Value::Path(PathBuf::from(word))),
        Kind::Size => parse_size(word).map(Value::Number).ok_or_else(wrong),
        Kind::Number => match word.parse() {
            Ok(number) if number > 0 => Ok(Value::Number(number)),
            _ => Err(wrong()),
        },
        Kind::Choice(words) if words.contains(&word) => Ok(Value::Text(word.to_owned())),
        Kind::Choice(_) => Err(wrong()),
        Kind::List => Ok(Value::List(split(','))),
        Kind::Paths => Ok(Value::Paths(split(',').into_iter().map(PathBuf::from).collect())),
        Kind::Command => match split(' ') {
            words if words.is_empty() => Err(wrong()),
            words => Ok(Value::List(words)),
        },
        Kind::Tables(_) => Err(wrong()),
        Kind::Map => split(',')
            .iter()
            .map(|entry| {
                let (name, value) = entry.split_once('=').ok_or_else(wrong)?;
                Ok((name.trim().to_owned(), value.trim().to_owned()))
            })
            .collect::<Result<_, _>>()
            .map(Value::Map),
    }
}

fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Boolean(switch) => switch.to_string(),
        other => match other.type_str() {
            kind @ "array" => format!("an {kind}"),
            kind => format!("a {kind}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_counted_in_characters_from_one() {
        assert_eq!(line_and_column("a = 1\nö = 2\n", 6), (2, 1));
        assert_eq!(line_and_column("a = 1\nö = 2\n", 8), (2, 2));
        assert_eq!(line_and_column("a", 99), (1, 2));
    }
}
