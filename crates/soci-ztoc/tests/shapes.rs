//! Layers that are cut for a start: good zTOCs, the same whatever pieces the layer comes in, and cut where the search
//! over all block ends would cut.
#![allow(clippy::disallowed_methods)] // The crate does no I/O, its tests do.

mod common;

use std::fs;
use std::ops::Range;
use std::sync::Arc;

use common::{assert_files_equal, build, options, with};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use soci_ztoc::inflate::{Boundary, Consumer, GzipInflater, InflateError, InputBuffer};
use soci_ztoc::ztoc::{
    BlockEnd, BuildOptions, BuildOutcome, Built, Checkpoint, Compression, GzipZinfo, Need, Shape, SpanCost,
    Window, Zinfo, ZtocBuilder, verify,
};

const COST: SpanCost = SpanCost {
    span: 1_310_720_000_000,
    request: 6_000_000_000_000,
    compressed_byte: 40_000_000,
    uncompressed_byte: 9_536_743,
};

fn layer(name: &str) -> Vec<u8> {
    fs::read(soci_tests::ztoc_vectors().join("layers").join(name)).expect("the vector is there")
}

/// All places where a span could begin.
#[derive(Default)]
struct Ends(Vec<Checkpoint>);

impl Consumer for Ends {
    type Error = InflateError;

    fn output(&mut self, _: &[u8]) -> Result<(), InflateError> {
        Ok(())
    }

    fn boundary(&mut self, boundary: Boundary<'_>) -> Result<(), InflateError> {
        let checkpoint = Checkpoint::new(
            boundary.compressed_offset,
            boundary.uncompressed_offset,
            boundary.bits,
            Window::new(boundary.window()),
        );
        self.0.push(checkpoint.expect("a place in a layer"));
        Ok(())
    }
}

/// All places, and the compressed and uncompressed bytes of the layer.
fn ends(layer: &[u8]) -> (Vec<Checkpoint>, u64, u64) {
    let mut ends = Ends::default();
    let mut inflater = GzipInflater::new();
    inflater.push(layer, &mut ends).expect("the layer is good");
    let (totals, _) = inflater.finish(&mut ends).expect("the layer is good");
    (ends.0, totals.compressed, totals.uncompressed)
}

fn shape(ranges: Vec<Range<u64>>, span_size: u64) -> Arc<Shape> {
    Arc::new(Shape::new(vec![Need::new(1, ranges)], COST, span_size))
}

fn shaped(shape: &Arc<Shape>, span_size: u64) -> BuildOptions {
    options(Compression::Gzip, span_size).with_shape(Arc::clone(shape))
}

fn indexed(outcome: BuildOutcome) -> Built {
    match outcome {
        BuildOutcome::Indexed(built) => built,
        BuildOutcome::Skipped(skipped) => panic!("the layer was skipped: {}", skipped.reason),
    }
}

fn in_pieces(layer: &[u8], options: BuildOptions, sizes: &[usize]) -> Built {
    let mut builder = ZtocBuilder::new(options).expect("the span size is good");
    let (mut rest, mut sizes) = (layer, sizes.iter().cycle());
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at((*sizes.next().expect("a cycle")).min(rest.len()));
        builder.push(piece).expect("the layer is good");
        rest = behind;
    }
    indexed(builder.finish().expect("the layer is good"))
}

fn in_halves(layer: &[u8], options: BuildOptions, size: usize) -> Built {
    let (mut decode, mut hash) = ZtocBuilder::halves(options).expect("the span size is good");
    for piece in layer.chunks(size) {
        let mut buffer = InputBuffer::new();
        assert!(buffer.append(piece).is_empty(), "pieces fit into a buffer");
        decode
            .exchange(buffer, |handover| drop(hash.take(handover)))
            .expect("the layer is good");
    }
    let (decoded, handover) = decode.finish().expect("the layer is good");
    hash.take(handover);
    indexed(hash.finish(decoded).expect("the layer is good"))
}

fn cuts(built: &Built) -> Vec<BlockEnd> {
    match built.ztoc().zinfo() {
        Zinfo::Gzip(zinfo) => zinfo.checkpoints().iter().map(Checkpoint::block_end).collect(),
        other => panic!("a gzip layer has checkpoints, not {other:?}"),
    }
}

const LAYERS: &[&str] = &[
    "med-pigz11s.tar.gz",
    "mix-multi-1m.tar.gz",
    "mix-partialflush.tar.gz",
    "estargz-like.tar.gz",
    "tar-no-eof.tar.gz",
];

#[test]
fn a_shaped_ztoc_is_good_and_cut_where_it_is_best() {
    for name in LAYERS {
        let layer = layer(name);
        let (ends, compressed, uncompressed) = ends(&layer);
        let places: Vec<BlockEnd> = ends.iter().map(Checkpoint::block_end).collect();
        let fifth = uncompressed / 5;
        for ranges in [
            vec![],
            vec![fifth..fifth + 5_000, 3 * fifth..3 * fifth + 70_000],
            vec![0..1, 1..uncompressed],
        ] {
            let shape = shape(ranges, 256 << 10);
            let built = in_pieces(&layer, shaped(&shape, 256 << 10), &[layer.len()]);
            let what = format!("{name} for {:?}", shape.needs()[0].ranges());
            let best = shape.cuts_in_passing(&places, compressed, uncompressed);
            let best: Vec<BlockEnd> = best.into_iter().map(|place| places[place]).collect();
            assert_eq!(cuts(&built), best, "{what}");
            let found = verify(built.ztoc(), &mut &layer[..]).expect("the layer is good");
            assert_eq!(found.faults, [], "{what}");
            assert_eq!(found.layer_digest, built.layer_digest(), "{what}");
            assert_files_equal(&what, built.ztoc(), &layer);
            // What it says of the spans without the shape is what they are without it.
            let plain = build(&layer, Compression::Gzip, 256 << 10);
            assert_eq!(built.unshaped(), Some(&cuts(&plain)[..]), "{what}");
            assert_eq!(plain.unshaped(), None);
            // The span size that is told stays.
            assert_eq!(built.ztoc().span_size(), 256 << 10);
        }
    }
}

#[test]
fn a_shape_changes_nothing_in_a_plain_tar() {
    let layer = layer("sizes.tar");
    let plain = build(&layer, Compression::Uncompressed, 64 << 10);
    let shape = shape(vec![1000..2000, 5000..5001], 64 << 10);
    let options = options(Compression::Uncompressed, 64 << 10).with_shape(shape);
    let shaped = in_pieces(&layer, options, &[layer.len()]);
    assert_eq!(shaped.encoded().digest(), plain.encoded().digest());
    assert_eq!(shaped.unshaped(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// The pieces a layer comes in, and whether one thread or two work on it, change no byte.
    #[test]
    fn pieces_change_nothing(
        name in prop::sample::select(LAYERS),
        ranges in prop::collection::vec((0_u64..4_000_000, 1_u64..60_000), 0..8),
        sizes in prop::collection::vec(1_usize..70_000, 1..6),
        span_size in prop::sample::select(vec![64_u64 << 10, 300_000, 1 << 20]),
    ) {
        let layer = layer(name);
        let ranges = ranges.into_iter().map(|(start, length)| start..start + length).collect();
        let shape = shape(ranges, span_size);
        let whole = in_pieces(&layer, shaped(&shape, span_size), &[layer.len()]);
        let pieces = in_pieces(&layer, shaped(&shape, span_size), &sizes);
        prop_assert_eq!(pieces.encoded().digest(), whole.encoded().digest());
        let halves = in_halves(&layer, shaped(&shape, span_size), sizes[0] + 1000);
        prop_assert_eq!(halves.encoded().digest(), whole.encoded().digest());
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Any block ends make good spans, as long as they rise.
    #[test]
    fn any_block_ends_are_a_shape(
        name in prop::sample::select(&["med-pigz11s.tar.gz", "mix-multi-1m.tar.gz", "tar-no-eof.tar.gz"][..]),
        chosen in prop::collection::vec(any::<bool>(), 1..60),
    ) {
        let layer = layer(name);
        let (ends, _, _) = ends(&layer);
        let mut chosen = chosen.iter().cycle();
        let mut last = None;
        let checkpoints: Vec<Checkpoint> = ends
            .into_iter()
            .filter(|end| last.replace(end.uncompressed_offset()) != Some(end.uncompressed_offset()))
            .filter(|end| end.uncompressed_offset() == 0 || *chosen.next().expect("a cycle"))
            .collect();
        let begins = checkpoints.iter().map(Checkpoint::start);
        let ends = checkpoints.iter().skip(1).map(Checkpoint::compressed_offset).chain([layer.len() as u64]);
        let digests = begins
            .zip(ends)
            .map(|(begin, end)| Sha256::digest(&layer[begin as usize..end as usize]).into())
            .collect();
        let plain = build(&layer, Compression::Gzip, 4 << 20).into_encoded().into_ztoc();
        let ztoc = with(&plain, |parts| {
            parts.max_span_id = checkpoints.len() as i32 - 1;
            parts.zinfo = Zinfo::Gzip(GzipZinfo::new(4 << 20, checkpoints).expect("they ascend"));
            parts.span_digests = digests;
        });
        let found = verify(&ztoc, &mut &layer[..]).expect("the layer is good");
        prop_assert_eq!(found.faults, []);
        assert_files_equal(name, &ztoc, &layer);
    }
}
