//! Text that is known in part: literal pieces, what AWS fills in, and holes with a word on how to fill them.

use crate::source::TextRange;

/// Text as far as it is known.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Symbolic {
    pub(crate) pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    Text(String),
    /// A pseudo parameter: its exact value is not known, its shape is.
    Pseudo(Pseudo),
    Hole(Hole),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pseudo {
    AccountId,
    Region,
    UrlSuffix,
    Partition,
}

impl Pseudo {
    pub(crate) const ALL: [(&'static str, Self); 4] = [
        ("AWS::AccountId", Self::AccountId),
        ("AWS::Region", Self::Region),
        ("AWS::URLSuffix", Self::UrlSuffix),
        ("AWS::Partition", Self::Partition),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|row| row.1 == self).map_or("", |row| row.0)
    }
}

/// Something that the document does not say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hole {
    /// As written, or a short stand-in: `${ImageUrl}`, `{{ env TAG }}`.
    pub(crate) written: String,
    /// For messages: ``the parameter `ImageUrl` has no default``.
    pub(crate) why: String,
    /// What would fill it: `--param ImageUrl=…`.
    pub(crate) help: String,
}

impl Symbolic {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        let pieces = match text.is_empty() {
            true => Vec::new(),
            false => vec![Piece::Text(text)],
        };
        Self { pieces }
    }

    pub(crate) fn hole(written: &str, why: impl Into<String>, help: impl Into<String>) -> Self {
        let hole = Hole {
            written: written.to_owned(),
            why: why.into(),
            help: help.into(),
        };
        Self {
            pieces: vec![Piece::Hole(hole)],
        }
    }

    /// The whole text, if nothing in it is open.
    pub(crate) fn known(&self) -> Option<String> {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Hole(hole) => Some(hole),
            _ => None,
        })
    }

    /// Bytes of the literal pieces.
    pub(crate) fn text_len(&self) -> usize {
        let lengths = self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text.len(),
            _ => 0,
        });
        lengths.sum()
    }

    /// Adds `other` behind; neighbouring texts become one.
    pub(crate) fn append(&mut self, other: &Self) {
        for piece in &other.pieces {
            match (self.pieces.last_mut(), piece) {
                (Some(Piece::Text(last)), Piece::Text(text)) => last.push_str(text),
                _ => self.pieces.push(piece.clone()),
            }
        }
    }

    /// Splits at every `delimiter` in the literal pieces, as `Fn::Split` does.
    pub(crate) fn split(&self, delimiter: &str) -> Vec<Self> {
        let mut parts = vec![Self::default()];
        for piece in &self.pieces {
            let Piece::Text(text) = piece else {
                let last = parts.last_mut().expect("parts begins with one");
                last.pieces.push(piece.clone());
                continue;
            };
            let mut texts = text.split(delimiter);
            if let Some(first) = texts.next() {
                let last = parts.last_mut().expect("parts begins with one");
                last.append(&Self::text(first));
            }
            parts.extend(texts.map(Self::text));
        }
        parts
    }

    /// For people: literals, `${AWS::Region}` and the holes as written.
    pub(crate) fn display(&self) -> String {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Pseudo(pseudo) => {
                    out.push_str("${");
                    out.push_str(pseudo.name());
                    out.push('}');
                }
                Piece::Hole(hole) => out.push_str(&hole.written),
            }
        }
        out
    }
}

/// One branch of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Branch {
    pub(crate) condition: String,
    pub(crate) holds: bool,
    /// Whether the parameters' defaults choose this branch; `None` if they do not decide.
    pub(crate) by_default: Option<bool>,
}

/// A parameter whose default was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DefaultUse {
    pub(crate) parameter: String,
    pub(crate) range: TextRange,
}

/// One value that a field may have.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) value: Symbolic,
    /// Conditions on the way; empty where the value is unconditional.
    pub(crate) when: Vec<Branch>,
    pub(crate) defaults: Vec<DefaultUse>,
    /// Where the value is written: the branch, or the whole expression.
    pub(crate) range: TextRange,
}

impl Case {
    pub(crate) fn plain(value: Symbolic, range: TextRange) -> Self {
        Self {
            value,
            when: Vec::new(),
            defaults: Vec::new(),
            range,
        }
    }

    /// Whether it depends on a condition that nothing decides.
    pub(crate) fn is_open(&self) -> bool {
        self.when.iter().any(|branch| branch.by_default.is_none())
    }

    /// Whether parameters left at their defaults lead elsewhere.
    pub(crate) fn is_against_default(&self) -> bool {
        against_default(&self.when)
    }

    /// ` if HasProxy`, ` unless HasProxy`; empty where unconditional.
    pub(crate) fn condition(&self) -> String {
        condition_text(&self.when)
    }
}

pub(crate) fn against_default(when: &[Branch]) -> bool {
    when.iter().any(|branch| branch.by_default == Some(false))
}

/// `HasProxy`, `not HasProxy`, joined by `and`.
pub(crate) fn condition_text(when: &[Branch]) -> String {
    let words: Vec<String> = when
        .iter()
        .map(|branch| match branch.holds {
            true => branch.condition.clone(),
            false => format!("not {}", branch.condition),
        })
        .collect();
    words.join(" and ")
}

/// Whether two branches can hold at once.
pub(crate) fn compatible(a: &[Branch], b: &[Branch]) -> bool {
    !a.iter().any(|one| {
        b.iter()
            .any(|other| other.condition == one.condition && other.holds != one.holds)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitting_keeps_what_is_open() {
        let mut arn = Symbolic::text("arn:aws:ecr:");
        arn.pieces.push(Piece::Pseudo(Pseudo::Region));
        arn.append(&Symbolic::text(":"));
        arn.pieces.push(Piece::Pseudo(Pseudo::AccountId));
        arn.append(&Symbolic::text(":repository/app"));
        let parts = arn.split(":");
        assert_eq!(parts.len(), 6);
        assert_eq!(parts[3].pieces, [Piece::Pseudo(Pseudo::Region)]);
        assert_eq!(parts[4].display(), "${AWS::AccountId}");
        assert_eq!(parts[5].known().as_deref(), Some("repository/app"));
    }
}
