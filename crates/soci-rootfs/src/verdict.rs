//! What a comparison says.

use std::fmt;

use soci_ztoc::tar::Timestamp;
use soci_ztoc::ztoc::Refusal;

use crate::fault::UnpackFault;
use crate::mounted::UnknownTarget;
use crate::tree::{FileType, Unreadable};

/// What lazy loading makes of each layer of an image, lowest first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Comparison {
    /// One verdict for each layer.
    pub layers: Vec<Verdict>,
}

/// What lazy loading makes of one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// What the client does with it.
    pub client: Client,
    /// Why containerd cannot unpack it; then no image that has it can be pulled where layers are unpacked.
    pub unpack: Option<UnpackFault>,
    /// What the client shows differently because of this layer.
    pub differences: Differences,
}

impl Verdict {
    /// Whether a container sees the same whether the layer is mounted or unpacked, as far as it can tell.
    pub fn is_same(&self) -> bool {
        self.unpack.is_none() && self.differences.harmful == 0 && !matches!(self.client, Client::Refuses(_))
    }
}

/// What the client does with a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Client {
    /// It mounts it.
    Mounts,
    /// It takes the layer for one without a zTOC, and unpacks it.
    Refuses(Refused),
    /// The layer has no zTOC: it is unpacked.
    Unpacks,
    /// The layer is not known.
    Unknown,
}

/// Why the client does not take a zTOC.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The zTOC itself.
    #[error(transparent)]
    Ztoc(#[from] Refusal),
    /// A hard link whose target it does not find.
    #[error(transparent)]
    HardLink(#[from] UnknownTarget),
}

/// Differences, harmful ones first. Of very many only the first are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Differences {
    /// How many can make a program behave differently: contents, presence, type, mode or owner of a file or
    /// directory, security attributes.
    pub harmful: u64,
    /// How many do no harm: times, link counts, modes of links and the like.
    pub harmless: u64,
    /// How many directories have attributes that depend on a layer that is not known.
    pub unknown: u64,
    /// The first ones of each sort, by path.
    pub listed: Vec<Difference>,
}

impl Differences {
    /// How many of each sort are listed.
    pub const LISTED: usize = 200;

    pub(crate) fn add(&mut self, difference: Difference) {
        let count = match difference.weight {
            Weight::Harmful => &mut self.harmful,
            Weight::Harmless => &mut self.harmless,
            Weight::Unknown => &mut self.unknown,
        };
        *count += 1;
        if *count <= Self::LISTED as u64 {
            self.listed.push(difference);
        }
    }

    pub(crate) fn sort(&mut self) {
        self.listed
            .sort_by(|a, b| (a.weight, &a.path).cmp(&(b.weight, &b.path)));
    }
}

/// How much a difference matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// A program can behave differently.
    Harmful,
    /// It depends on a layer that is not known.
    Unknown,
    /// No program minds.
    Harmless,
}

/// One path that is shown differently.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The path from the root of the image.
    pub path: Vec<u8>,
    /// What differs there.
    pub what: What,
    /// How much it matters.
    pub weight: Weight,
}

/// What differs at a path; first as unpacked, then as the client shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// The client does not show it.
    Missing,
    /// Only the client shows it.
    Added,
    /// Its folder lists it, and every look at it says that it is not there.
    Phantom,
    /// Another type.
    Type(FileType, FileType),
    /// Other permission bits; `implied` if no entry lists the directory.
    Mode {
        /// As unpacked.
        unpacked: u16,
        /// As the client shows it.
        client: u16,
        /// The layer implies the directory and does not list it.
        implied: bool,
    },
    /// Another owner or group.
    Owner {
        /// As unpacked: owner and group.
        unpacked: (u32, u32),
        /// As the client shows it.
        client: (u32, u32),
        /// The layer implies the directory and does not list it.
        implied: bool,
    },
    /// Another file's contents.
    Contents,
    /// Reading ends with an I/O error.
    Unreadable(Unreadable),
    /// An extended attribute: the value, if there is one.
    Xattr {
        /// Its name.
        key: Vec<u8>,
        /// As unpacked.
        unpacked: Option<Vec<u8>>,
        /// As the client shows it.
        client: Option<Vec<u8>>,
    },
    /// Which extended attributes the client shows differs from run to run.
    XattrsVary,
    /// Another time.
    Modified(Timestamp, Timestamp),
    /// Another size of what has no contents.
    Size(i64, i64),
    /// Another number of hard links.
    Links(u32, u32),
    /// A layer without a zTOC cannot be unpacked onto what the client shows.
    NotUnpacked(UnpackFault),
    /// Mode, owner and attributes that the directory has below, if the unknown layer has it.
    Unknown,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' {}", self.path.escape_ascii(), self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let because = |implied: &bool| if *implied { NOT_LISTED } else { "" };
        match self {
            Self::Missing => f.write_str("is missing"),
            Self::Added => f.write_str("is there although it should not be"),
            Self::Phantom => f.write_str("is listed but cannot be found"),
            Self::Type(unpacked, client) => write!(f, "is {client} instead of {unpacked}"),
            Self::Mode {
                unpacked,
                client,
                implied,
            } => write!(
                f,
                "has mode {client:04o} instead of {unpacked:04o}{}",
                because(implied)
            ),
            Self::Owner {
                unpacked,
                client,
                implied,
            } => write!(
                f,
                "belongs to {}:{} instead of {}:{}{}",
                client.0,
                client.1,
                unpacked.0,
                unpacked.1,
                because(implied)
            ),
            Self::Contents => f.write_str("has other contents"),
            Self::Unreadable(why) => write!(f, "cannot be read: {why}"),
            Self::Xattr {
                key,
                unpacked,
                client,
            } => {
                let key = key.escape_ascii();
                match (unpacked, client) {
                    (Some(_), None) => write!(f, "lacks the extended attribute '{key}'"),
                    (None, _) => write!(f, "has the extended attribute '{key}' in addition"),
                    _ => write!(f, "has another value of the extended attribute '{key}'"),
                }
            }
            Self::XattrsVary => f.write_str("loses extended attributes, other ones in other runs"),
            Self::Modified(..) => f.write_str("has another modification time"),
            Self::Size(unpacked, client) => write!(f, "has size {client} instead of {unpacked}"),
            Self::Links(unpacked, client) => write!(f, "has {client} hard links instead of {unpacked}"),
            Self::NotUnpacked(fault) => write!(f, "stops the unpacking of a layer above it: {fault}"),
            Self::Unknown => f.write_str("may have other attributes in a layer below that was not read"),
        }
    }
}

const NOT_LISTED: &str = ", because the layer implies the directory and does not list it";
