//! What pictures of a start are made of: its time line, and the image as directories.

#[path = "../../soci-rootfs/tests/common/mod.rs"]
mod common;

use common::build;
use common::layers::{Item, tar};
use soci_rootfs::Rootfs;
use soci_start::{Client, Directory, Image, Layer, Link, Trace, Way, directories, estimate, timeline, touch};
use soci_ztoc::ztoc::{Compression, Ztoc};

/// Five spans of 64 KiB; `big` lies in all of them.
fn layer() -> Ztoc {
    let contents: String = ('a'..='z').cycle().take(300_000).collect();
    let items = [
        Item::file("app/big", &contents),
        Item::file("app/lib/small", &contents[..1000]),
        Item::file("doc/other", &contents[..500]),
    ];
    build(&tar(&items), Compression::Uncompressed, 65_536).expect("nothing odd is in it")
}

fn trace() -> Trace {
    let text =
        "{\"path\":\"/app/lib/small\"}\n{\"path\":\"/app/big\",\"ranges\":[[0,100],[100000,130000]]}\n";
    Trace::read(text.as_bytes()).expect("a trace").0
}

#[test]
fn a_time_line_takes_as_long_as_the_estimate() {
    let layer = layer();
    let rootfs = Rootfs::new(&[Some(layer.toc())]);
    let touched = touch(&trace(), &rootfs, &[Some(&layer)]);
    let image = Image {
        layers: vec![Layer {
            compressed: layer.compressed_size(),
            uncompressed: layer.uncompressed_size(),
            ztoc: Some(100_000),
        }],
    };
    let link: Link = "10Mbit/20ms".parse().expect("a link");
    let line = timeline(&image, &touched, &link, &Client::MEASURED);
    let made = estimate(Way::Lazy, &image, &touched, &link, &Client::MEASURED);
    assert!((line.end() - made.seconds()).abs() < 1e-9, "{line:?} {made:?}");
    let spans: Vec<Vec<usize>> = (line.files.iter())
        .map(|file| file.spans.iter().map(|span| span.id).collect())
        .collect();
    assert_eq!(spans, [vec![4], vec![0, 1]]);
    // One step behind the other.
    let mut now = line.layers;
    for file in &line.files {
        assert!(file.begin >= now, "{line:?}");
        for span in &file.spans {
            assert!(
                span.begin >= now && span.begin < span.arrived && span.arrived < span.end,
                "{line:?}"
            );
            now = span.end;
        }
        assert!(file.end >= now, "{line:?}");
        now = file.end;
    }
}

#[test]
fn directories_add_up_to_what_the_start_reads() {
    let layer = layer();
    let rootfs = Rootfs::new(&[Some(layer.toc())]);
    let known = [Some((&layer, layer.compressed_size()))];
    let touched = touch(&trace(), &rootfs, &[Some(&layer)]);
    let tree = directories(&rootfs, &known, Some(&touched));
    let at = |names: &[&str]| -> Directory {
        let mut found = &tree;
        for name in names {
            found = &found.directories[name.as_bytes()];
        }
        found.clone()
    };
    // Shares are cut to whole bytes, here of a plain tar.
    let near = |found: u64, expected: u64| assert!(found.abs_diff(expected) <= 2, "{found} {expected}");
    let big = at(&["app"]).own;
    near(big.needed, 30_100);
    near(big.later, 269_900);
    near(at(&["app", "lib"]).parts.needed, 1000);
    near(at(&["doc"]).parts.unopened, 500);
    near(tree.parts.needed, 31_100);
    assert_eq!(
        tree.parts.sum(),
        at(&["app"]).parts.sum() + at(&["doc"]).parts.sum() + tree.own.sum()
    );
    let nothing = directories(&rootfs, &known, None).parts;
    assert_eq!(
        (nothing.needed, nothing.later, nothing.unopened),
        (0, 0, tree.parts.sum())
    );
}
