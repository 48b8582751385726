//! Globs over paths: `*` and `?` within a part, `**` over parts, `[a-z]`, and `{a,b}` in words.

/// What stands between two `/` of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// `**`: any number of parts.
    Any,
    /// One part.
    One(Vec<Letter>),
}

/// What one letter of a part may be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Letter {
    Is(char),
    /// `?`
    Single,
    /// `*`
    Star,
    /// `[a-z]`: whether letters outside are meant, and the ranges.
    Class(bool, Vec<(char, char)>),
}

/// A glob, or several that a word with `{a,b}` stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    alternatives: Vec<Vec<Part>>,
    /// The parts before the first that has a wildcard.
    fixed: String,
}

/// Whether a word has letters that make it a glob.
pub(super) fn is_glob(word: &str) -> bool {
    word.contains(['*', '?', '[', '{'])
}

impl Pattern {
    /// A word of the command line.
    pub(super) fn of_word(word: &str) -> Result<Self, &'static str> {
        let fixed: Vec<&str> = word.split('/').take_while(|part| !is_glob(part)).collect();
        let fixed = match fixed[..] {
            [""] => "/".to_owned(),
            _ => fixed.join("/"),
        };
        let mut alternatives = Vec::new();
        for text in braces(word)? {
            alternatives.push(parts(&text).ok_or(UNCLOSED)?);
        }
        Ok(Self { alternatives, fixed })
    }

    /// A line of `.gitignore`, in which braces mean themselves; `None` where git takes it for a pattern that
    /// matches nothing.
    pub(super) fn of_line(line: &str) -> Option<Self> {
        Some(Self {
            alternatives: vec![parts(line)?],
            fixed: String::new(),
        })
    }

    /// The folder in which everything lies that it can match.
    pub(super) fn fixed_folder(&self) -> &str {
        &self.fixed
    }

    /// Whether it matches a whole path.
    pub(super) fn matches(&self, path: &str) -> bool {
        let names: Vec<&str> = path.split('/').collect();
        self.alternatives.iter().any(|parts| fits(parts, &names))
    }
}

const UNCLOSED: &str = "a `[` has no `]`, or a `\\` stands at the end";

/// What a word with braces stands for.
fn braces(word: &str) -> Result<Vec<String>, &'static str> {
    /// More alternatives are no glob that somebody wrote.
    const MOST: usize = 1000;
    let mut done = Vec::new();
    let mut open = vec![word.to_owned()];
    while let Some(text) = open.pop() {
        if done.len() + open.len() > MOST {
            return Err("it stands for more than 1,000 patterns");
        }
        let Some(start) = first_brace(&text) else {
            done.push(text);
            continue;
        };
        let mut depth = 0;
        let mut from = start + 1;
        let mut choices = Vec::new();
        let mut end = None;
        let mut letters = text.char_indices().skip_while(|(at, _)| *at < start);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => drop(letters.next()),
                '{' => depth += 1,
                '}' if depth == 1 => {
                    choices.push(&text[from..at]);
                    end = Some(at + 1);
                    break;
                }
                '}' => depth -= 1,
                ',' if depth == 1 => {
                    choices.push(&text[from..at]);
                    from = at + 1;
                }
                _ => {}
            }
        }
        let end = end.ok_or("a `{` has no `}`")?;
        for choice in choices.iter().rev() {
            open.push(format!("{}{choice}{}", &text[..start], &text[end..]));
        }
    }
    Ok(done)
}

/// The first `{` that is not escaped.
fn first_brace(text: &str) -> Option<usize> {
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            '{' => return Some(at),
            _ => {}
        }
    }
    None
}

/// The parts of a pattern; `None` where a bracket does not close or a `\` stands at the end.
fn parts(text: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    for part in text.split('/') {
        match part {
            // More stars are as good as two, to git.
            part if part.len() > 1 && part.bytes().all(|byte| byte == b'*') => {
                if parts.last() != Some(&Part::Any) {
                    parts.push(Part::Any);
                }
            }
            part => parts.push(Part::One(letters(part)?)),
        }
    }
    Some(parts)
}

fn letters(part: &str) -> Option<Vec<Letter>> {
    let mut letters = Vec::new();
    let mut rest = part.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '\\' => letters.push(Letter::Is(rest.next()?)),
            '?' => letters.push(Letter::Single),
            '*' if letters.last() == Some(&Letter::Star) => {}
            '*' => letters.push(Letter::Star),
            '[' => {
                let (class, after) = class(rest.as_str())?;
                letters.push(class);
                rest = after.chars();
            }
            letter => letters.push(Letter::Is(letter)),
        }
    }
    Some(letters)
}

/// What stands behind `[`, and what is left behind its `]`.
fn class(text: &str) -> Option<(Letter, &str)> {
    let inverted = text.starts_with(['!', '^']);
    let mut rest = if inverted { &text[1..] } else { text };
    let mut ranges = Vec::new();
    let mut is_first = true;
    loop {
        if let Some(after) = rest.strip_prefix(']')
            && !is_first
        {
            return Some((Letter::Class(inverted, ranges), after));
        }
        is_first = false;
        if let Some((name, after)) = rest.strip_prefix("[:").and_then(|named| named.split_once(":]")) {
            ranges.extend_from_slice(named(name)?);
            rest = after;
            continue;
        }
        let (low, after) = one(rest)?;
        rest = after;
        let range = rest.strip_prefix('-').filter(|after| !after.starts_with(']'));
        let (high, after) = match range {
            Some(after) => one(after)?,
            None => (low, rest),
        };
        rest = after;
        ranges.push((low, high));
    }
}

/// One letter of a class, escaped or not.
fn one(text: &str) -> Option<(char, &str)> {
    let mut letters = text.chars();
    let first = letters.next()?;
    let letter = if first == '\\' { letters.next()? } else { first };
    Some((letter, letters.as_str()))
}

/// The classes that have names in POSIX, in ASCII.
fn named(name: &str) -> Option<&'static [(char, char)]> {
    Some(match name {
        "alnum" => &[('a', 'z'), ('A', 'Z'), ('0', '9')],
        "alpha" => &[('a', 'z'), ('A', 'Z')],
        "blank" => &[(' ', ' '), ('\t', '\t')],
        "digit" => &[('0', '9')],
        "lower" => &[('a', 'z')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[(' ', ' '), ('\t', '\r')],
        "upper" => &[('A', 'Z')],
        "xdigit" => &[('a', 'f'), ('A', 'F'), ('0', '9')],
        _ => return None,
    })
}

/// Whether parts match names. A last `**` wants something to be there: `a/**` is what lies in `a`.
fn fits(parts: &[Part], names: &[&str]) -> bool {
    // The last `**` and where it was tried, to go on from there: earlier ones need not be tried again.
    let (mut part, mut name) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match parts.get(part) {
            Some(Part::Any) if part + 1 == parts.len() && name < names.len() => return true,
            Some(Part::Any) if part + 1 < parts.len() => {
                retry = Some((part + 1, name));
                part += 1;
                continue;
            }
            Some(Part::One(letters)) if name < names.len() && fits_name(letters, names[name]) => {
                (part, name) = (part + 1, name + 1);
                continue;
            }
            None if name == names.len() => return true,
            _ => {}
        }
        match retry {
            Some((back, at)) if at < names.len() => {
                retry = Some((back, at + 1));
                (part, name) = (back, at + 1);
            }
            _ => return false,
        }
    }
}

fn fits_name(letters: &[Letter], name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut pos) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match letters.get(at) {
            Some(Letter::Star) => {
                retry = Some((at + 1, pos));
                at += 1;
                continue;
            }
            Some(letter) if pos < name.len() && letter.fits(name[pos]) => {
                (at, pos) = (at + 1, pos + 1);
                continue;
            }
            None if pos == name.len() => return true,
            _ => {}
        }
        match retry {
            Some((back, from)) if from < name.len() => {
                retry = Some((back, from + 1));
                (at, pos) = (back, from + 1);
            }
            _ => return false,
        }
    }
}

impl Letter {
    fn fits(&self, letter: char) -> bool {
        match self {
            Self::Is(known) => *known == letter,
            Self::Single | Self::Star => true,
            Self::Class(inverted, ranges) => {
                let inside = ranges.iter().any(|(low, high)| (*low..=*high).contains(&letter));
                inside != *inverted
            }
        }
    }
}
