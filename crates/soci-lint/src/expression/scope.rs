//! What names mean where an expression stands.

use std::borrow::Cow;
use std::rc::Rc;

use super::Thunk;
use super::cloudformation::Template;
use super::terraform::Instance;

/// The names of a place. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Scope<'a> {
    /// None but the words that the caller filled in.
    Plain,
    Template(Rc<Template<'a>>),
    Module(Rc<Instance<'a>>),
    /// One name more: of a loop.
    Bound(Rc<Bound<'a>>),
    /// The names of an object and no others: of a template that is rendered with it.
    Only(Rc<Thunk<'a>>),
}

pub(crate) struct Bound<'a> {
    pub(crate) name: Rc<str>,
    pub(crate) value: Thunk<'a>,
    pub(crate) outer: Scope<'a>,
}

impl<'a> Scope<'a> {
    /// These names and one more.
    pub(crate) fn bind(&self, name: impl Into<Rc<str>>, value: Thunk<'a>) -> Self {
        Self::Bound(Rc::new(Bound {
            name: name.into(),
            value,
            outer: self.clone(),
        }))
    }

    /// What a loop bound the name to.
    pub(super) fn bound(&self, name: &str) -> Option<&Thunk<'a>> {
        let mut scope = self;
        while let Self::Bound(bound) = scope {
            if &*bound.name == name {
                return Some(&bound.value);
            }
            scope = &bound.outer;
        }
        None
    }

    /// The scope around all loops.
    pub(crate) fn outermost(&self) -> &Self {
        let mut scope = self;
        while let Self::Bound(bound) = scope {
            scope = &bound.outer;
        }
        scope
    }

    /// A condition as it is called where several modules may have one of the same words.
    pub(super) fn qualified<'l>(&self, condition: &'l str) -> Cow<'l, str> {
        match self
            .module()
            .map(|instance| instance.prefix.trim_end_matches('.'))
        {
            None | Some("") => Cow::Borrowed(condition),
            Some(module) => Cow::Owned(format!("{condition} in {module}")),
        }
    }

    /// The template that the place is in.
    pub(super) fn template(&self) -> Option<&Rc<Template<'a>>> {
        match self.outermost() {
            Self::Template(template) => Some(template),
            _ => None,
        }
    }

    /// The module that the place is in.
    pub(super) fn module(&self) -> Option<&Rc<Instance<'a>>> {
        match self.outermost() {
            Self::Module(instance) => Some(instance),
            _ => None,
        }
    }
}

impl std::fmt::Debug for Scope<'_> {
    /// Scopes hold each other.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Scope")
    }
}
