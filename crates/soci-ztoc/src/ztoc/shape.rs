//! Where to cut a layer for starts that are known: each span that a start needs costs a request, its bytes and their
//! inflating, and every span costs the way of its window. The cuts of least cost are found while the layer passes by.
//!
//! ```text
//!   decided ──► root ─┬─► ○ ──► ○ ─┐
//!                     │            ├─► candidates that the next span can begin at (`live`)
//!                     └─► ○ ───────┘
//! ```
//!
//! Dynamic programming over block ends: the best way to a block end is the best way to one before it and the span
//! between. A span has a greatest length, so only the last few megabytes of block ends matter; whatever all ways to
//! these have in common is decided. Of equally good ways the one with the later cut is taken: then the ways through a
//! stretch that no start needs meet at once, and memory stays at the block ends of about one span.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::Range;

/// Where a span can begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockEnd {
    /// Offset in the layer of the first compressed byte that is wholly unread.
    pub compressed: u64,
    /// Uncompressed bytes before it.
    pub uncompressed: u64,
    /// High-order bits of the byte before `compressed` that are still unread, 0 to 7.
    pub bits: u8,
}

/// What spans cost, in femtoseconds: whole numbers, so that all machines find the same cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanCost {
    /// Of every span: its window comes with the zTOC.
    pub span: u64,
    /// Of a span that a start needs, whatever its size.
    pub request: u64,
    /// Of each byte of it that comes over the wire.
    pub compressed_byte: u64,
    /// Of each byte that these become.
    pub uncompressed_byte: u64,
}

/// What a start needs of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Need {
    weight: u32,
    ranges: Vec<Range<u64>>,
}

impl Need {
    /// These uncompressed bytes of the layer, in any order; `weight` says how much this start counts beside others.
    pub fn new(weight: u32, mut ranges: Vec<Range<u64>>) -> Self {
        ranges.retain(|range| range.start < range.end);
        ranges.sort_unstable_by_key(|range| range.start);
        let mut joined: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match joined.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => joined.push(range),
            }
        }
        Need {
            weight,
            ranges: joined,
        }
    }

    /// How much the start counts.
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// The bytes, ascending, disjoint, none empty.
    pub fn ranges(&self) -> &[Range<u64>] {
        &self.ranges
    }
}

/// What the spans of a layer are to be good for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    needs: Vec<Need>,
    cost: SpanCost,
    longest: u64,
}

impl Shape {
    /// For these starts and this cost. No span is longer than a twentieth above `span_size`, unless a single block is:
    /// spans without a shape are longer than the span size, too, by a part of a block.
    pub fn new(needs: Vec<Need>, cost: SpanCost, span_size: u64) -> Self {
        Shape {
            needs,
            cost,
            longest: span_size.saturating_add(span_size / 20),
        }
    }

    /// What each start needs.
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// What spans cost.
    pub fn cost(&self) -> &SpanCost {
        &self.cost
    }

    /// The most uncompressed bytes of a span of several blocks.
    pub fn longest(&self) -> u64 {
        self.longest
    }

    /// The positions in `ends` at which spans of least cost begin. `ends` ascend; those at output 0, of which there is
    /// at least one in every layer, all begin spans. The sizes are the whole layer's.
    ///
    /// Exact, but for layers whose encoder ended more than 512 blocks within a span: there those less than 4 KiB behind
    /// another one are passed over.
    pub fn cuts(&self, ends: &[BlockEnd], compressed: u64, uncompressed: u64) -> Vec<usize> {
        let unbounded = Shaper {
            most_bytes: u64::MAX,
            most_nodes: usize::MAX,
            ..Shaper::new(self)
        };
        self.cuts_by(unbounded, ends, compressed, uncompressed)
    }

    /// The same as a builder cuts, whose memory is bounded: it decides at the latest after 8 MiB of compressed bytes.
    pub fn cuts_in_passing(&self, ends: &[BlockEnd], compressed: u64, uncompressed: u64) -> Vec<usize> {
        self.cuts_by(Shaper::new(self), ends, compressed, uncompressed)
    }

    fn cuts_by(
        &self,
        mut shaper: Shaper<usize>,
        ends: &[BlockEnd],
        compressed: u64,
        uncompressed: u64,
    ) -> Vec<usize> {
        for (position, end) in ends.iter().enumerate() {
            shaper.push(self, *end, position);
        }
        shaper.finish(self, compressed, uncompressed);
        shaper.take().into_iter().map(|(_, position)| position).collect()
    }

    /// The cost of a layer whose spans begin at `cuts`.
    pub fn cost_of(&self, cuts: &[BlockEnd], compressed: u64, uncompressed: u64) -> u128 {
        let end = BlockEnd {
            compressed,
            uncompressed,
            bits: 0,
        };
        let ends = cuts.iter().skip(1).chain([&end]);
        let mut cost = 0;
        for (begin, end) in cuts.iter().zip(ends) {
            let needed = |need: &&Need| {
                let touches =
                    |range: &Range<u64>| range.start < end.uncompressed && range.end > begin.uncompressed;
                need.ranges.iter().any(touches)
            };
            let hot = self
                .needs
                .iter()
                .filter(needed)
                .map(|need| u64::from(need.weight))
                .sum();
            cost += self.span_cost(begin, end, self.all(), hot);
        }
        cost
    }

    /// How much all starts count. Spans cost something even if there is none.
    fn all(&self) -> u64 {
        let weights = self.needs.iter().map(|need| u64::from(need.weight));
        weights.sum::<u64>().max(1)
    }

    /// The cost of a span that starts of the weight `hot`, out of `all`, need. The byte that neighbours may share does not
    /// count: with it equal ways would differ by nothing that matters, and stay open side by side.
    fn span_cost(&self, begin: &BlockEnd, end: &BlockEnd, all: u64, hot: u64) -> u128 {
        let times = |one: u64, count: u64| u128::from(one) * u128::from(count);
        let fetch = || {
            u128::from(self.cost.request)
                + times(
                    self.cost.compressed_byte,
                    end.compressed.saturating_sub(begin.compressed),
                )
                + times(
                    self.cost.uncompressed_byte,
                    end.uncompressed.saturating_sub(begin.uncompressed),
                )
        };
        let hot = if hot == 0 { 0 } else { u128::from(hot) * fetch() };
        times(self.cost.span, all) + hot
    }
}

/// Block ends that are kept at most before close ones are passed over.
const DENSE: usize = 512;
/// How close these are, in uncompressed bytes: real encoders end a block that early only now and then.
const CLOSE: u64 = 4 << 10;
/// Undecided block ends at most.
const MOST_NODES: usize = 2048;
/// Undecided compressed bytes at most: they are kept until it is known which span they are in.
///
/// Through a long stretch of one kind two or three ways can stay open, which differ in where it began: one has paid a
/// little more for being able to save a span at its end. To decide early costs at most that span.
const MOST_BYTES: u64 = 8 << 20;

/// The search while the layer passes by. `T` is what is kept of a block end until it is decided.
#[derive(Debug)]
pub(super) struct Shaper<T> {
    nodes: Vec<Node<T>>,
    free: Vec<usize>,
    /// Block ends that a span can begin at that ends at the next one, ascending.
    live: VecDeque<usize>,
    /// The last block end that is decided; none before the first.
    root: Option<usize>,
    /// For each start, how many of its ranges begin before the last block end.
    begun: Vec<usize>,
    all: u64,
    most_bytes: u64,
    most_nodes: usize,
    decided: Vec<(BlockEnd, T)>,
}

#[derive(Debug)]
struct Node<T> {
    end: BlockEnd,
    /// None once it is decided.
    kept: Option<T>,
    best: u128,
    /// Where the span before it begins, on the best way.
    parent: Option<usize>,
    /// Of how many it is the parent.
    children: usize,
    is_live: bool,
}

impl<T> Shaper<T> {
    pub(super) fn new(shape: &Shape) -> Self {
        Shaper {
            nodes: Vec::new(),
            free: Vec::new(),
            live: VecDeque::new(),
            root: None,
            begun: shape.needs.iter().map(|_| 0).collect(),
            all: shape.all(),
            most_bytes: MOST_BYTES,
            most_nodes: MOST_NODES,
            decided: Vec::new(),
        }
    }

    /// Whether a block end would be passed over, so that nothing need be kept of it: of several at one place, with
    /// empty blocks between, the first counts, because clients refuse spans that do not rise.
    pub(super) fn passes_over(&self, end: &BlockEnd) -> bool {
        let Some(last) = self.live.back().filter(|_| end.uncompressed != 0) else {
            return false;
        };
        let length = end
            .uncompressed
            .saturating_sub(self.nodes[*last].end.uncompressed);
        length == 0 || (self.live.len() >= DENSE && length < CLOSE)
    }

    /// Takes the next block end.
    pub(super) fn push(&mut self, shape: &Shape, end: BlockEnd, kept: T) {
        if self.root.is_none() || end.uncompressed == 0 {
            self.begin(end, kept);
            return;
        }
        if self.passes_over(&end) {
            return;
        }
        self.reached(end.compressed);
        if self.nodes.len() - self.free.len() >= self.most_nodes {
            self.decide_all();
        }
        let (parent, best) = self.best_way(shape, &end);
        self.nodes[parent].children += 1;
        let node = self.add(Node {
            end,
            kept: Some(kept),
            best,
            parent: Some(parent),
            children: 0,
            is_live: true,
        });
        self.live.push_back(node);
        self.decide();
    }

    /// Takes the end of the layer: all is decided then.
    pub(super) fn finish(&mut self, shape: &Shape, compressed: u64, uncompressed: u64) {
        if self.root.is_none() {
            return;
        }
        self.reached(compressed);
        let end = BlockEnd {
            compressed,
            uncompressed,
            bits: 0,
        };
        let (last, _) = self.best_way(shape, &end);
        self.decide_to(last);
    }

    /// Notes how far the layer has come: what would need too much memory to stay open is decided as it is best so far.
    /// Between two block ends it does not matter when this is called, so neither do the pieces that a layer comes in.
    pub(super) fn reached(&mut self, compressed: u64) {
        if let Some(root) = self.root
            && compressed.saturating_sub(self.nodes[root].end.compressed) > self.most_bytes
        {
            self.decide_all();
        }
    }

    /// What was decided since the last time, in order.
    pub(super) fn take(&mut self) -> Vec<(BlockEnd, T)> {
        core::mem::take(&mut self.decided)
    }

    /// Where the next span can begin at the earliest; none if no block end so far is open.
    pub(super) fn open_from(&self) -> Option<u64> {
        let root = &self.nodes[self.root?];
        (root.children > 0).then_some(root.end.compressed)
    }

    /// Block ends before the first byte of output all begin spans; the last of them has the bytes behind.
    fn begin(&mut self, end: BlockEnd, kept: T) {
        self.nodes.clear();
        self.free.clear();
        self.live.clear();
        self.decided.push((end, kept));
        let node = self.add(Node {
            end,
            kept: None,
            best: 0,
            parent: None,
            children: 0,
            is_live: true,
        });
        self.live.push_back(node);
        self.root = Some(node);
    }

    fn add(&mut self, node: Node<T>) -> usize {
        match self.free.pop() {
            Some(place) => {
                self.nodes[place] = node;
                place
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() - 1
            }
        }
    }

    /// Where the span that ends here begins best, and the cost up to here.
    fn best_way(&mut self, shape: &Shape, end: &BlockEnd) -> (usize, u128) {
        while self.live.len() > 1 && {
            let first = &self.nodes[self.live[0]].end;
            end.uncompressed.saturating_sub(first.uncompressed) > shape.longest
        } {
            let first = self.live.pop_front().expect("there are two");
            self.leave(first);
        }
        // The last byte before this end that a start needs: spans that begin at or before it hold it.
        let mut last_needed = Vec::with_capacity(shape.needs.len());
        for (need, begun) in shape.needs.iter().zip(&mut self.begun) {
            let ranges = &need.ranges;
            while ranges
                .get(*begun)
                .is_some_and(|range| range.start < end.uncompressed)
            {
                *begun += 1;
            }
            let last = begun
                .checked_sub(1)
                .map(|last| ranges[last].end.min(end.uncompressed) - 1);
            last_needed.push((last, u64::from(need.weight)));
        }
        let mut best: Option<(usize, u128)> = None;
        for &place in self.live.iter().rev() {
            let node = &self.nodes[place];
            let needed = last_needed
                .iter()
                .filter(|(last, _)| *last >= Some(node.end.uncompressed));
            let hot = needed.map(|(_, weight)| weight).sum();
            let cost = node.best + shape.span_cost(&node.end, end, self.all, hot);
            if best.is_none_or(|(_, least)| cost < least) {
                best = Some((place, cost));
            }
        }
        best.expect("the last block end is live")
    }

    /// A block end at which no further span can begin.
    fn leave(&mut self, place: usize) {
        self.nodes[place].is_live = false;
        self.forget(place);
    }

    /// Frees a block end that no way leads over any more, and those before it.
    fn forget(&mut self, mut place: usize) {
        while self.root != Some(place) {
            let node = &mut self.nodes[place];
            if node.is_live || node.children > 0 {
                return;
            }
            node.kept = None;
            self.free.push(place);
            let Some(parent) = node.parent.take() else { return };
            self.nodes[parent].children -= 1;
            place = parent;
        }
    }

    /// Decides what all ways have in common.
    fn decide(&mut self) {
        while let Some(root) = self.root
            && !self.nodes[root].is_live
            && self.nodes[root].children == 1
        {
            // The one way that leads on from there is that of any live block end.
            let mut next = *self.live.back().expect("the last block end is live");
            while let Some(parent) = self.nodes[next].parent
                && parent != root
            {
                next = parent;
            }
            self.decide_one(next);
        }
    }

    fn decide_one(&mut self, next: usize) {
        if let Some(old) = self.root.replace(next) {
            self.free.push(old);
        }
        let node = &mut self.nodes[next];
        node.parent = None;
        if let Some(kept) = node.kept.take() {
            self.decided.push((node.end, kept));
        }
    }

    /// Decides for the best way to the last block end: no other one stays open.
    fn decide_all(&mut self) {
        if let Some(&last) = self.live.back() {
            self.decide_to(last);
        }
    }

    fn decide_to(&mut self, last: usize) {
        while let Some(place) = self.live.pop_front() {
            if place != last {
                self.leave(place);
            }
        }
        self.nodes[last].is_live = true;
        self.live.push_back(last);
        let mut way = Vec::new();
        let mut place = Some(last);
        while let Some(at) = place
            && Some(at) != self.root
        {
            way.push(at);
            place = self.nodes[at].parent;
        }
        for next in way.into_iter().rev() {
            self.decide_one(next);
        }
    }
}

#[cfg(test)]
mod tests;
