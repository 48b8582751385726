//! Cuts of real layers cost no more than those that another exact search found, with which a client was measured.
#![allow(clippy::disallowed_methods)] // The crate does no I/O, its tests do.

use std::fs;
use std::ops::Range;

use serde::Deserialize;
use soci_start::{BlockEnd, Client, Link, Need, Shape, span_cost};

#[derive(Deserialize)]
struct Layer {
    compressed_size: u64,
    uncompressed_size: u64,
    block_end_steps: Vec<(u64, u64, u8)>,
    files: Vec<(u64, u64)>,
    ranges: Vec<(u64, u64)>,
    seen: Seen,
}

#[derive(Deserialize)]
struct Seen {
    files: Chosen,
    ranges: Chosen,
}

#[derive(Deserialize)]
struct Chosen {
    spans: usize,
    cost_s: f64,
}

impl Layer {
    fn read(number: usize) -> Self {
        let path = soci_tests::shape_vectors().join(format!("{number}.json"));
        serde_json::from_slice(&fs::read(path).expect("the vector is there")).expect("the vector is JSON")
    }

    fn ends(&self) -> Vec<BlockEnd> {
        let (mut compressed, mut uncompressed) = (0, 0);
        let steps = self.block_end_steps.iter();
        steps
            .map(|&(more, out, bits)| {
                compressed += more;
                uncompressed += out;
                BlockEnd {
                    compressed,
                    uncompressed,
                    bits,
                }
            })
            .collect()
    }
}

#[test]
fn real_layers_are_cut_at_no_higher_cost() {
    let link: Link = "200Mbit/2ms".parse().expect("a link");
    let cost = span_cost(&link, &Client::MEASURED);
    for number in 0..4 {
        let layer = Layer::read(number);
        let ends = layer.ends();
        for (what, needed, seen) in [
            ("files", &layer.files, &layer.seen.files),
            ("ranges", &layer.ranges, &layer.seen.ranges),
        ] {
            let ranges: Vec<Range<u64>> = needed.iter().map(|&(start, end)| start..end).collect();
            let shape = Shape::new(vec![Need::new(1, ranges)], cost, 4 << 20);
            let cuts = shape.cuts(&ends, layer.compressed_size, layer.uncompressed_size);
            let chosen: Vec<BlockEnd> = cuts.iter().map(|cut| ends[*cut]).collect();
            let seconds =
                shape.cost_of(&chosen, layer.compressed_size, layer.uncompressed_size) as f64 / 1e15;
            let count = chosen.len();
            // Theirs is rounded to 10 ms.
            assert!(
                seconds < seen.cost_s + 0.005,
                "layer {number}, {what}: {seconds:.4} s in {count} spans, not {} s in {}",
                seen.cost_s,
                seen.spans
            );
            assert!(
                count.abs_diff(seen.spans) <= seen.spans / 10,
                "layer {number}, {what}: {count} spans"
            );
            // What a builder does in bounded memory is hardly worse.
            let passing = shape.cuts_in_passing(&ends, layer.compressed_size, layer.uncompressed_size);
            let passing: Vec<BlockEnd> = passing.iter().map(|cut| ends[*cut]).collect();
            let passing =
                shape.cost_of(&passing, layer.compressed_size, layer.uncompressed_size) as f64 / 1e15;
            assert!(
                (seconds..seconds * 1.01).contains(&passing),
                "layer {number}, {what}: {passing:.4} s"
            );
            // The same layer, the same cuts.
            assert_eq!(
                cuts,
                shape.cuts(&ends, layer.compressed_size, layer.uncompressed_size)
            );
        }
    }
}
