//! The image unpacked beside the image as the lazy client shows it.

mod attributes;
mod blame;
mod walk;

use soci_ztoc::ztoc::Toc;

use walk::Walk;

use crate::fault::UnpackFault;
use crate::mounted::mounted;
use crate::names::Names;
use crate::resolve::Budget;
use crate::source::Mount;
use crate::stack::{Stack, Way};
use crate::tree::Tree;
use crate::unpack::{Unpacked, unpack};
use crate::verdict::{Client, Comparison, Difference, Differences, Refused, Verdict, Weight, What};

/// A layer, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    toc: Option<&'a Toc>,
    mount: Option<&'a Mount>,
}

impl<'a> Layer<'a> {
    /// A layer of which nothing is known: it was not read.
    pub fn unknown() -> Self {
        Self {
            toc: None,
            mount: None,
        }
    }

    /// A layer that is unpacked because it has no zTOC.
    pub fn unpacked(toc: &'a Toc) -> Self {
        Self {
            toc: Some(toc),
            mount: None,
        }
    }

    /// A layer with a zTOC.
    pub fn mounted(toc: &'a Toc, mount: &'a Mount) -> Self {
        Self {
            toc: Some(toc),
            mount: Some(mount),
        }
    }

    /// The same layer without its zTOC.
    pub fn without_ztoc(self) -> Self {
        Self { mount: None, ..self }
    }

    /// Its table of contents.
    pub(crate) fn toc(&self) -> Option<&'a Toc> {
        self.toc
    }

    /// Whether it has a zTOC.
    pub fn has_ztoc(&self) -> bool {
        self.mount.is_some()
    }
}

/// Compares what unpacking makes of an image with what the lazy client shows of it. The whole stack decides:
/// what one layer shows wrongly, another one above it can put right.
pub fn compare(layers: &[Layer<'_>]) -> Comparison {
    let mut names = Names::default();
    let entries = layers.iter().filter_map(|layer| layer.toc).map(Toc::len).sum();
    let mut budget = Budget::new(entries);
    let mut unpacked: Vec<Option<Tree<'_>>> = Vec::new();
    let mut shown: Vec<Option<Tree<'_>>> = Vec::new();
    let mut verdicts = Vec::new();
    for layer in layers {
        let Some(toc) = layer.toc else {
            unpacked.push(None);
            shown.push(None);
            verdicts.push(verdict(Client::Unknown));
            continue;
        };
        let below: Vec<_> = unpacked.iter().map(Option::as_ref).collect();
        let Unpacked { tree, fault } = unpack(toc, &below, &mut names, &mut budget);
        unpacked.push(Some(tree));
        let (client, view) = client_view(layer, toc, &mut names);
        // What is unpacked onto mounts copies the attributes of directories from them.
        let view = view.unwrap_or_else(|| {
            let below: Vec<_> = shown.iter().map(Option::as_ref).collect();
            let onto_mounts = unpack(toc, &below, &mut names, &mut budget);
            if let (None, Some(fault)) = (&fault, onto_mounts.fault) {
                blocked(&mut verdicts, fault);
            }
            onto_mounts.tree
        });
        shown.push(Some(view));
        verdicts.push(Verdict {
            unpack: fault,
            ..verdict(client)
        });
    }
    let mut walk = Walk {
        names: &names,
        unpacked: Stack(unpacked.iter().map(Option::as_ref).collect()),
        shown: Stack(shown.iter().map(Option::as_ref).collect()),
        verdicts: &mut verdicts,
        way: Way::default(),
    };
    walk.all();
    for verdict in &mut verdicts {
        // What an image that cannot be unpacked looks like when it is unpacked, nobody can say.
        if verdict.unpack.is_some() {
            verdict.differences = Differences::default();
        }
        verdict.differences.sort();
    }
    Comparison { layers: verdicts }
}

/// What the client does with a layer, and the tree that it shows if that is to mount it.
fn client_view<'a>(layer: &Layer<'a>, toc: &'a Toc, names: &mut Names<'a>) -> (Client, Option<Tree<'a>>) {
    let Some(mount) = layer.mount else {
        return (Client::Unpacks, None);
    };
    match (mount.refusal(), mounted(toc, mount, names)) {
        (Some(refusal), _) => (Client::Refuses(Refused::Ztoc(refusal.clone())), None),
        (None, Err(target)) => (Client::Refuses(Refused::HardLink(target)), None),
        (None, Ok(view)) => (Client::Mounts, Some(view)),
    }
}

/// The trees of an image as the lazy client has them: mounted, and where it does not mount a layer unpacked onto
/// what lies below.
pub(crate) fn shown<'a>(layers: &[Layer<'a>], names: &mut Names<'a>) -> Shown<'a> {
    let entries = layers.iter().filter_map(|layer| layer.toc).map(Toc::len).sum();
    let mut budget = Budget::new(entries);
    let mut shown = Shown::default();
    for layer in layers {
        let Some(toc) = layer.toc else {
            shown.trees.push(None);
            shown.faults.push(None);
            shown.clients.push(Client::Unknown);
            continue;
        };
        let (client, view) = client_view(layer, toc, names);
        let (tree, fault) = match view {
            Some(tree) => (tree, None),
            None => {
                let below: Vec<_> = shown.trees.iter().map(Option::as_ref).collect();
                let made = unpack(toc, &below, names, &mut budget);
                (made.tree, made.fault)
            }
        };
        shown.trees.push(Some(tree));
        shown.faults.push(fault);
        shown.clients.push(client);
    }
    shown
}

/// The layers of an image as the lazy client has them, lowest first.
#[derive(Default)]
pub(crate) struct Shown<'a> {
    pub(crate) trees: Vec<Option<Tree<'a>>>,
    pub(crate) faults: Vec<Option<UnpackFault>>,
    pub(crate) clients: Vec<Client>,
}

/// Notes of the highest mount that the next layer cannot be unpacked onto it.
fn blocked(verdicts: &mut [Verdict], fault: UnpackFault) {
    let mut mounts = verdicts.iter_mut().rev();
    if let Some(verdict) = mounts.find(|verdict| verdict.client == Client::Mounts) {
        verdict.differences.add(Difference {
            path: b"/".to_vec(),
            what: What::NotUnpacked(fault),
            weight: Weight::Harmful,
        });
    }
}

fn verdict(client: Client) -> Verdict {
    Verdict {
        client,
        unpack: None,
        differences: Differences::default(),
    }
}
