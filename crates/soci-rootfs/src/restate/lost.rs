//! Directories whose attributes a lazy client loses.

use std::collections::BTreeMap;

use soci_ztoc::ztoc::Toc;

use crate::compare::Layer;
use crate::rootfs::{Found, Rootfs};
use crate::tree::FileType;

/// Mode, owner and group, extended attributes.
type Attributes = (u16, (u32, u32), Vec<(Vec<u8>, Vec<u8>)>);

/// The paths of directories that the lazy client shows with another mode, another owner or other extended attributes
/// than unpacking makes, ascending: most often directories that a layer implies and does not list. A layer on top that
/// lists them as they are unpacked makes both the same.
pub fn lost_directories(layers: &[Layer<'_>]) -> Vec<Vec<u8>> {
    let tocs: Vec<Option<&Toc>> = layers.iter().map(Layer::toc).collect();
    let (shown, _) = Rootfs::mounted(layers);
    let mut client: BTreeMap<Vec<u8>, Attributes> = BTreeMap::new();
    shown.each(|found| {
        if found.file_type == FileType::Directory {
            let attributes = attributes(&found);
            client.insert(found.path, attributes);
        }
    });
    let mut lost = Vec::new();
    Rootfs::new(&tocs).each(|found| {
        let differs = client
            .get(&found.path)
            .is_some_and(|client| *client != attributes(&found));
        if found.file_type == FileType::Directory && differs {
            lost.push(found.path);
        }
    });
    lost.sort_unstable();
    lost
}

fn attributes(found: &Found) -> Attributes {
    // What overlayfs keeps for itself, nobody sees.
    let xattrs = found
        .xattrs
        .iter()
        .filter(|(key, _)| !key.starts_with(b"trusted."));
    (found.mode, (found.uid, found.gid), xattrs.cloned().collect())
}
