//! The one form that expressions of every source are lowered to.

use std::borrow::Cow;
use std::rc::Rc;

use super::value::{Branch, Hole, Symbolic};
use super::{Keys, ScalarKind, Scope, Thunk};
use crate::source::{Node, Place, TextRange};

/// An expression where it is written. Cheap to copy; [`super::lower`] says what it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expr<'a> {
    pub(crate) file: usize,
    pub(crate) kind: ExprKind<'a>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum ExprKind<'a> {
    /// A node of JSON or YAML. `bare` says that its tag was looked at already.
    Node {
        node: Node<'a>,
        dialect: Dialect,
        bare: bool,
    },
    Hcl(super::hcl::HclExpr<'a>),
}

/// What the nodes of a document mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// What the API takes, with words of a template language in it.
    Plain,
    Cloudformation,
    /// What a program wrote: every text is what it is.
    Literal,
    /// What a Terraform template renders to.
    Rendered,
    /// Terraform configuration as JSON.
    TerraformJson,
}

impl Dialect {
    pub(crate) fn keys(self) -> Keys {
        match self {
            Self::Plain => Keys::Camel,
            Self::Cloudformation => Keys::Pascal,
            Self::Rendered => Keys::Camel,
            // Plans, states and files of values are Terraform's.
            Self::TerraformJson | Self::Literal => Keys::Snake,
        }
    }
}

/// A text of a file that may hold a document: a heredoc, a template, a string.
#[derive(Debug, Clone)]
pub(crate) struct Raw<'a> {
    pub(crate) file: usize,
    pub(crate) range: TextRange,
    /// How what is between the marks is escaped.
    pub(crate) escapes: Escapes,
    /// What the words in it mean.
    pub(crate) scope: Scope<'a>,
    /// Whether `${…}` in it is replaced.
    pub(crate) is_template: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Escapes {
    /// What is written is what it is.
    None,
    /// `\"` and `\n` as in a JSON string.
    Json,
}

/// An expression, one level deep.
pub(crate) enum Form<'a> {
    Absent,
    Scalar(ScalarKind, Cow<'a, str>),
    /// A text of parts; of one part it is that part's value.
    Text(Vec<Part<'a>>),
    List(Vec<Item<'a>>),
    Object(Vec<Entry<'a>>, Keys),
    Reference(Reference<'a>),
    /// Attributes and items of something that is no name.
    Walk(Expr<'a>, Vec<Access<'a>>),
    Conditional {
        /// What to call the condition.
        label: Cow<'a, str>,
        test: Test<'a>,
        yes: Option<Expr<'a>>,
        no: Option<Expr<'a>>,
    },
    /// A function by its common name.
    Call(&'a str, Vec<Expr<'a>>),
    /// The same, where the last argument is a list of the arguments that follow.
    Spread(&'a str, Vec<Expr<'a>>),
    Operation(Operation, Vec<Expr<'a>>),
    /// `[for x in list : value if condition]`, or of an object with a key.
    For(super::hcl::HclFor<'a>),
    Hole(Hole),
    /// A heredoc or a string with a document in it, not rendered.
    Document(TextRange, Escapes),
}

#[derive(Clone)]
pub(crate) enum Part<'a> {
    Text(Cow<'a, str>),
    /// A word of a template language: a hole, or what the caller filled in.
    Word(Symbolic),
    Expr(Expr<'a>),
    Reference(Reference<'a>),
    /// Both ways of a condition that nobody knows here.
    Choice {
        label: Cow<'a, str>,
        yes: Vec<Part<'a>>,
        no: Vec<Part<'a>>,
    },
    If {
        label: Cow<'a, str>,
        test: Expr<'a>,
        yes: Vec<Part<'a>>,
        no: Vec<Part<'a>>,
    },
    /// The same parts for each item.
    Loop(Loop<'a>, Vec<Part<'a>>),
}

/// `for key, value in collection`, of a template.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loop<'a> {
    pub(crate) key: Option<&'a str>,
    pub(crate) value: &'a str,
    pub(crate) collection: Expr<'a>,
}

pub(crate) struct Item<'a> {
    pub(crate) expr: Expr<'a>,
    pub(crate) guards: Option<Rc<[Branch]>>,
    /// The loops of a template that it stands in, the outermost first.
    pub(crate) loops: Vec<Loop<'a>>,
}

pub(crate) struct Entry<'a> {
    pub(crate) key: Key<'a>,
    pub(crate) key_place: Place,
    pub(crate) value: Expr<'a>,
    pub(crate) guards: Option<Rc<[Branch]>>,
}

pub(crate) enum Key<'a> {
    Text(Cow<'a, str>),
    Expr(Expr<'a>),
}

/// A name and what is asked of it.
#[derive(Clone)]
pub(crate) struct Reference<'a> {
    pub(crate) root: Cow<'a, str>,
    pub(crate) path: Vec<Access<'a>>,
    /// As written, for messages.
    pub(crate) written: Cow<'a, str>,
}

#[derive(Clone)]
pub(crate) enum Access<'a> {
    Attribute(Cow<'a, str>),
    Index(Expr<'a>),
    /// Of each item.
    Each,
}

/// How a condition is decided.
pub(crate) enum Test<'a> {
    /// By its name in the document.
    Named(Cow<'a, str>),
    Expr(Expr<'a>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Equal,
    NotEqual,
    Not,
    And,
    Or,
    Compare(Ordering),
    Arithmetic(Arithmetic),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Plus,
    Minus,
    Times,
    Divide,
    Remainder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ordering {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl<'a> Loop<'a> {
    /// The names in a turn: the key, which is the first, and the value.
    pub(super) fn bind(&self, scope: &Scope<'a>, name: impl Fn(usize) -> Thunk<'a>) -> Scope<'a> {
        let with_value = scope.bind(self.value, name(1));
        match self.key {
            Some(key) => with_value.bind(key, name(0)),
            None => with_value,
        }
    }
}

impl<'a> Expr<'a> {
    pub(crate) fn node(file: usize, node: Node<'a>, dialect: Dialect) -> Self {
        Self {
            file,
            kind: ExprKind::Node {
                node,
                dialect,
                bare: false,
            },
        }
    }

    /// Whether it stands in a document without quotes, so that the text it comes to is part of the document.
    pub(super) fn is_spliced(self) -> bool {
        match self.kind {
            ExprKind::Node { node, dialect, .. } => {
                dialect == Dialect::Rendered && node.written().starts_with("${")
            }
            ExprKind::Hcl(_) => false,
        }
    }

    /// Where it is written.
    pub(crate) fn place(self) -> Place {
        let range = match self.kind {
            ExprKind::Node { node, .. } => node.range(),
            ExprKind::Hcl(expr) => expr.range(),
        };
        Place::new(self.file, range)
    }
}
