//! What the target for soci-rootfs does with any bytes: they become layers, and the crate finds the same
//! differences in them as a simple model.

use std::collections::BTreeSet;

use soci_rootfs::{Client, Layer, LookupFault, Mount, Rootfs, Weight, What, compare, settle};
use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Compression, Ztoc, ZtocBuilder};

#[path = "rootfs/layers.rs"]
pub mod layers;
#[path = "rootfs/naive.rs"]
mod naive;

use layers::{Item, stack, tar};
use naive::{Files, merge, mount, unpack};

/// A path and what differs there.
type Told = BTreeSet<(String, &'static str)>;

/// Any bytes as a stack of layers, as the layout of `layers::stack` has them.
pub fn rootfs(bytes: &[u8]) {
    let stack = stack(bytes);
    let ztocs: Vec<Ztoc> = stack.iter().map(|layer| build(layer)).collect();
    let mounts: Vec<Mount> = ztocs.iter().map(Mount::of).collect();
    // The first byte also says which layers have no zTOC.
    let lazy = |index: usize| bytes.first().is_none_or(|byte| byte >> (3 + index) & 1 == 0);
    let layers: Vec<Layer<'_>> = (0..stack.len())
        .map(|index| match lazy(index) {
            true => Layer::mounted(ztocs[index].toc(), &mounts[index]),
            false => Layer::unpacked(ztocs[index].toc()),
        })
        .collect();
    let comparison = compare(&layers);
    let (expected, clients) = match model(&stack, &layers, &mounts) {
        Model::CannotBeUnpacked => {
            let fault = comparison.layers.iter().any(|verdict| verdict.unpack.is_some());
            assert!(fault, "containerd would not unpack {stack:#?}");
            return settled(&layers);
        }
        Model::CannotBeUnpackedOntoMounts => {
            let all = comparison
                .layers
                .iter()
                .flat_map(|verdict| &verdict.differences.listed);
            let told = all
                .clone()
                .any(|difference| matches!(difference.what, What::NotUnpacked(_)));
            assert!(told, "containerd would not unpack onto the mounts of {stack:#?}");
            return settled(&layers);
        }
        Model::Compared(told, clients) => (told, clients),
    };
    let mut told = Told::new();
    for (verdict, client) in comparison.layers.iter().zip(clients) {
        assert_eq!(verdict.unpack, None, "{stack:#?}");
        assert_eq!(
            matches!(verdict.client, Client::Refuses(_)),
            client == Some(false),
            "{stack:#?}"
        );
        for difference in &verdict.differences.listed {
            assert!(
                matches!(verdict.client, Client::Mounts),
                "blamed without a mount: {stack:#?}"
            );
            let path = String::from_utf8_lossy(&difference.path).into_owned();
            told.extend(
                word(&difference.what)
                    .filter(|_| path != "/")
                    .map(|word| (path, word)),
            );
        }
    }
    assert_eq!(told, expected, "{stack:#?}");
    settled(&layers);
    lookups(&stack, &ztocs);
}

fn build(layer: &[Item]) -> Ztoc {
    let mut builder =
        ZtocBuilder::new(BuildOptions::new(Compression::Uncompressed, "fuzz").with_span_size(1 << 20))
            .expect("the span size is good");
    builder.push(&tar(layer)).expect("our own tar");
    match builder.finish().expect("our own tar") {
        BuildOutcome::Indexed(built) => built.into_encoded().into_ztoc(),
        BuildOutcome::Skipped(skipped) => panic!("{}", skipped.reason),
    }
}

fn word(what: &What) -> Option<&'static str> {
    Some(match what {
        What::Missing => "missing",
        What::Added => "added",
        What::Phantom => "phantom",
        What::Type(..) => "type",
        What::Mode { .. } => "mode",
        What::Owner { .. } => "owner",
        What::Contents => "contents",
        What::Unreadable(_) => "unreadable",
        What::Xattr { .. } => "xattr",
        What::XattrsVary => "vary",
        What::Modified(..) => "modified",
        What::Size(..) => "size",
        What::Links(..) => "links",
        _ => return None,
    })
}

/// What the model says.
enum Model {
    CannotBeUnpacked,
    /// Layers without zTOC above others with one.
    CannotBeUnpackedOntoMounts,
    /// What differs, and for each layer with a zTOC whether the client takes it.
    Compared(Told, Vec<Option<bool>>),
}

fn model(stack: &[Vec<Item>], layers: &[Layer<'_>], mounts: &[Mount]) -> Model {
    let (mut unpacked, mut shown) = (Vec::<Files>::new(), Vec::<Files>::new());
    let mut clients = Vec::new();
    for (index, layer) in stack.iter().enumerate() {
        match unpack(layer, index, &unpacked) {
            Ok(files) => unpacked.push(files),
            Err(_) => return Model::CannotBeUnpacked,
        }
    }
    for (index, layer) in stack.iter().enumerate() {
        let mounted = match layers[index].has_ztoc() {
            false => None,
            true if mounts[index].refusal().is_some() => Some(None),
            true => Some(mount(layer, index).ok()),
        };
        clients.push(mounted.as_ref().map(Option::is_some));
        shown.push(match mounted.flatten() {
            Some(files) => files,
            None => match unpack(layer, index, &shown) {
                Ok(files) => files,
                Err(_) => return Model::CannotBeUnpackedOntoMounts,
            },
        });
    }
    let (left, right) = (merge(&unpacked), merge(&shown));
    let mut told = Told::new();
    for path in left.keys().chain(right.keys()) {
        let mut tell = |differs: bool, word: &'static str| {
            if differs {
                told.insert((path.clone(), word));
            }
        };
        if right
            .get(path)
            .is_some_and(|(_, inode)| inode.borrow().kind == 'x')
        {
            tell(true, "phantom");
            tell(left.contains_key(path), "missing");
            continue;
        }
        let ((layer_a, a), (layer_b, b)) = match (left.get(path), right.get(path)) {
            (Some(a), Some(b)) => (a, b),
            (a, _) => {
                tell(true, if a.is_some() { "missing" } else { "added" });
                continue;
            }
        };
        let (a, b) = (a.borrow(), b.borrow());
        if a.kind != b.kind {
            tell(true, "type");
            continue;
        }
        tell(a.mode != b.mode, "mode");
        let seen = |id: u32| if id == u32::MAX { 65_534 } else { id };
        let owner = |owner: (u32, u32)| (seen(owner.0), seen(owner.1));
        tell(owner(a.owner) != owner(b.owner), "owner");
        let file = a.kind == 'f';
        tell(file && b.unreadable, "unreadable");
        let same = layer_a == layer_b && a.contents == b.contents;
        tell(a.kind != 'd' && !same && !(file && b.unreadable), "contents");
        tell("pcb".contains(a.kind) && same && a.size != b.size, "size");
        tell(a.kind != 'd' && a.links != b.links, "links");
        let zero = (!b.implied).then_some(-62_135_596_800);
        if let (Some(a), Some(b)) = (a.modified, b.modified.or(zero)) {
            tell(a != b, "modified");
        }
        let visible = |key: &&String| !key.starts_with("trusted.overlay.");
        let keys: BTreeSet<&String> = a.xattrs.keys().chain(b.xattrs.keys()).filter(visible).collect();
        tell(
            keys.iter().any(|key| a.xattrs.get(*key) != b.xattrs.get(*key)),
            "xattr",
        );
        tell(b.varies, "vary");
    }
    Model::Compared(told, clients)
}

/// Without the zTOCs that do harm, nothing harmful is left.
fn settled(layers: &[Layer<'_>]) {
    let settled = settle(layers);
    for (index, verdict) in settled.rest.layers.iter().enumerate() {
        let kept = layers[index].has_ztoc() && settled.left_out[index].is_none();
        assert!(!kept || verdict.is_same());
        let harmful = verdict.differences.listed.iter();
        assert_eq!(
            harmful
                .filter(|difference| difference.weight == Weight::Harmful)
                .count(),
            0
        );
    }
}

/// Every path of the unpacked file system is found under its own name, and whoever knows fewer layers finds the same
/// or says which of the others is needed.
fn lookups(stack: &[Vec<Item>], ztocs: &[Ztoc]) {
    let tocs: Vec<_> = ztocs.iter().map(|ztoc| Some(ztoc.toc())).collect();
    let rootfs = Rootfs::new(&tocs);
    let mut paths: Vec<Vec<u8>> = vec![b"/".into(), b"/absent".into()];
    rootfs.each(|found| {
        assert_eq!(rootfs.find_link(&found.path).as_ref(), Ok(&found), "{stack:#?}");
        match rootfs.find(&found.path) {
            Ok(end) => assert!(end.link_target.is_none()),
            Err(LookupFault::Unknown { .. }) => panic!("every layer is known"),
            Err(_) => {}
        }
        paths.push([&found.path[..], b"/../a"].concat());
        paths.push(found.path);
    });
    for known in 0..1_u32 << tocs.len() {
        let some: Vec<_> = (0..tocs.len())
            .map(|index| tocs[index].filter(|_| known >> index & 1 == 1))
            .collect();
        let partly = Rootfs::new(&some);
        for path in &paths {
            let all = rootfs.find(path);
            match partly.find(path) {
                Err(LookupFault::Unknown { layer, .. }) => assert!(some[layer].is_none(), "{stack:#?}"),
                Ok(mut found) => {
                    let mut all = all.expect("what is said stays so");
                    // What no entry lists, and the layers that are known do not tell.
                    if found.uncertain {
                        found.uncertain = false;
                        (found.mode, found.uid, found.gid) = (all.mode, all.uid, all.gid);
                        (found.xattrs, all.xattrs) = (Vec::new(), Vec::new());
                        // Every layer has the root, and a time for it.
                        if found.path == b"/" {
                            (found.layer, found.modified) = (all.layer, all.modified);
                        }
                    }
                    assert_eq!(found, all, "{known:b} {stack:#?}");
                }
                Err(fault) => assert_eq!(Err(fault), all, "{known:b} {stack:#?}"),
            }
        }
    }
}
