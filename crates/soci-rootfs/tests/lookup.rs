//! Paths through links and layers, where all layers are known and where some are not.
#![allow(clippy::disallowed_methods)] // The crate does no I/O, its tests do.

mod common;

use common::build_plain;
use common::layers::{Item, tar};
use soci_rootfs::{Client, FileType, Found, Layer, LookupFault, Mount, Rootfs};
use soci_ztoc::ztoc::{Toc, Ztoc};

/// Layers, lowest first; `None` is not known.
struct Image(Vec<Option<Ztoc>>);

impl Image {
    fn of(layers: &[Option<&[Item]>]) -> Self {
        let ztoc = |items: &[Item]| build_plain(&tar(items));
        Self(layers.iter().map(|layer| layer.map(ztoc)).collect())
    }

    fn known(layers: &[&[Item]]) -> Self {
        let layers: Vec<_> = layers.iter().map(|layer| Some(*layer)).collect();
        Self::of(&layers)
    }

    fn rootfs(&self) -> Rootfs<'_> {
        let tocs: Vec<Option<&Toc>> = self.0.iter().map(|ztoc| ztoc.as_ref().map(Ztoc::toc)).collect();
        Rootfs::new(&tocs)
    }

    /// The name of the entry that a path leads to, with its layer; or why there is none.
    fn find(&self, path: &str) -> String {
        self.told(self.rootfs().find(path.as_bytes()))
    }

    fn told(&self, found: Result<Found, LookupFault>) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match found {
            Err(fault) => fault.to_string(),
            Ok(found) => {
                let toc = self.0[found.layer].as_ref().expect("it was found there").toc();
                let entry = found.entry.and_then(|entry| toc.get(entry));
                let name = entry.map_or("no entry".into(), |entry| text(entry.name));
                format!("{} is {name} of layer {}", text(&found.path), found.layer)
            }
        }
    }
}

fn file(name: &str) -> Item {
    Item::file(name, name)
}

#[test]
fn links_lead_through_layers_and_stay_in_the_image() {
    let image = Image::known(&[
        &[
            Item::symlink("lib", "usr/lib"),
            Item::symlink("absolute", "/usr/./lib//"),
            Item::symlink("out", "../../../usr/lib/a"),
            Item::symlink("loop", "pool"),
            Item::symlink("pool", "loop"),
            Item::symlink("upper", "/opt/x"),
            file("usr/lib/a"),
            Item::hard_link("usr/lib/b", "usr/lib/a"),
            Item::symlink("into", "usr/lib/a/"),
        ],
        &[file("opt/x"), file("usr/lib/c"), Item::symlink("opt/up", "..")],
    ]);
    let mut told = Vec::new();
    for path in [
        "/lib/a",
        "lib/b",
        "absolute/c",
        "./out",
        "upper",
        "/opt/up/lib/c",
        "lib/../lib/a",
        "../../usr//lib/./a",
        "loop",
        "usr/lib/a/x",
        "usr/lib/a/",
        "usr/lib/a/.",
        "usr/lib/a/..",
        "into",
        "lib/none",
        "none/../lib/a",
        "lib",
        "/",
    ] {
        told.push(format!("{path}: {}", image.find(path)));
    }
    insta::assert_snapshot!(told.join("\n"));
    // A link itself, unless a slash asks for what is behind it.
    let link = image.rootfs().find_link(b"/lib").expect("it is there");
    assert_eq!(
        (link.file_type, link.link_target.as_deref()),
        (FileType::Symlink, Some(&b"usr/lib"[..]))
    );
    let behind = image.rootfs().find_link(b"/lib/").expect("it is there");
    assert_eq!(behind.file_type, FileType::Directory);
}

#[test]
fn deletions_and_opaque_directories_hide_what_is_below() {
    let image = Image::known(&[
        &[
            file("a/one"),
            file("b/one"),
            file("c/one"),
            file("d"),
            file("e/deep/one"),
        ],
        &[
            file("a/.wh.one"),
            file("b/two"),
            file("b/.wh..wh..opq"),
            file("c"),
            file("d/one"),
            file(".wh.e"),
        ],
        &[file("a/three"), file("e/deep/two")],
    ]);
    let mut told = Vec::new();
    for path in [
        "a/one",
        "a/three",
        "b/one",
        "b/two",
        "c/one",
        "c",
        "d",
        "d/one",
        "e/deep/one",
        "e/deep/two",
    ] {
        told.push(format!("{path}: {}", image.find(path)));
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn the_last_entry_of_a_name_counts_and_a_hard_link_keeps_what_it_was_made_of() {
    let image = Image::known(&[&[
        Item::file("a", "first"),
        Item::hard_link("b", "a"),
        Item::file("a", "second one"),
    ]]);
    assert_eq!(image.rootfs().find(b"/a").expect("there").size, 10);
    assert_eq!(image.rootfs().find(b"/b").expect("there").size, 5);
}

#[test]
fn a_layer_that_is_not_known_makes_unknown_only_what_it_can_decide() {
    let lowest = [file("a/one"), file("b/one"), Item::symlink("link", "c/two")];
    let highest = [
        file("a/two"),
        Item::directory("b"),
        file("b/.wh..wh..opq"),
        file("c/two"),
        file("c/.wh.gone"),
        Item::symlink("to", "link"),
    ];
    let image = Image::of(&[Some(&lowest), None, Some(&highest)]);
    let mut told = Vec::new();
    for path in [
        "a/two", "a/one", "a/none", "a", "b/one", "b", "c/two", "c/gone", "c/none", "to", "link", "none", "/",
    ] {
        told.push(format!("{path}: {}", image.find(path)));
    }
    insta::assert_snapshot!(told.join("\n"));
    // Of several the highest, which decides first.
    let image = Image::of(&[None, None, Some(&highest), None]);
    assert_eq!(
        image.rootfs().find(b"/a/two"),
        Err(LookupFault::Unknown {
            path: b"/a/two".into(),
            layer: 3
        })
    );
}

#[test]
fn attributes_that_a_layer_below_decides_are_uncertain() {
    let upper = [file("home/me/x")];
    let image = Image::of(&[None, Some(&upper)]);
    let rootfs = image.rootfs();
    let home = rootfs.find(b"/home/me").expect("the upper layer makes it");
    assert!(home.uncertain && home.entry.is_none());
    assert!(
        !rootfs
            .find(b"/home/me/x")
            .expect("the upper layer has it")
            .uncertain
    );
}

#[test]
fn an_image_without_layers_has_nothing() {
    let none = Rootfs::new(&[]);
    assert_eq!(none.find(b"/"), Err(LookupFault::Missing { path: b"/".into() }));
    let unknown = Rootfs::new(&[None, None]);
    assert_eq!(
        unknown.find(b"/"),
        Err(LookupFault::Unknown {
            path: b"/".into(),
            layer: 1
        })
    );
}

#[test]
fn as_the_lazy_client_shows_it_links_on_the_way_are_not_followed() {
    let image = Image::known(&[&[Item::symlink("lib", "usr/lib"), file("lib/a"), file("usr/lib/b")]]);
    let ztoc = image.0[0].as_ref().expect("it is known");
    let mount = Mount::of(ztoc);
    let layers = [Layer::mounted(ztoc.toc(), &mount)];
    let (mounted, clients) = Rootfs::mounted(&layers);
    assert_eq!(clients, [Client::Mounts]);
    assert_eq!(image.find("/usr/lib/a"), "/usr/lib/a is lib/a of layer 0");
    assert!(
        mounted.find(b"/usr/lib/a").is_err(),
        "the client puts it below the link"
    );
    assert_eq!(
        image.told(mounted.find(b"/lib/b")),
        "/usr/lib/b is usr/lib/b of layer 0"
    );
    let (unpacked, clients) = Rootfs::mounted(&layers.map(Layer::without_ztoc));
    assert_eq!(clients, [Client::Unpacks]);
    assert!(unpacked.find(b"/usr/lib/a").is_ok());
    let (unknown, clients) = Rootfs::mounted(&[Layer::unknown()]);
    assert_eq!(clients, [Client::Unknown]);
    assert!(matches!(
        unknown.find(b"/usr"),
        Err(LookupFault::Unknown { layer: 0, .. })
    ));
}
