//! The folders of a machine, which JavaScript looks into: `wasm/action/src/files.ts` has the other side.

use soci_lint::{Disk, Entry, EntryKind};
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// Looks into folders. Lists are one text in which a NUL ends each entry: no name holds one.
    pub type Folders;

    /// The working folder, absolute.
    #[wasm_bindgen(method)]
    fn here(this: &Folders) -> String;

    /// `f` for a file, `d` for a folder, `o` for what is neither; nothing if nothing is there. Links are followed.
    #[wasm_bindgen(method)]
    fn kind(this: &Folders, path: &str) -> Option<String>;

    /// The entries of a folder, each with the letter of `kind` in front, links not followed; nothing if it cannot be
    /// read.
    #[wasm_bindgen(method)]
    fn entries(this: &Folders, folder: &str) -> Option<String>;

    /// A text file that a search asks for.
    #[wasm_bindgen(method)]
    fn text(this: &Folders, path: &str) -> Option<String>;

    /// A document that was found. From then on files beside it may be read.
    #[wasm_bindgen(method)]
    pub(crate) fn document(this: &Folders, path: &str) -> Option<Vec<u8>>;

    /// A file that a document names, unless it is no plain file near the documents.
    #[wasm_bindgen(method)]
    pub(crate) fn beside(this: &Folders, path: &str) -> Option<Vec<u8>>;

    /// The names of the plain files in a folder near the documents.
    #[wasm_bindgen(method)]
    pub(crate) fn neighbours(this: &Folders, folder: &str) -> Option<String>;

    /// Why the last call gave nothing.
    #[wasm_bindgen(method)]
    pub(crate) fn reason(this: &Folders) -> String;
}

/// Folders as a search asks them.
pub(crate) struct Searched<'f>(pub(crate) &'f Folders);

impl Disk for Searched<'_> {
    fn here(&self) -> Option<String> {
        Some(self.0.here())
    }

    fn kind(&self, path: &str) -> Option<EntryKind> {
        self.0.kind(path).map(|letter| kind(&letter))
    }

    fn entries(&self, folder: &str) -> Result<Vec<Entry>, String> {
        let entries = self.0.entries(folder).ok_or_else(|| self.0.reason())?;
        let entry = |entry: String| Entry {
            kind: kind(&entry[..1]),
            name: entry[1..].to_owned(),
        };
        Ok(split(&entries).into_iter().map(entry).collect())
    }

    fn text(&self, path: &str) -> Option<String> {
        self.0.text(path)
    }
}

/// The entries of a list.
pub(crate) fn split(list: &str) -> Vec<String> {
    list.split_terminator('\0').map(str::to_owned).collect()
}

fn kind(letter: &str) -> EntryKind {
    match letter {
        "f" => EntryKind::File,
        "d" => EntryKind::Folder,
        _ => EntryKind::Other,
    }
}
