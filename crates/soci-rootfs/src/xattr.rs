//! What a Linux file system does with an extended attribute from a tar.

use crate::tree::FileType;

/// What becomes of it when containerd unpacks the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// It is set.
    Set,
    /// It is left out with a warning.
    Ignored,
    /// The image cannot be unpacked.
    Refused,
}

/// Sets an attribute as containerd does: it leaves out `trusted.`, what the kernel does not support, and `user.`
/// on what is neither a file nor a directory; it gives up at every other error (xattr(7), fs/xattr.c and
/// security/commoncap.c of Linux 6.18, 2026-11-28).
pub(crate) fn setting(kind: FileType, key: &[u8], value: &[u8]) -> Setting {
    if key.starts_with(b"trusted.") {
        return Setting::Ignored;
    }
    if key.is_empty() || key.len() > KEY_LIMIT || value.len() > VALUE_LIMIT {
        return Setting::Refused;
    }
    match key {
        b"user." | b"security." => Setting::Refused,
        b"security.capability" if !is_capability(value) => Setting::Refused,
        _ if key.starts_with(b"security.") => Setting::Set,
        _ if key.starts_with(b"user.") => match kind {
            FileType::Regular | FileType::Directory => Setting::Set,
            _ => Setting::Ignored,
        },
        b"system.posix_acl_access" | b"system.posix_acl_default" => Setting::Set,
        _ => Setting::Ignored,
    }
}

/// Whether programs behave differently without it: capabilities, labels, access lists.
pub(crate) fn is_security(key: &[u8]) -> bool {
    key.starts_with(b"security.") || key.starts_with(b"system.posix_acl_")
}

/// The mark that overlayfs reads on a directory that hides those below it.
pub(crate) const OVERLAY_OPAQUE: &[u8] = b"trusted.overlay.opaque";

/// Revision 2 with 20 bytes or revision 3 with 24.
fn is_capability(value: &[u8]) -> bool {
    matches!((value.len(), value.get(3)), (20, Some(2)) | (24, Some(3)))
}

/// `XATTR_NAME_MAX`.
const KEY_LIMIT: usize = 255;

/// `XATTR_SIZE_MAX`.
const VALUE_LIMIT: usize = 65_536;
