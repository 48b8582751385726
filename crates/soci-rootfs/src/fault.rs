//! What containerd stops at.

use soci_ztoc::ztoc::Unindexable;

use crate::resolve::Blocked;
use crate::source::Entry;

/// Why containerd cannot unpack a layer: the image cannot be pulled where it is unpacked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackFault {
    /// A hard link to what the layer does not have, or has later only.
    #[error("the hard link '{}' has no target: '{}' is not earlier in the layer", name.escape_ascii(), target.escape_ascii())]
    HardLinkTarget {
        /// The link.
        name: Box<[u8]>,
        /// What it should lead to.
        target: Box<[u8]>,
    },
    /// A hard link to a directory.
    #[error("the hard link '{}' leads to a directory, '{}'", name.escape_ascii(), target.escape_ascii())]
    HardLinkToDirectory {
        /// The link.
        name: Box<[u8]>,
        /// The directory.
        target: Box<[u8]>,
    },
    /// An entry below something that is not a directory, in its layer or in one below.
    #[error("'{}' stands below something that is not a directory", name.escape_ascii())]
    NotADirectory {
        /// The entry.
        name: Box<[u8]>,
    },
    /// A deletion of what the same layer has.
    #[error("'{}' deletes what the same layer has put there", name.escape_ascii())]
    DeletesOwnEntry {
        /// The whiteout.
        name: Box<[u8]>,
    },
    /// A deletion of nothing, `.` or `..`.
    #[error("'{}' is not a valid deletion", name.escape_ascii())]
    InvalidWhiteout {
        /// The whiteout.
        name: Box<[u8]>,
    },
    /// A name of more than 255 bytes, or a path that is too long as a whole.
    #[error("the name '{}…' is too long for a file system", prefix(name).escape_ascii())]
    NameTooLong {
        /// The entry.
        name: Box<[u8]>,
    },
    /// A symbolic link with an empty target or one of more than 4095 bytes.
    #[error("the target of the symbolic link '{}' is empty or too long", name.escape_ascii())]
    LinkTarget {
        /// The link.
        name: Box<[u8]>,
    },
    /// More links on the way to an entry than are followed.
    #[error("there are too many links on the way to '{}'", name.escape_ascii())]
    TooManyLinks {
        /// The entry.
        name: Box<[u8]>,
    },
    /// An extended attribute that no file system takes.
    #[error("'{}' has an extended attribute that cannot be set: '{}'", name.escape_ascii(), key.escape_ascii())]
    Xattr {
        /// The entry.
        name: Box<[u8]>,
        /// The attribute.
        key: Box<[u8]>,
    },
    /// A directory that is gone when its time is to be set.
    #[error("the directory '{}' is replaced later in the layer by what its path does not lead through", name.escape_ascii())]
    DirectoryGone {
        /// The directory.
        name: Box<[u8]>,
    },
    /// An entry of a type that containerd does not unpack.
    #[error("'{}' has a type that containerd does not unpack: '{}'", name.escape_ascii(), type_flag.escape_ascii())]
    EntryType {
        /// The entry.
        name: Box<[u8]>,
        /// The type byte of its header.
        type_flag: u8,
    },
    /// Following its links would take too long.
    #[error("the links on the way to '{}' take too long to follow", name.escape_ascii())]
    TooMuchWork {
        /// The entry.
        name: Box<[u8]>,
    },
}

impl UnpackFault {
    /// Whether a layer that cannot have a zTOC cannot be unpacked either, and why.
    pub fn of_skipped(reason: &Unindexable) -> Option<Self> {
        match reason {
            // Global headers are passed over.
            Unindexable::UnsupportedEntry { type_flag: b'g', .. } => None,
            Unindexable::UnsupportedEntry { type_flag, name, .. } => Some(Self::EntryType {
                name: name.clone(),
                type_flag: *type_flag,
            }),
            _ => None,
        }
    }
}

/// A name of any length, cut for messages.
fn prefix(name: &[u8]) -> &[u8] {
    &name[..name.len().min(60)]
}

impl Blocked {
    pub(crate) fn fault(self, entry: &Entry<'_>) -> UnpackFault {
        let name = entry.name.into();
        match self {
            Self::NotADirectory => UnpackFault::NotADirectory { name },
            Self::TooManyLinks => UnpackFault::TooManyLinks { name },
            Self::NameTooLong => UnpackFault::NameTooLong { name },
            Self::TooMuchWork => UnpackFault::TooMuchWork { name },
        }
    }
}
