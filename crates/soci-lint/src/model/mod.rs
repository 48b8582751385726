//! A task definition as the rules see it, whatever it was written in: every value with its place in
//! the file, with the conditions it depends on, and with a word on where a default decided.

mod build;
mod build_service;
mod connect;
mod image;
mod placement;
mod service;
mod task;
pub(crate) mod template_words;
pub(crate) mod value;

pub(crate) use build::{Document, Root, documents};
pub(crate) use image::{Image, Located, Registry, Tag, is_ecr_public};
pub(crate) use task::{Container, ImageField, Task};

use crate::source::{Member, Node, TextRange};

/// How a document spells its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `containerDefinitions`, as the API has it.
    Camel,
    /// `ContainerDefinitions`, as CloudFormation has it.
    Pascal,
}

/// A node whose keys are asked for by the API's names.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) style: Style,
}

impl<'a> View<'a> {
    pub(crate) fn member(self, key: &str) -> Option<Member<'a>> {
        let found = match self.style {
            Style::Camel => self.node.member(key),
            Style::Pascal => {
                let mut letters = key.chars();
                let first = letters.next()?.to_ascii_uppercase();
                let pascal: String = std::iter::once(first).chain(letters).collect();
                self.node.member(&pascal)
            }
        }?;
        (!found.value.is_null()).then_some(found)
    }

    pub(crate) fn get(self, key: &str) -> Option<Node<'a>> {
        self.member(key).map(|member| member.value)
    }

    pub(crate) fn view(self, key: &str) -> Option<View<'a>> {
        let node = self.get(key)?;
        Some(View {
            node,
            style: self.style,
        })
    }

    pub(crate) fn items(self, key: &str) -> impl Iterator<Item = View<'a>> {
        let style = self.style;
        self.get(key)
            .into_iter()
            .flat_map(Node::items)
            .map(move |node| View { node, style })
    }

    pub(crate) fn range(self) -> TextRange {
        self.node.range()
    }
}
