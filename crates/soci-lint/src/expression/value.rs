//! Text that is known in part: literal pieces, what AWS fills in, and holes with a word on how to fill them.

use std::rc::Rc;

use super::Place;

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
    /// Something whose value has a known shape, such as the address of a private ECR repository.
    Shaped(Rc<Shaped>),
    Hole(Hole),
}

/// An open value of a known shape.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shaped {
    /// As written: `${aws_ecr_repository.app.repository_url}`.
    pub(crate) written: String,
    pub(crate) pieces: Vec<Piece>,
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
    /// The resource that it names, if it names one.
    pub(crate) resource: Option<Rc<ResourceId>>,
}

/// A resource of a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ResourceId {
    pub(crate) document: usize,
    /// A logical id, or a Terraform address.
    pub(crate) address: String,
}

impl Hole {
    pub(crate) fn new(written: impl Into<String>, why: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            written: written.into(),
            why: why.into(),
            help: help.into(),
            resource: None,
        }
    }
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
        Self::from(Hole::new(written, why, help))
    }

    /// The pieces of all shapes that are known.
    pub(crate) fn expanded(&self) -> Self {
        let mut out = Self::default();
        for piece in &self.pieces {
            match piece {
                Piece::Shaped(shaped) => out.append(&Self {
                    pieces: shaped.pieces.clone(),
                }),
                piece => out.append(&Self {
                    pieces: vec![piece.clone()],
                }),
            }
        }
        out
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
        for piece in &self.expanded().pieces {
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
                Piece::Shaped(shaped) => out.push_str(&shaped.written),
                Piece::Hole(hole) => out.push_str(&hole.written),
            }
        }
        out
    }
}

impl From<Hole> for Symbolic {
    fn from(hole: Hole) -> Self {
        Self {
            pieces: vec![Piece::Hole(hole)],
        }
    }
}

impl From<Pseudo> for Symbolic {
    fn from(pseudo: Pseudo) -> Self {
        Self {
            pieces: vec![Piece::Pseudo(pseudo)],
        }
    }
}

/// One way a condition can go.
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    pub(crate) condition: Rc<str>,
    pub(crate) outcome: Outcome,
    /// Whether defaults choose this branch; `None` if they do not decide.
    pub(crate) by_default: Option<bool>,
    /// What would decide it, where nothing does.
    pub(crate) help: Rc<str>,
}

impl PartialEq for Branch {
    fn eq(&self, other: &Self) -> bool {
        let parts = |branch: &Self| {
            (
                branch.condition.clone(),
                branch.outcome.clone(),
                branch.by_default,
            )
        };
        parts(self) == parts(other)
    }
}

/// How a condition goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Holds(bool),
    /// A choice out of several values.
    Is(Rc<str>),
}

impl Branch {
    pub(crate) fn holds(condition: impl Into<Rc<str>>, holds: bool, by_default: Option<bool>) -> Self {
        Self {
            condition: condition.into(),
            outcome: Outcome::Holds(holds),
            by_default,
            help: "".into(),
        }
    }

    /// One of several values that something may have.
    pub(crate) fn is(what: impl Into<Rc<str>>, value: impl Into<Rc<str>>, help: impl Into<Rc<str>>) -> Self {
        Self {
            condition: what.into(),
            outcome: Outcome::Is(value.into()),
            by_default: None,
            help: help.into(),
        }
    }

    pub(crate) fn answered_by(mut self, help: impl Into<Rc<str>>) -> Self {
        self.help = help.into();
        self
    }

    /// The other way, where there are two.
    pub(crate) fn other_way(&self) -> Option<Self> {
        let Outcome::Holds(holds) = self.outcome else {
            return None;
        };
        Some(Self {
            outcome: Outcome::Holds(!holds),
            ..self.clone()
        })
    }

    fn excludes(&self, other: &Self) -> bool {
        self.condition == other.condition && self.outcome != other.outcome
    }
}

/// A step on the way from where a value is used to where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) kind: StepKind,
    /// With its kind: ``the parameter `Tag` ``.
    pub(crate) name: Rc<str>,
    pub(crate) place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StepKind {
    /// Nobody set it, so its default counts.
    Default,
    /// A file of values, a local value, an argument of a call, an output: set here.
    Set,
    /// The newest image of a repository, whatever that is.
    Newest,
}

impl Step {
    /// For a place that takes part in a finding.
    pub(crate) fn message(&self) -> String {
        match self.kind {
            StepKind::Default => format!("by default: {} has this value", self.name),
            StepKind::Set => format!("{} is set here", self.name),
            StepKind::Newest => format!("{} asks for the newest image", self.name),
        }
    }
}

/// One value that a field may have.
#[derive(Debug, Clone)]
pub(crate) struct Case<T = Symbolic> {
    pub(crate) value: T,
    /// Conditions on the way; empty where the value is unconditional.
    pub(crate) when: Vec<Branch>,
    pub(crate) way: Vec<Step>,
    /// Where the value is written: the branch, or the whole expression.
    pub(crate) place: Place,
}

impl<T> Case<T> {
    pub(crate) fn plain(value: T, place: Place) -> Self {
        Self {
            value,
            when: Vec::new(),
            way: Vec::new(),
            place,
        }
    }

    /// The same case of another value.
    pub(crate) fn with<U>(&self, value: U) -> Case<U> {
        Case {
            value,
            when: self.when.clone(),
            way: self.way.clone(),
            place: self.place,
        }
    }

    /// Whether values left at their defaults lead elsewhere.
    pub(crate) fn is_against_default(&self) -> bool {
        against_default(&self.when)
    }

    /// Whether a default took part in the value.
    pub(crate) fn uses_default(&self) -> bool {
        self.way.iter().any(|step| step.kind == StepKind::Default)
    }

    /// Adds the conditions and the way of a case that this one depends on; false if both cannot be.
    pub(crate) fn under<U>(&mut self, other: &Case<U>) -> bool {
        self.under_branches(&other.when) && {
            for step in &other.way {
                self.step(step.clone());
            }
            true
        }
    }

    /// Adds conditions; false if they exclude those that are there.
    pub(crate) fn under_branches(&mut self, when: &[Branch]) -> bool {
        if !compatible(&self.when, when) {
            return false;
        }
        for branch in when {
            if !self.when.contains(branch) {
                self.when.push(branch.clone());
            }
        }
        true
    }

    /// Adds a step of the way.
    pub(crate) fn step(&mut self, step: Step) {
        if self.way.len() < MAX_WAY && !self.way.contains(&step) {
            self.way.push(step);
        }
    }
}

/// Longer ways are not told to the end.
const MAX_WAY: usize = 12;

pub(crate) fn against_default(when: &[Branch]) -> bool {
    when.iter().any(|branch| branch.by_default == Some(false))
}

pub(crate) fn is_open(when: &[Branch]) -> bool {
    when.iter().any(|branch| branch.by_default.is_none())
}

/// The first open branch that all of these values depend on: in its other way there is none of them.
pub(crate) fn missing_way<'c>(cases: &[&'c [Branch]]) -> Option<&'c Branch> {
    if cases.iter().any(|when| !is_open(when)) {
        return None;
    }
    let branches = || cases.iter().copied().flatten();
    let mut open = branches().filter(|branch| branch.by_default.is_none());
    open.find(|branch| !branches().any(|other| other.excludes(branch)))
}

/// `HasProxy`, `not HasProxy`, `Stage is prod`, joined by `and`.
pub(crate) fn condition_text(when: &[Branch]) -> String {
    let words: Vec<String> = when
        .iter()
        .map(|branch| match &branch.outcome {
            Outcome::Holds(true) => branch.condition.to_string(),
            Outcome::Holds(false) => format!("not {}", branch.condition),
            Outcome::Is(value) => format!("{} is {value}", branch.condition),
        })
        .collect();
    words.join(" and ")
}

/// Whether two branches can hold at once.
pub(crate) fn compatible(a: &[Branch], b: &[Branch]) -> bool {
    !a.iter().any(|one| b.iter().any(|other| one.excludes(other)))
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
