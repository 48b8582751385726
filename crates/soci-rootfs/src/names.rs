//! File names as numbers: a name that occurs in many places is stored and compared once.

use std::collections::HashMap;

/// A name of one path component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NameId(u32);

impl NameId {
    /// Sorts before all others.
    pub(crate) const FIRST: Self = Self(0);
}

/// All names of a stack of layers; they lie in the tables of contents.
#[derive(Debug, Default)]
pub(crate) struct Names<'a> {
    known: HashMap<&'a [u8], NameId>,
    texts: Vec<&'a [u8]>,
}

impl<'a> Names<'a> {
    /// The number of a name, a new one if it was not seen before.
    pub(crate) fn intern(&mut self, text: &'a [u8]) -> NameId {
        *self.known.entry(text).or_insert_with(|| {
            let id = NameId(self.texts.len() as u32);
            self.texts.push(text);
            id
        })
    }

    /// The number of a name that some layer has.
    pub(crate) fn get(&self, text: &[u8]) -> Option<NameId> {
        self.known.get(text).copied()
    }

    pub(crate) fn text(&self, name: NameId) -> &'a [u8] {
        self.texts[name.0 as usize]
    }

    /// The components as a path from the root.
    pub(crate) fn path(&self, components: &[NameId]) -> Vec<u8> {
        let mut path = Vec::new();
        for component in components {
            path.push(b'/');
            path.extend_from_slice(self.text(*component));
        }
        if path.is_empty() {
            path.push(b'/');
        }
        path
    }
}
