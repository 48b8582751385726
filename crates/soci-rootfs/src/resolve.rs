//! Where a path leads inside a layer's own tree, as containerd's unpacking finds out.
//!
//! It takes the path apart itself, so that links stay inside the layer (`RootPath` of
//! <https://github.com/containerd/continuity>, v0.3.0, 2026-11-28), but asks the kernel about each piece. So
//! `..` is taken out of the text of a link, while the kernel follows links on the way to the piece in
//! question: both are done here in the same order, because their results differ.

use crate::names::{NameId, Names};
use crate::path::parts;
use crate::tree::{FileType, NodeId, ROOT, Tree};

/// A path in the middle of its way.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    absolute: bool,
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Name(NameId),
    Up,
}

/// Why a path leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocked {
    /// A part of the way is not a directory.
    NotADirectory,
    /// More than 255 links, or a circle.
    TooManyLinks,
    /// A name that no file system takes.
    NameTooLong,
    /// Hostile input: following its links would take too long.
    TooMuchWork,
}

/// How many steps through links a stack of layers may take altogether. What builders make needs a thousandth.
#[derive(Debug)]
pub(crate) struct Budget(u64);

impl Budget {
    pub(crate) fn new(entries: usize) -> Self {
        Self(20_000_000 + 200 * entries as u64)
    }

    fn spend(&mut self) -> Result<(), Blocked> {
        self.0 = self.0.checked_sub(1).ok_or(Blocked::TooMuchWork)?;
        Ok(())
    }
}

impl Text {
    /// A path as it is written.
    pub(crate) fn read<'a>(path: &'a [u8], names: &mut Names<'a>) -> Self {
        let steps = parts(path)
            .map(|part| match part {
                b".." => Step::Up,
                _ => Step::Name(names.intern(part)),
            })
            .collect();
        Self {
            absolute: path.first() == Some(&b'/'),
            steps,
        }
    }

    /// A path of plain names.
    pub(crate) fn of(absolute: bool, names: &[NameId]) -> Self {
        Self {
            absolute,
            steps: names.iter().map(|name| Step::Name(*name)).collect(),
        }
    }
}

/// What is known of the place where the way has come to.
#[derive(Clone, Copy)]
enum At {
    /// Every name up to here is a directory, and this is the node.
    Node(NodeId),
    /// Nothing is there.
    Missing,
    /// A link was on the way: the kernel has to be asked from the root.
    Behind,
}

/// The path from the root of the tree without any link; it need not exist.
pub(crate) fn root_path<'a>(
    tree: &Tree<'a>,
    names: &mut Names<'a>,
    mut path: Text,
    budget: &mut Budget,
) -> Result<Vec<NameId>, Blocked> {
    let mut links = 0;
    loop {
        let before = links;
        let mut way = Text {
            absolute: path.absolute,
            steps: Vec::with_capacity(path.steps.len()),
        };
        let mut at = At::Node(ROOT);
        for (index, step) in path.steps.iter().enumerate() {
            if links > MOST_LINKS {
                return Err(Blocked::TooManyLinks);
            }
            budget.spend()?;
            clean(&mut way.steps);
            match step {
                Step::Name(name) => way.steps.push(Step::Name(*name)),
                Step::Up => {
                    way.steps.pop();
                    at = if way.steps.is_empty() {
                        At::Node(ROOT)
                    } else {
                        At::Behind
                    };
                }
            }
            let found = match (at, step) {
                (_, Step::Up) if way.steps.is_empty() => Some(ROOT),
                (At::Node(parent), Step::Name(name)) => child(tree, names, parent, *name)?,
                (At::Missing, Step::Name(_)) => None,
                _ => kernel_walk(tree, names, &way.steps, budget)?,
            };
            let Some(link) = found.filter(|node| tree.node(*node).kind == FileType::Symlink) else {
                at = match (at, found) {
                    (At::Behind, _) => At::Behind,
                    (_, Some(node)) => At::Node(node),
                    (_, None) => At::Missing,
                };
                continue;
            };
            links += 1;
            let target = Text::read(tree.link_target(tree.node(link)), names);
            // A target is joined to the directory of its link, except where there is none to join it to.
            if target.absolute || (index == 0 && !path.absolute) {
                way = target;
            } else {
                way.steps.pop();
                way.steps.extend(target.steps);
                clean(&mut way.steps);
                way.absolute = true;
            }
            at = At::Behind;
        }
        path = way;
        if links == before {
            clean(&mut path.steps);
            let names = path.steps.iter().filter_map(|step| match step {
                Step::Name(name) => Some(*name),
                Step::Up => None,
            });
            return Ok(names.collect());
        }
    }
}

/// The node at a path without links.
pub(crate) fn node_at(tree: &Tree<'_>, path: &[NameId]) -> Option<NodeId> {
    path.iter().try_fold(ROOT, |at, name| tree.child(at, *name))
}

/// Takes out `..` by the text alone.
fn clean(steps: &mut Vec<Step>) {
    if !steps.contains(&Step::Up) {
        return;
    }
    let mut cleaned: Vec<Step> = Vec::with_capacity(steps.len());
    for step in steps.drain(..) {
        match step {
            Step::Up => {
                cleaned.pop();
            }
            name => cleaned.push(name),
        }
    }
    *steps = cleaned;
}

fn child(
    tree: &Tree<'_>,
    names: &Names<'_>,
    parent: NodeId,
    name: NameId,
) -> Result<Option<NodeId>, Blocked> {
    if tree.node(parent).kind != FileType::Directory {
        return Err(Blocked::NotADirectory);
    }
    if names.text(name).len() > NAME_LIMIT {
        return Err(Blocked::NameTooLong);
    }
    Ok(tree.child(parent, name))
}

/// `lstat` below the root: links on the way are followed, the last name is not. A link that leaves the layer's
/// folder finds nothing, as on a machine that has nothing of that name.
fn kernel_walk<'a>(
    tree: &Tree<'a>,
    names: &mut Names<'a>,
    steps: &[Step],
    budget: &mut Budget,
) -> Result<Option<NodeId>, Blocked> {
    let mut open: Vec<Step> = steps.iter().rev().copied().collect();
    let mut folders = vec![ROOT];
    let mut links = 0;
    while let Some(step) = open.pop() {
        budget.spend()?;
        let Some(folder) = folders.last().copied() else {
            return Ok(None);
        };
        let Step::Name(name) = step else {
            folders.pop();
            if folders.is_empty() {
                return Ok(None);
            }
            continue;
        };
        let Some(node) = child(tree, names, folder, name)? else {
            return Ok(None);
        };
        if open.is_empty() {
            return Ok(Some(node));
        }
        if tree.node(node).kind != FileType::Symlink {
            folders.push(node);
            continue;
        }
        links += 1;
        if links > KERNEL_LINKS {
            return Err(Blocked::TooManyLinks);
        }
        let target = Text::read(tree.link_target(tree.node(node)), names);
        if target.absolute {
            return Ok(None);
        }
        open.extend(target.steps.iter().rev());
    }
    Ok(folders.last().copied())
}

/// Longest name of the file systems that containerd unpacks into (`NAME_MAX`).
pub(crate) const NAME_LIMIT: usize = 255;

/// As many links as continuity follows.
const MOST_LINKS: u32 = 255;

/// As many links as Linux follows in one path (`MAXSYMLINKS`).
pub(crate) const KERNEL_LINKS: u32 = 40;
