//! Where a path leads in a container: through links and layers, as the kernel walks over the unpacked file system.
//!
//! Each step is decided by the layers above the one that answers it. If one of these is not known, it could hide or
//! replace what was found, or have what was not: then the whole answer is unknown, and that layer is named, so that
//! who can read it does and asks again.

use crate::names::{NameId, Names};
use crate::resolve::KERNEL_LINKS;
use crate::stack::{Merged, Shown, Stack};
use crate::tree::FileType;

/// Why a path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupFault {
    /// No layer has it, or one above deletes it.
    #[error("'{}' is not in the image", path.escape_ascii())]
    Missing {
        /// The path; after following links perhaps not the one given.
        path: Vec<u8>,
    },
    /// A layer that is not known decides.
    #[error("where '{}' leads depends on layer {layer}, which is not known", path.escape_ascii())]
    Unknown {
        /// The path; after following links perhaps not the one given.
        path: Vec<u8>,
        /// That layer, from 0 for the lowest: of several the highest.
        layer: usize,
    },
    /// Links lead in a circle, or through more than 40 others.
    #[error("too many links on the way to '{}'", path.escape_ascii())]
    TooManyLinks {
        /// The path that was looked for.
        path: Vec<u8>,
    },
    /// A part of the way is not a directory.
    #[error("'{}' is not a directory", path.escape_ascii())]
    NotADirectory {
        /// That part.
        path: Vec<u8>,
    },
}

/// A place on the way.
struct Stop {
    shown: Shown,
    /// The lowest layer that shows through here.
    floor: usize,
}

/// Walks to a path; a link at its end is followed or not. Gives the path without links and what stands there.
pub(crate) fn walk(
    stack: &Stack<'_, '_>,
    names: &Names<'_>,
    path: &[u8],
    follow: bool,
) -> Result<(Vec<NameId>, Shown), LookupFault> {
    let root = Stop {
        shown: Shown::Directory(stack.root()),
        floor: 0,
    };
    let mut open = steps(path);
    let mut way: Vec<NameId> = Vec::new();
    let mut stops = vec![root];
    let mut links = 0;
    while let Some(step) = open.pop() {
        let at = stops.last().expect("the root stays");
        let Shown::Directory(directory) = &at.shown else {
            let path = names.path(&way);
            return Err(LookupFault::NotADirectory { path });
        };
        match &step[..] {
            b"." => continue,
            b".." => {
                if way.pop().is_some() {
                    stops.pop();
                }
                continue;
            }
            _ => {}
        }
        let name = names.get(&step);
        let found = child(stack, directory, at.floor, name).map_err(|layer| LookupFault::Unknown {
            path: rest(names, &way, &step, &open),
            layer,
        })?;
        let (Some(name), Some(stop)) = (name, found) else {
            return Err(LookupFault::Missing {
                path: rest(names, &way, &step, &open),
            });
        };
        let place = stop.shown.place();
        let node = stack.node(place);
        if node.kind != FileType::Symlink || (open.is_empty() && !follow) {
            way.push(name);
            stops.push(stop);
            continue;
        }
        links += 1;
        if links > KERNEL_LINKS {
            return Err(LookupFault::TooManyLinks { path: path.to_vec() });
        }
        let target = stack.tree(place).link_target(node);
        if target.first() == Some(&b'/') {
            way.clear();
            stops.truncate(1);
        }
        open.extend(steps(target));
    }
    let shown = stops.pop().expect("the root stays").shown;
    // An image without any layer that is known has no root to tell of.
    if shown == Shown::Directory(Merged::new()) {
        let path = names.path(&way);
        return Err(match stack.0.len().checked_sub(1) {
            Some(layer) => LookupFault::Unknown { path, layer },
            None => LookupFault::Missing { path },
        });
    }
    Ok((way, shown))
}

/// The steps of a path, last one first. A slash at its end asks for a directory, as `.` does.
fn steps(path: &[u8]) -> Vec<Vec<u8>> {
    let slash = path.ends_with(b"/").then_some(&b"."[..]);
    let parts = path.split(|byte| *byte == b'/').filter(|part| !part.is_empty());
    let mut steps: Vec<Vec<u8>> = parts.chain(slash).map(<[u8]>::to_vec).collect();
    steps.reverse();
    steps
}

/// A name in a directory of which all layers down to `floor` show through: a deletion or a file ends the search, a
/// directory adds what is below it unless it is opaque. An error is the layer that would have to be known.
fn child(
    stack: &Stack<'_, '_>,
    directory: &Merged,
    floor: usize,
    name: Option<NameId>,
) -> Result<Option<Stop>, usize> {
    let mut folders = directory.iter().copied().peekable();
    let mut merged = Merged::new();
    for layer in (floor..stack.0.len()).rev() {
        // Below a directory that was found it can only add: what is asked for there shows whether that matters.
        if stack.0[layer].is_none() && merged.is_empty() {
            return Err(layer);
        }
        let folder = folders.next_if(|folder| folder.layer == layer);
        let Some(place) = folder.and_then(|folder| stack.in_layer(folder, name?)) else {
            continue;
        };
        let node = stack.node(place);
        let directory = node.kind == FileType::Directory;
        if directory {
            merged.push(place);
        }
        if !directory || node.opaque {
            let shown = match (merged.is_empty(), node.whiteout) {
                (false, _) => Shown::Directory(merged),
                (true, false) => Shown::File(place),
                (true, true) => return Ok(None),
            };
            return Ok(Some(Stop { shown, floor: layer }));
        }
    }
    Ok((!merged.is_empty()).then_some(Stop {
        shown: Shown::Directory(merged),
        floor,
    }))
}

/// The way so far with the steps that are left.
fn rest(names: &Names<'_>, way: &[NameId], step: &[u8], open: &[Vec<u8>]) -> Vec<u8> {
    let mut path = Vec::new();
    let way = way.iter().map(|name| names.text(*name));
    let open = open
        .iter()
        .rev()
        .map(|part| &part[..])
        .filter(|part| *part != b".");
    for component in way.chain([step]).chain(open) {
        path.push(b'/');
        path.extend_from_slice(component);
    }
    path
}
