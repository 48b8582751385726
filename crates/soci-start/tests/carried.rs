//! What images carry for nothing, and what a start touches of them, on layers made on the spot.

#[path = "../../soci-rootfs/tests/common/mod.rs"]
mod common;

use common::layers::{Item, tar};
use common::{build, build_plain};
use proptest::prelude::*;
use soci_rootfs::Rootfs;
use soci_start::{Image, Layer, Share, Trace, carried, directories, touch, with_start_layer};
use soci_ztoc::ztoc::{Compression, Ztoc};

fn trace(text: &str) -> Trace {
    Trace::read(text.as_bytes()).expect("a trace").0
}

#[test]
fn what_later_layers_hide_is_carried_for_nothing() {
    let lower = build_plain(&tar(&[
        Item::file("app/old", "0123456789"),
        Item::file("app/kept", "01234567"),
        Item::hard_link("app/kept-too", "app/kept"),
        Item::file("app/deleted", "0123"),
        Item::file("usr/share/doc/x", "01"),
        Item::file("data/a/b", "0123456"),
    ]));
    let upper = build_plain(&tar(&[
        Item::file("app/old", "new"),
        Item::file("app/.wh.deleted", ""),
    ]));
    let rootfs = Rootfs::new(&[Some(lower.toc()), Some(upper.toc())]);
    let layers = [
        Some((&lower, lower.compressed_size())),
        Some((&upper, upper.compressed_size())),
    ];
    let touched = touch(&trace("/app/kept-too\n"), &rootfs, &[Some(&lower), Some(&upper)]);
    assert_eq!(touched.layers[0].spans.len(), 1);
    let found = carried(&rootfs, &layers, Some(&touched));
    assert_eq!((found.hidden.files, found.hidden.bytes), (2, 14));
    let kinds: Vec<_> = found
        .kinds
        .iter()
        .map(|(kind, share)| (kind.as_str(), share.bytes))
        .collect();
    assert_eq!(kinds, [("documentation", 2)]);
    assert_eq!(
        found.unopened.map(|share| (share.files, share.bytes)),
        Some((3, 12))
    );
    let directories: Vec<_> = found
        .directories
        .iter()
        .map(|(path, share)| (String::from_utf8_lossy(path).into_owned(), share.bytes))
        .collect();
    assert_eq!(directories, [("/data".to_owned(), 7), ("/usr".to_owned(), 2)]);
    // Half of the stored bytes: all shares are halved.
    let halves = [Some((&lower, lower.compressed_size() / 2)), None];
    assert_eq!(carried(&rootfs, &halves, None).hidden.compressed, 7);
}

#[test]
fn a_file_with_two_names_is_counted_once() {
    let layer = build_plain(&tar(&[
        Item::file("usr/share/doc/x", "0123456"),
        Item::hard_link("usr/share/doc/y", "usr/share/doc/x"),
    ]));
    let rootfs = Rootfs::new(&[Some(layer.toc())]);
    let layers = [Some((&layer, layer.compressed_size()))];
    let touched = touch(&trace("/none\n"), &rootfs, &[Some(&layer)]);
    let found = carried(&rootfs, &layers, Some(&touched));
    let counted = |share: &Share| (share.files, share.bytes);
    assert_eq!(
        found
            .kinds
            .iter()
            .map(|(_, share)| counted(share))
            .collect::<Vec<_>>(),
        [(1, 7)]
    );
    assert_eq!(found.unopened.as_ref().map(counted), Some((1, 7)));
    assert_eq!(directories(&rootfs, &layers, None).parts.sum(), 7);
}

#[test]
fn ranges_touch_only_their_spans() {
    let contents: String = ('a'..='z').cycle().take(300_000).collect();
    let layer = build(
        &tar(&[Item::file("big", &contents), Item::file("small", "x")]),
        Compression::Uncompressed,
        65_536,
    )
    .expect("nothing odd is in it");
    let rootfs = Rootfs::new(&[Some(layer.toc())]);
    let ids = |text: &str| -> Vec<usize> {
        let touched = touch(&trace(text), &rootfs, &[Some(&layer)]);
        touched.layers[0].spans.iter().map(|span| span.id).collect()
    };
    assert_eq!(ids("/big\n"), [0, 1, 2, 3, 4]);
    assert_eq!(
        ids("{\"path\":\"/big\",\"ranges\":[[0,10],[200000,200001]]}"),
        [0, 3]
    );
    assert_eq!(
        ids("{\"path\":\"/big\",\"ranges\":[[400000,500000]]}"),
        [] as [usize; 0]
    );
    assert_eq!(ids("/small\n/missing\n"), [4]);
}

#[test]
fn a_start_layer_takes_what_its_files_take_below() {
    let contents: String = ('a'..='z').cycle().take(300_000).collect();
    let layer = build(
        &tar(&[
            Item::file("big", &contents),
            Item::file("linked", "x"),
            Item::hard_link("other", "linked"),
            Item::file("etc/passwd", "root"),
        ]),
        Compression::Uncompressed,
        65_536,
    )
    .expect("nothing odd is in it");
    let rootfs = Rootfs::new(&[Some(layer.toc())]);
    let size = layer.compressed_size();
    let image = |ztoc| Image {
        layers: vec![Layer {
            compressed: size,
            uncompressed: layer.uncompressed_size(),
            ztoc,
        }],
    };
    let with = |image: &Image, text: &str, whole_below| {
        with_start_layer(image, &rootfs, &[Some((&layer, size))], &trace(text), whole_below)
    };
    let lazy = image(Some(1));
    let (topped, fetched) = with(&lazy, "/big\n/linked\n/none\n", 1 << 20).expect("a start layer");
    let top = topped.layers[1];
    // `big` in blocks, `etc/`, `etc/passwd`, four headers, and the end.
    assert_eq!(top.uncompressed, 300_032 + 512 + 3 * 512 + 1024);
    assert!(
        (299_990..=300_004).contains(&top.compressed),
        "{}",
        top.compressed
    );
    assert_eq!(top.ztoc, None);
    // What has two names stays below.
    assert_eq!((fetched[0].spans, fetched[1].spans), (1, 0));
    let (topped, fetched) = with(&lazy, "/big\n", 1000).expect("a start layer");
    assert_eq!(
        (
            topped.layers[1].ztoc.is_some(),
            fetched[0].spans,
            fetched[1].spans
        ),
        (true, 0, 1)
    );
    for nothing in ["/none\n", "/linked\n"] {
        assert_eq!(with(&lazy, nothing, 1 << 20), None);
    }
    assert_eq!(with(&image(None), "/big\n", 1 << 20), None);
}

proptest! {
    /// Every byte is either seen by containers or hidden; nothing is counted twice.
    #[test]
    fn all_bytes_are_hidden_or_not_opened(
        sizes in prop::collection::vec(prop::collection::vec((0_usize..6, 0_usize..2000), 0..8), 1..4)
    ) {
        let names = ["a", "b/c", "b/d", "usr/include/x.h", "e/.git/y", ".wh.a"];
        let ztocs: Vec<Ztoc> = sizes
            .iter()
            .map(|files| {
                let items: Vec<Item> = files
                    .iter()
                    .map(|(name, size)| match names[*name] {
                        ".wh.a" => Item::file(".wh.a", ""),
                        name => Item::file(name, &"x".repeat(*size)),
                    })
                    .collect();
                build_plain(&tar(&items))
            })
            .collect();
        let tocs: Vec<_> = ztocs.iter().map(|ztoc| Some(ztoc.toc())).collect();
        let rootfs = Rootfs::new(&tocs);
        let layers: Vec<_> = ztocs.iter().map(|ztoc| Some((ztoc, ztoc.compressed_size()))).collect();
        let mounted: Vec<_> = ztocs.iter().map(Some).collect();
        let touched = touch(&trace("/none\n"), &rootfs, &mounted);
        let found = carried(&rootfs, &layers, Some(&touched));
        let all: u64 = ztocs.iter().flat_map(|ztoc| ztoc.toc().iter()).map(|entry| entry.data_size()).sum();
        let unopened = found.unopened.expect("there is a trace");
        prop_assert_eq!(found.hidden.bytes + unopened.bytes, all);
        // Plain tars: a file takes its own bytes, but for what is cut off at the end of each.
        prop_assert!(unopened.compressed <= unopened.bytes && unopened.bytes <= unopened.compressed + unopened.files);
    }
}
