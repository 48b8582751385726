//! Every kind of difference, refusal and fault, by the smallest layers that have it, in the words that users read.
#![allow(clippy::disallowed_methods)] // The crate does no I/O, its tests do.

mod common;

use std::fmt::Write as _;

use common::build;
use common::layers::{Item, tar};
use soci_rootfs::{Client, Layer, Mount, Verdict, Weight, compare};
use soci_ztoc::ztoc::{Compression, Toc, Ztoc};

/// What is done with a layer.
enum Made<'a> {
    Mounted(&'a [Item]),
    MountedWithoutXattrs(&'a [Item]),
    Unpacked(&'a [Item]),
    Unknown,
}

use Made::{Mounted, MountedWithoutXattrs, Unknown, Unpacked};

/// The verdicts of a stack, lowest layer first.
fn said(stack: &[Made<'_>]) -> String {
    said_with(stack, 1 << 20)
}

fn said_with(stack: &[Made<'_>], span_size: u64) -> String {
    let ztocs: Vec<Option<Ztoc>> = stack
        .iter()
        .map(|layer| match layer {
            Mounted(items) | MountedWithoutXattrs(items) | Unpacked(items) => {
                Some(build(&tar(items), Compression::Uncompressed, span_size).expect("a zTOC holds it"))
            }
            Unknown => None,
        })
        .collect();
    let mounts: Vec<Option<Mount>> = stack
        .iter()
        .zip(&ztocs)
        .map(|(layer, ztoc)| match (layer, ztoc) {
            (Mounted(_), Some(ztoc)) => Some(Mount::of(ztoc)),
            (MountedWithoutXattrs(_), Some(ztoc)) => Some(Mount::of(ztoc).without_xattrs()),
            _ => None,
        })
        .collect();
    let toc = |index: usize| -> Option<&Toc> { Some(ztocs[index].as_ref()?.toc()) };
    let layers: Vec<Layer<'_>> = (0..stack.len())
        .map(|index| match (toc(index), &mounts[index]) {
            (Some(toc), Some(mount)) => Layer::mounted(toc, mount),
            (Some(toc), None) => Layer::unpacked(toc),
            (None, _) => Layer::unknown(),
        })
        .collect();
    let mut text = String::new();
    for (index, verdict) in compare(&layers).layers.iter().enumerate() {
        write!(text, "{}", words(index, verdict)).expect("a String");
    }
    text
}

fn words(index: usize, verdict: &Verdict) -> String {
    let mut text = format!("layer {index}");
    if verdict.is_same() && verdict.differences.listed.is_empty() {
        text.push_str(": the same");
    }
    if let Client::Refuses(refused) = &verdict.client {
        write!(text, "\n  refused: {refused}").expect("a String");
    }
    if let Some(fault) = &verdict.unpack {
        write!(text, "\n  cannot be unpacked: {fault}").expect("a String");
    }
    for difference in &verdict.differences.listed {
        let weight = match difference.weight {
            Weight::Harmful => "harmful",
            Weight::Harmless => "harmless",
            Weight::Unknown => "unknown",
        };
        write!(text, "\n  {weight}: {difference}").expect("a String");
    }
    text + "\n"
}

fn file(name: &str) -> Item {
    Item::file(name, name)
}

fn base() -> Vec<Item> {
    vec![
        Item::directory("tmp/").with_mode(0o1777),
        Item::directory("home/me/").owned_by(1000, 1000).with_mode(0o700),
        Item::directory("srv/").with_xattr("user.note", b"x"),
        file("etc/passwd"),
        file("etc/group"),
    ]
}

/// A test for each kind: its name, and the stack.
macro_rules! kinds {
    ($($(#[$why:meta])* $name:ident: [$($layer:expr),+ $(,)?];)+) => {
        $($(#[$why])* #[test] fn $name() { insta::assert_snapshot!(said(&[$($layer),+])); })+
    };
}

kinds! {
    nothing_is_different: [Mounted(&base()), Mounted(&[file("opt/x"), file("etc/.wh.group")])];

    a_file_below_a_link_is_missing: [Mounted(&[
        Item::directory("usr/lib/"),
        Item::symlink("lib", "usr/lib"),
        file("lib/x"),
    ])];

    /// The client's own folder.
    a_name_of_the_clients_own: [Mounted(&[Item::directory(".soci-snapshotter/"), file(".soci-snapshotter/x")])];

    a_name_that_is_listed_and_not_found: [Mounted(&base()), Mounted(&[file(".wh..wh.aufs"), file("a")])];

    implied_directories_lose_mode_owner_and_attributes: [
        Mounted(&base()),
        Mounted(&[file("tmp/x"), file("home/me/x"), file("srv/x")]),
    ];

    implied_directories_are_cured_by_a_layer_above: [
        Mounted(&base()),
        Mounted(&[file("tmp/x")]),
        Mounted(&[Item::directory("tmp/").with_mode(0o1777)]),
    ];

    implied_directories_above_what_is_not_known: [Unknown, Mounted(&[file("tmp/x")])];

    a_directory_that_is_listed_twice: [Mounted(&[
        Item::directory("a/").owned_by(1, 1),
        Item::directory("a/").owned_by(2, 0),
    ])];

    a_hard_link_with_other_attributes: [Mounted(&[
        file("a"),
        Item::hard_link("b", "a").owned_by(7, 7).with_mode(0o600),
    ])];

    a_name_that_a_hard_link_keeps: [Mounted(&[file("a"), Item::hard_link("b", "a"), Item::file("a", "new")])];

    an_entry_with_a_size_and_no_data: [Mounted(&[
        Item { size: 100, ..Item::symlink("link", "a") },
        file("a"),
        file("b"),
    ])];

    an_owner_of_more_than_32_bits: [Mounted(&[file("a").owned_by(-2, 0), file("b").owned_by(0, 1 << 32)])];

    the_owner_that_means_none: [Mounted(&[file("a").owned_by(0, i64::from(u32::MAX))])];

    times_that_no_ztoc_holds_and_times_before_1970: [Mounted(&[
        Item { modified: -70_000_000_000, ..file("before-year-0") },
        Item { modified: -5, ..file("before-1970") },
    ])];

    a_mode_that_names_another_type: [Mounted(&[file("a").with_mode(0o40755)])];

    attributes_of_which_some_are_empty: [Mounted(&[
        file("a").with_xattr("user.a", b"1").with_xattr("user.b", b"").with_xattr("user.c", b""),
        Item::directory("d/").with_xattr("user.a", b"1").with_xattr("user.b", b""),
    ])];

    attributes_that_are_denied: [
        Mounted(&base()),
        MountedWithoutXattrs(&[
            Item::directory("etc/"),
            file("etc/.wh..wh..opq"),
            file("bin/ping").with_xattr("security.capability", CAPABILITY),
        ]),
    ];

    attributes_of_no_known_namespace: [Mounted(&[file("a").with_xattr("odd.name", b"1")])];

    the_root_itself: [Mounted(&[Item::directory("./").with_mode(0o700).owned_by(5, 5), file("a")])];

    the_mode_of_a_link: [Mounted(&[Item::symlink("a", "b").with_mode(0o644)])];

    a_size_of_what_has_none: [Mounted(&[Item { size: 3, ..Item::new(b'6', "pipe") }])];

    a_hard_link_to_what_is_not_there: [Mounted(&[Item::hard_link("b", "a"), file("a")])];

    a_hard_link_to_another_layer: [Mounted(&base()), Mounted(&[Item::hard_link("b", "etc/passwd")])];

    a_hard_link_through_a_link: [Mounted(&[
        Item::directory("real/"),
        Item::symlink("link", "real"),
        file("real/a"),
        Item::hard_link("b", "link/a"),
    ])];

    a_hard_link_to_a_directory: [Mounted(&[Item::directory("a/"), Item::hard_link("b", "a")])];

    an_entry_below_a_file: [Mounted(&[file("a"), file("a/b")])];

    a_deletion_of_what_the_layer_has: [Mounted(&base()), Mounted(&[file("a"), file(".wh.a")])];

    a_deletion_of_nothing: [Mounted(&base()), Mounted(&[file("a/.wh."), file("b/.wh...")])];

    a_name_that_is_too_long: [Mounted(&[file(&"n".repeat(256))])];

    a_link_without_a_target: [Mounted(&[Item::symlink("a", "")])];

    links_in_a_circle: [Mounted(&[Item::symlink("a", "b"), Item::symlink("b", "a"), file("a/x")])];

    an_attribute_that_cannot_be_set: [Mounted(&[file("a").with_xattr("", b"1")])];

    a_directory_that_is_gone_when_its_time_is_set: [Mounted(&[
        Item::directory("a/"),
        Item::directory("a/b/"),
        Item::symlink("a", "c"),
    ])];

    a_layer_that_is_unpacked_onto_what_is_shown: [
        Mounted(&through_a_link(Item::directory("link/d/"))),
        Unpacked(&[file("real/d/e/x")]),
    ];

    another_type_through_a_link: [Mounted(&through_a_link(Item::directory("link/d/")))];

    other_contents_through_a_link: [Mounted(&through_a_link(Item::file("link/d", "new")))];

    a_deletion_in_the_lowest_layer: [Mounted(&[file("a"), file(".wh.a"), file("b/c/x"), file("b/.wh..wh..opq")])];
}

/// A file, and something that lies in its place when links are followed.
fn through_a_link(replacement: Item) -> Vec<Item> {
    vec![file("real/d"), Item::symlink("link", "real"), replacement]
}

/// `cap_net_raw`, as `setcap` writes it.
const CAPABILITY: &[u8] = &[1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The client looks for a span behind the last one.
#[test]
fn a_file_at_the_very_end_of_a_plain_layer() {
    let data = "x".repeat(512);
    let items = [Item::file("a", &data)];
    let mut archive = tar(&items);
    // Without the blocks that end it.
    archive.truncate(1024);
    let ztoc = build(&archive, Compression::Uncompressed, 1024).expect("a zTOC holds it");
    let mount = Mount::of(&ztoc);
    let comparison = compare(&[Layer::mounted(ztoc.toc(), &mount)]);
    insta::assert_snapshot!(words(0, &comparison.layers[0]));
}
