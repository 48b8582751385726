//! One form for every expression, whatever it is written in, and one evaluator that makes values of it.
//!
//! A source's nodes are lowered one level at a time ([`lower`]) to a [`Form`]: a literal, a list, an
//! object, a reference to a name, a text with parts, a choice, a call. The [`Evaluator`] makes [`Case`]s
//! of it: one for each way the conditions can go, each with the place it is written at and the way there.
//! A value is known, known in part (a text with holes), unknown because of a name, or absent.

mod access;
pub(crate) mod cloudformation;
mod collections;
mod conditions;
mod decode;
mod eval;
mod form;
mod format;
mod functions;
mod hcl;
mod lists;
mod lower;
mod read;
mod scope;
pub(crate) mod terraform;
mod text;
pub(crate) mod value;
pub(crate) mod words;

pub(crate) use conditions::Truth;
pub(crate) use eval::Evaluator;
pub(crate) use form::{Dialect, Expr, Raw};
pub(crate) use read::{Field, Setting, field, items, setting, texts_under};
pub(crate) use scope::Scope;
pub(crate) use text::texts;
pub(crate) use value::{Case, Hole, Symbolic};

use std::rc::Rc;

use crate::source::Place;
use value::Branch;

/// What an expression comes to, one level deep; what is inside is evaluated when it is asked for.
#[derive(Debug, Clone)]
pub(crate) enum Value<'a> {
    /// Not there at all: `AWS::NoValue`, `null` in Terraform.
    Absent,
    Scalar {
        kind: ScalarKind,
        text: Symbolic,
        /// The text as it is written, where there may be a document in it.
        raw: Option<Raw<'a>>,
    },
    List(Rc<Vec<Thunk<'a>>>),
    Object(Rc<Object<'a>>),
    /// Nothing is known, not even whether it is a text.
    Unknown(Hole),
}

/// The type of a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScalarKind {
    String,
    Number,
    Bool,
}

/// The members of an object in the order of the file.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    pub(crate) members: Vec<Member<'a>>,
    pub(crate) keys: Keys,
    /// Where it says that there is more which is not known, such as merged-in objects.
    pub(crate) more: Option<Hole>,
}

/// How an object spells the API's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// `networkMode`, as the API has it.
    Camel,
    /// `NetworkMode`, as CloudFormation has it.
    Pascal,
    /// `network_mode`, as Terraform has it; `networkMode` is taken too.
    Snake,
}

#[derive(Debug, Clone)]
pub(crate) struct Member<'a> {
    pub(crate) key: Rc<str>,
    pub(crate) key_place: Place,
    pub(crate) value: Thunk<'a>,
}

/// A value that is not evaluated yet.
#[derive(Debug, Clone)]
pub(crate) enum Thunk<'a> {
    Expr {
        expr: Expr<'a>,
        scope: Scope<'a>,
        /// Branches of a template language around it.
        guards: Option<Rc<[Branch]>>,
    },
    Ready(Rc<Cases<'a>>),
    /// The only item of a list.
    Only(Rc<Thunk<'a>>),
    /// What a text of JSON stands for.
    Decoded(Rc<Thunk<'a>>),
}

pub(crate) type Cases<'a> = Vec<Case<Value<'a>>>;

impl<'a> Thunk<'a> {
    pub(crate) fn new(expr: Expr<'a>, scope: &Scope<'a>) -> Self {
        Self::Expr {
            expr,
            scope: scope.clone(),
            guards: None,
        }
    }

    pub(crate) fn ready(value: Value<'a>, place: Place) -> Self {
        Self::Ready(Rc::new(vec![Case::plain(value, place)]))
    }

    /// Where it is written.
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Expr { expr, .. } => expr.place(),
            Self::Ready(cases) => cases.first().map(|case| case.place).unwrap_or_default(),
            Self::Only(inner) | Self::Decoded(inner) => inner.place(),
        }
    }
}

impl<'a> Value<'a> {
    pub(crate) fn text(text: impl Into<Symbolic>) -> Self {
        Self::Scalar {
            kind: ScalarKind::String,
            text: text.into(),
            raw: None,
        }
    }

    pub(crate) fn bool(value: bool) -> Self {
        Self::Scalar {
            kind: ScalarKind::Bool,
            text: Symbolic::text(if value { "true" } else { "false" }),
            raw: None,
        }
    }

    pub(crate) fn number(value: usize) -> Self {
        Self::Scalar {
            kind: ScalarKind::Number,
            text: Symbolic::text(value.to_string()),
            raw: None,
        }
    }

    pub(crate) fn list(items: Vec<Thunk<'a>>) -> Self {
        Self::List(Rc::new(items))
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The whole text of a scalar, if nothing in it is open.
    pub(crate) fn known(&self) -> Option<String> {
        match self {
            Self::Scalar { text, .. } => text.known(),
            _ => None,
        }
    }

    /// What it is, for messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Absent => "null",
            Self::Scalar { kind, .. } => match kind {
                ScalarKind::String => "a string",
                ScalarKind::Number => "a number",
                ScalarKind::Bool => "a boolean",
            },
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
            Self::Unknown(_) => "an expression",
        }
    }

    /// Whether something in it is not known, so that its type says little.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Unknown(_) => true,
            Self::Scalar { text, .. } => text.known().is_none(),
            _ => false,
        }
    }

    /// What keeps it from being known.
    pub(crate) fn hole(&self) -> Option<&Hole> {
        match self {
            Self::Unknown(hole) => Some(hole),
            Self::Scalar { text, .. } => text.holes().next(),
            _ => None,
        }
    }

    /// The resource that it names, if what it is is not known otherwise.
    pub(crate) fn resource(&self) -> Option<Rc<value::ResourceId>> {
        match self {
            Self::Unknown(hole) => hole.resource.clone(),
            Self::Scalar { text, .. } => text.holes().find_map(|hole| hole.resource.clone()),
            _ => None,
        }
    }

    /// As a text: what is none becomes a hole.
    pub(crate) fn to_text(&self) -> Option<Symbolic> {
        match self {
            Self::Absent => None,
            Self::Scalar { text, .. } => Some(text.clone()),
            Self::Unknown(hole) => Some(hole.clone().into()),
            Self::List(_) | Self::Object(_) => {
                let why = format!("{} stands in its place", self.type_name());
                Some(Hole::new("(…)", why, "").into())
            }
        }
    }
}

impl From<Hole> for Value<'_> {
    fn from(hole: Hole) -> Self {
        Self::Unknown(hole)
    }
}

impl From<String> for Symbolic {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for Symbolic {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl<'a> Object<'a> {
    /// The members called `key`, an API name such as `networkMode`.
    pub(crate) fn named<'s>(&'s self, key: &'s str) -> impl DoubleEndedIterator<Item = &'s Member<'a>> {
        self.members
            .iter()
            .filter(move |member| self.keys.spell(&member.key, key))
    }

    /// The members called exactly `key`; of several the last.
    pub(crate) fn exact(&self, key: &str) -> Option<&Member<'a>> {
        self.members.iter().rev().find(|member| &*member.key == key)
    }
}

impl Keys {
    /// Whether `written` is how these spell the API's `name`.
    fn spell(self, written: &str, name: &str) -> bool {
        match self {
            Self::Camel => written == name,
            Self::Pascal => {
                let mut letters = written.chars();
                let first = letters.next();
                first.is_some_and(|first| first.is_ascii_uppercase())
                    && first.map(|c| c.to_ascii_lowercase()) == name.chars().next()
                    && Some(letters.as_str()) == name.get(1..)
            }
            Self::Snake => {
                let letters = |text: &'_ str| -> Vec<u8> {
                    let bytes = text.bytes().filter(|byte| *byte != b'_');
                    bytes.map(|byte| byte.to_ascii_lowercase()).collect()
                };
                written == name || letters(written) == letters(name)
            }
        }
    }
}
