//! The image as a tree of directories, with what a start reads of each.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use soci_rootfs::Rootfs;
use soci_ztoc::ztoc::Ztoc;

use crate::touch::Touched;
use crate::weights::{each_file, of_layers};

/// A directory with all that is below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Directory {
    /// What the start does with its files, those of its directories included.
    pub parts: Parts,
    /// Files that lie in it and not in a directory of it.
    pub own: Parts,
    /// The directories in it, by name.
    pub directories: BTreeMap<Vec<u8>, Directory>,
}

/// Bytes of the compressed layers, about (as [`Share::compressed`](crate::Share::compressed)), by what a start does with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parts {
    /// Read until ready.
    pub needed: u64,
    /// In files that the start opens, and not read until ready: fetched later, if the program reads on.
    pub later: u64,
    /// In files that it does not open.
    pub unopened: u64,
}

impl Parts {
    /// All of them.
    pub fn sum(self) -> u64 {
        self.needed + self.later + self.unopened
    }
}

impl AddAssign for Parts {
    fn add_assign(&mut self, other: Self) {
        self.needed += other.needed;
        self.later += other.later;
        self.unopened += other.unopened;
    }
}

/// The tree of what containers see. `layers` are those of `rootfs`, lowest first, each with its table of contents and its
/// bytes as it is stored; a layer that is not known is left out. Without a start all is unopened.
pub fn directories(
    rootfs: &Rootfs<'_>,
    layers: &[Option<(&Ztoc, u64)>],
    touched: Option<&Touched>,
) -> Directory {
    let read: BTreeMap<(usize, usize), (u64, u64)> = touched
        .iter()
        .flat_map(|touched| &touched.files)
        .map(|file| ((file.layer, file.entry), (file.read, file.size)))
        .collect();
    let mut root = Directory::default();
    each_file(rootfs, &of_layers(layers), |found, entry, share| {
        let bytes = share.compressed;
        let parts = match read.get(&(found.layer, entry)) {
            Some((read, size)) => {
                let part = *read as f64 / (*size).max(1) as f64;
                let needed = ((bytes as f64 * part) as u64).min(bytes);
                Parts {
                    needed,
                    later: bytes - needed,
                    unopened: 0,
                }
            }
            None => Parts {
                unopened: bytes,
                ..Parts::default()
            },
        };
        let names: Vec<&[u8]> = found.path.split(|byte| *byte == b'/').skip(1).collect();
        let mut directory = &mut root;
        directory.parts += parts;
        for name in &names[..names.len().saturating_sub(1)] {
            directory = directory.directories.entry(name.to_vec()).or_default();
            directory.parts += parts;
        }
        directory.own += parts;
    });
    root
}
