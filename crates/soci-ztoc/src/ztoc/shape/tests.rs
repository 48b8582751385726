use alloc::vec;

use proptest::prelude::*;

use super::*;

/// 25 MB/s, 2 ms, and what a client was measured to need beside the wire.
const COST: SpanCost = SpanCost {
    span: (32 << 10) * 40_000_000,
    request: 6_000_000_000_000,
    compressed_byte: 40_000_000,
    uncompressed_byte: 9_536_743,
};

fn ends(steps: &[(u64, u64)]) -> (Vec<BlockEnd>, u64, u64) {
    let (mut compressed, mut uncompressed) = (10, 0);
    let mut ends = vec![BlockEnd {
        compressed,
        uncompressed,
        bits: 0,
    }];
    for (number, (more, out)) in steps.iter().enumerate() {
        compressed += more;
        uncompressed += out;
        ends.push(BlockEnd {
            compressed,
            uncompressed,
            bits: (number % 8) as u8,
        });
    }
    (ends, compressed + 8_000, uncompressed + 30_000)
}

fn chosen(ends: &[BlockEnd], cuts: &[usize]) -> Vec<BlockEnd> {
    cuts.iter().map(|cut| ends[*cut]).collect()
}

/// The least cost of all ways to cut; those with a span that is too long do not count, unless it is one block.
fn least(shape: &Shape, ends: &[BlockEnd], compressed: u64, uncompressed: u64) -> u128 {
    let choices = ends.len() - 1;
    let mut least = u128::MAX;
    for choice in 0_u32..1 << choices {
        let cuts: Vec<usize> = core::iter::once(0)
            .chain(
                (0..choices)
                    .filter(|bit| choice >> bit & 1 == 1)
                    .map(|bit| bit + 1),
            )
            .collect();
        let end = ends.len();
        let spans = cuts.iter().zip(cuts.iter().skip(1).chain([&end]));
        let mut lengths = spans.map(|(begin, end)| {
            let to = ends.get(*end).map_or(uncompressed, |end| end.uncompressed);
            (to - ends[*begin].uncompressed, end - begin)
        });
        if lengths.all(|(length, blocks)| length <= shape.longest() || blocks == 1) {
            least = least.min(shape.cost_of(&chosen(ends, &cuts), compressed, uncompressed));
        }
    }
    least
}

fn need() -> impl Strategy<Value = Need> {
    let range = (0_u64..1_400_000, 1_u64..120_000).prop_map(|(start, length)| start..start + length);
    (1_u32..4, prop::collection::vec(range, 0..5)).prop_map(|(weight, ranges)| Need::new(weight, ranges))
}

proptest! {
    /// Nothing is cheaper, for one start and for several.
    #[test]
    fn no_other_cuts_are_cheaper(
        steps in prop::collection::vec((1_u64..60_000, prop_oneof![4 => 1_u64..200_000, 1 => Just(0)]), 0..11),
        needs in prop::collection::vec(need(), 0..4),
        span_size in 1_u64..900_000,
    ) {
        let (ends, compressed, uncompressed) = ends(&steps);
        let shape = Shape::new(needs, COST, span_size);
        let leading = ends.iter().filter(|end| end.uncompressed == 0).count();
        let cuts = shape.cuts(&ends, compressed, uncompressed);
        // Those before the first byte of output are not chosen.
        prop_assert_eq!(&cuts[..leading], &(0..leading).collect::<Vec<_>>()[..]);
        let found = shape.cost_of(&chosen(&ends, &cuts[leading - 1..]), compressed, uncompressed);
        // Of several at one place only the first may begin a span.
        let mut rising = ends[leading - 1..].to_vec();
        rising.dedup_by_key(|end| end.uncompressed);
        prop_assert_eq!(found, least(&shape, &rising, compressed, uncompressed));
    }

    /// Nothing stays open for long, and what is decided early is what would be decided late.
    #[test]
    fn memory_is_that_of_a_span(
        steps in prop::collection::vec((1_u64..60_000, 4_096_u64..200_000), 200..600),
        needs in prop::collection::vec(need(), 0..2),
    ) {
        let (ends, compressed, uncompressed) = ends(&steps);
        let shape = Shape::new(needs, COST, 1 << 20);
        let mut shaper = Shaper::new(&shape);
        let mut most = 0;
        for (position, end) in ends.iter().enumerate() {
            shaper.push(&shape, *end, position);
            most = most.max(shaper.nodes.len() - shaper.free.len());
        }
        shaper.finish(&shape, compressed, uncompressed);
        let cuts: Vec<usize> = shaper.take().into_iter().map(|(_, position)| position).collect();
        prop_assert_eq!(cuts, shape.cuts_in_passing(&ends, compressed, uncompressed));
        // At most 256 block ends of 4 KiB fit into a span.
        prop_assert!(most < 2 * 280, "{most}");
    }
}

/// A layer that says nothing for long: the compressed bytes that wait are bounded all the same.
#[test]
fn what_waits_is_bounded() {
    let steps: Vec<(u64, u64)> = (0..400)
        .map(|number| (9 << 20, if number % 2 == 0 { 100 } else { 3_000 }))
        .collect();
    let (ends, compressed, uncompressed) = ends(&steps);
    let shape = Shape::new(vec![Need::new(1, vec![50..60, 9_000..9_001])], COST, 4 << 20);
    let mut shaper = Shaper::new(&shape);
    for (position, end) in ends.iter().enumerate() {
        shaper.reached(end.compressed);
        shaper.push(&shape, *end, position);
        if let Some(open) = shaper.open_from() {
            assert!(end.compressed - open <= MOST_BYTES + (9 << 20));
        }
    }
    shaper.finish(&shape, compressed, uncompressed);
    let cuts: Vec<usize> = shaper.take().into_iter().map(|(_, position)| position).collect();
    // Calling `reached` in between changes nothing.
    assert_eq!(cuts, shape.cuts_in_passing(&ends, compressed, uncompressed));
    assert!(cuts.is_sorted());
}

/// Blocks that an encoder flushes every few bytes: most are passed over, so that windows do not pile up.
#[test]
fn dense_block_ends_are_bounded() {
    let steps: Vec<(u64, u64)> = (0..20_000).map(|_| (7, 40)).collect();
    let (ends, compressed, uncompressed) = ends(&steps);
    let shape = Shape::new(
        vec![Need::new(1, vec![400_000..400_050, 400_060..400_100])],
        COST,
        4 << 20,
    );
    let mut shaper = Shaper::new(&shape);
    for (position, end) in ends.iter().enumerate() {
        shaper.push(&shape, *end, position);
        assert!(shaper.nodes.len() <= MOST_NODES);
    }
    shaper.finish(&shape, compressed, uncompressed);
    let cuts = shaper.take();
    assert!(
        cuts.windows(2)
            .all(|pair| pair[0].0.uncompressed < pair[1].0.uncompressed)
    );
}

/// A layer that no start needs is cut into as few spans as there can be, each as late as possible.
#[test]
fn without_needs_spans_are_as_long_as_they_may_be() {
    let steps: Vec<(u64, u64)> = (0..1_000).map(|_| (30_000, 100_000)).collect();
    let (ends, compressed, uncompressed) = ends(&steps);
    let shape = Shape::new(Vec::new(), COST, 4 << 20);
    let cuts = shape.cuts(&ends, compressed, uncompressed);
    // 44 blocks of 100,000 bytes fit into 4.2 MiB.
    assert_eq!(cuts.len() as u64, uncompressed.div_ceil(44 * 100_000));
}

#[test]
fn ranges_of_a_need_are_in_order() {
    let need = Need::new(2, vec![9..12, 3..3, 1..2, 2..5, 11..20]);
    assert_eq!(need.ranges(), [1..5, 9..20]);
    assert_eq!(need.weight(), 2);
}
