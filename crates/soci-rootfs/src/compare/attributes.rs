//! What differs between two nodes of one path.

use soci_ztoc::tar::Timestamp;

use super::walk::Walk;
use crate::stack::Place;
use crate::tree::{FileType, Node, Origin};
use crate::verdict::{Weight, What};
use crate::xattr;

impl Walk<'_, '_> {
    /// Everything that differs between two nodes.
    pub(super) fn attributes(
        &self,
        place_a: Place,
        place_b: Place,
        a: &Node,
        b: &Node,
    ) -> Vec<(What, Weight)> {
        use Weight::{Harmful, Harmless, Unknown};
        let mut found = Vec::new();
        if a.kind != b.kind {
            return vec![(What::Type(a.kind, b.kind), Harmful)];
        }
        let implied = matches!(b.origin, Origin::Implied { .. });
        let link = a.kind == FileType::Symlink;
        let real = if link { Harmless } else { Harmful };
        if a.mode != b.mode {
            let (unpacked, client) = (a.mode, b.mode);
            found.push((
                What::Mode {
                    unpacked,
                    client,
                    implied,
                },
                real,
            ));
        }
        if owner_differs(a, b) {
            let (unpacked, client) = (owner(a), owner(b));
            found.push((
                What::Owner {
                    unpacked,
                    client,
                    implied,
                },
                real,
            ));
        }
        let same_entry = place_a.layer == place_b.layer && a.entry == b.entry;
        match (a.kind, b.unreadable) {
            (FileType::Regular, Some(why)) => found.push((What::Unreadable(why), Harmful)),
            (FileType::Directory, _) => {}
            _ if !same_entry => found.push((What::Contents, Harmful)),
            (FileType::Fifo | FileType::CharacterDevice | FileType::BlockDevice, _) if a.size != b.size => {
                found.push((What::Size(a.size, b.size), Harmless));
            }
            _ => {}
        }
        if let (Some(a), Some(b)) = (a.modified, b.modified)
            && a != b
        {
            found.push((What::Modified(a, b), Harmless));
        } else if a.modified.is_some() && b.modified.is_none() && b.entry.is_some() {
            found.push((
                What::Modified(a.modified.unwrap_or_default(), zero_time()),
                Harmless,
            ));
        }
        if a.kind != FileType::Directory && a.links != b.links {
            found.push((What::Links(a.links, b.links), Harmless));
        }
        self.xattrs(place_a, place_b, a, b, &mut found);
        if let Origin::Implied { uncertain: true, .. } = a.origin
            && implied
        {
            found.push((What::Unknown, Unknown));
        }
        found
    }

    fn xattrs(&self, place_a: Place, place_b: Place, a: &Node, b: &Node, found: &mut Vec<(What, Weight)>) {
        let (left, right) = (
            self.unpacked.tree(place_a).xattrs(a),
            self.shown.tree(place_b).xattrs(b),
        );
        let mut keys: Vec<&[u8]> = left.iter().chain(right).map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys.dedup();
        let value = |list: &[(&[u8], &[u8])], key: &[u8]| {
            let at = list.iter().find(|(found, _)| *found == key)?;
            Some(at.1.to_vec())
        };
        for key in keys {
            // Those of overlayfs are its own: nobody sees them.
            if key.starts_with(b"trusted.overlay.") {
                continue;
            }
            let (unpacked, client) = (value(left, key), value(right, key));
            if unpacked != client {
                let weight = if xattr::is_security(key) {
                    Weight::Harmful
                } else {
                    Weight::Harmless
                };
                let key = key.to_vec();
                found.push((
                    What::Xattr {
                        key,
                        unpacked,
                        client,
                    },
                    weight,
                ));
            }
        }
        if b.xattrs_vary {
            let security = left.iter().chain(right).any(|(key, _)| xattr::is_security(key));
            let weight = if security {
                Weight::Harmful
            } else {
                Weight::Harmless
            };
            found.push((What::XattrsVary, weight));
        }
    }
}

/// Owner and group as `stat` tells them: the kernel has no user 2³² − 1.
fn owner(node: &Node) -> (u32, u32) {
    let shown = |id: u32| if id == u32::MAX { OVERFLOW_ID } else { id };
    (shown(node.uid), shown(node.gid))
}

fn owner_differs(a: &Node, b: &Node) -> bool {
    owner(a) != owner(b)
}

/// What stands for a user that cannot be (`/proc/sys/kernel/overflowuid`).
const OVERFLOW_ID: u32 = 65_534;

/// What the client shows for no time at all: Go's zero time.
fn zero_time() -> Timestamp {
    Timestamp::from_rfc_3339(b"0001-01-01T00:00:00Z").unwrap_or_default()
}
