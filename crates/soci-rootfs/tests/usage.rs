//! What files take, and what of it nobody sees.
#![allow(clippy::disallowed_methods)] // The crate does no I/O, its tests do.

mod common;

use common::build_plain;
use common::layers::{Item, tar};
use soci_rootfs::{FileType, Usage};
use soci_ztoc::ztoc::{Toc, Ztoc};

fn usage(layers: &[Option<&[Item]>]) -> Usage {
    let layers: Vec<Option<Ztoc>> = layers
        .iter()
        .map(|layer| layer.map(|items| build_plain(&tar(items))))
        .collect();
    let tocs: Vec<Option<&Toc>> = layers.iter().map(|ztoc| ztoc.as_ref().map(Ztoc::toc)).collect();
    Usage::of(&tocs, 2)
}

/// Path, size, files and layer of these nodes.
fn told(usage: &Usage, nodes: &[usize]) -> Vec<String> {
    let tell = |node: &usize| {
        let path = String::from_utf8(usage.path(*node)).expect("ASCII");
        let node = usage.node(*node).expect("it is there");
        format!("{path} {} {} {}", node.size, node.files, node.layer)
    };
    nodes.iter().map(tell).collect()
}

#[test]
fn sums_are_of_what_is_seen_and_the_rest_is_hidden() {
    let usage = usage(&[
        Some(&[
            Item::file("usr/lib/a", "aaaa"),
            Item::file("usr/lib/b", "bb"),
            Item::file("usr/lib/gone", "gggggg"),
            Item::file("etc/conf", "c"),
            Item::hard_link("usr/lib/a2", "usr/lib/a"),
        ]),
        Some(&[Item::file("usr/lib/.wh.gone", ""), Item::file("usr/lib/b", "BBB")]),
    ]);
    assert_eq!(told(&usage, &[0]), [" 8 4 0"]);
    assert_eq!(told(&usage, &usage.children(0)), ["/usr 7 3 1", "/etc 1 1 0"]);
    let lib = usage.search(b"LIB")[0];
    let inside = told(&usage, &usage.children(lib));
    assert_eq!(
        inside,
        ["/usr/lib/a 4 1 0", "/usr/lib/b 3 1 1", "/usr/lib/a2 0 1 0"]
    );
    let hidden: Vec<_> = usage
        .hidden()
        .iter()
        .map(|file| (file.layer, &file.name[..], file.size))
        .collect();
    assert_eq!(hidden, [(0, &b"usr/lib/gone"[..], 6), (0, b"usr/lib/b", 2)]);
    let [lowest, top] = usage.layers() else {
        panic!("two layers")
    };
    assert_eq!((lowest.bytes, lowest.hidden, lowest.hidden_files), (13, 8, 2));
    assert_eq!((top.bytes, top.hidden, top.hidden_files), (3, 0, 0));
}

#[test]
fn a_search_finds_names_or_paths_in_any_case() {
    let usage = usage(&[Some(&[
        Item::file("opt/Model/weights.bin", "wwwww"),
        Item::file("opt/other/bin", "b"),
        Item::symlink("opt/link", "Model"),
    ])]);
    assert_eq!(
        told(&usage, &usage.search(b"BIN")),
        ["/opt/Model/weights.bin 5 1 0", "/opt/other/bin 1 1 0"]
    );
    assert_eq!(
        told(&usage, &usage.search(b"model/w")),
        ["/opt/Model/weights.bin 5 1 0"]
    );
    assert_eq!(told(&usage, &usage.search(b"")), [""; 0]);
    let link = usage.node(usage.search(b"link")[0]).expect("it is there");
    assert_eq!((link.kind, link.size), (FileType::Symlink, 0));
}

#[test]
fn a_layer_that_is_not_known_counts_nothing_and_says_so() {
    let usage = usage(&[None, Some(&[Item::file("a", "aa")])]);
    let known: Vec<_> = usage
        .layers()
        .iter()
        .map(|layer| (layer.known, layer.bytes))
        .collect();
    assert_eq!(known, [(false, 0), (true, 2)]);
    assert_eq!(told(&usage, &usage.children(0)), ["/a 2 1 1"]);
}
