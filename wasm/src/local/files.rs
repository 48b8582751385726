//! The file system of an image, as JSON of what is asked for.

use serde_json::{Value, json};
use soci_rootfs::{FileType, Usage};

/// Of what is found, so much is listed.
const LISTED: usize = 200;

/// A file system.
pub(super) struct Files(Usage);

impl Files {
    pub(super) fn of(layers: &[Option<&soci_ztoc::ztoc::Toc>]) -> Self {
        Self(Usage::of(layers, LISTED))
    }

    /// The whole, the layers, and the largest files that nobody sees.
    pub(super) fn summary(&self) -> Value {
        let layers = self.0.layers().iter().map(|layer| {
            json!({
                "known": layer.known,
                "bytes": layer.bytes,
                "hidden": layer.hidden,
                "hiddenFiles": layer.hidden_files,
            })
        });
        let hidden = self
            .0
            .hidden()
            .iter()
            .map(|file| json!({ "layer": file.layer, "name": text(&file.name), "size": file.size }));
        json!({
            "root": self.node(0),
            "layers": layers.collect::<Vec<_>>(),
            "hidden": hidden.collect::<Vec<_>>(),
        })
    }

    /// What is in a directory, largest first.
    pub(super) fn list(&self, node: usize) -> Value {
        self.0
            .children(node)
            .into_iter()
            .map(|node| self.node(node))
            .collect()
    }

    /// Everything that fits, and the first of it.
    pub(super) fn search(&self, wanted: &str) -> Value {
        let found = self.0.search(wanted.as_bytes());
        let first = found.iter().take(LISTED).map(|node| self.node(*node));
        json!({ "count": found.len(), "first": first.collect::<Vec<_>>() })
    }

    fn node(&self, number: usize) -> Value {
        let Some(node) = self.0.node(number) else {
            return Value::Null;
        };
        let kind = match node.kind {
            FileType::Directory => "directory",
            FileType::Regular => "file",
            FileType::Symlink => "link",
            _ => "other",
        };
        json!({
            "node": number,
            "name": text(self.0.name(node)),
            "path": text(&self.0.path(number)),
            "kind": kind,
            "layer": node.layer,
            "size": node.size,
            "files": node.files,
        })
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
