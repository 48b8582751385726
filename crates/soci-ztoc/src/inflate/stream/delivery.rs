//! What leaves the stream: output and the places where decoding can begin.

use super::{Boundary, BoundaryKind, Outlet, State, Stop, Stream, WINDOW_SIZE};

impl<const N: usize> Stream<N> {
    /// Tells that output ends here with a block, or a header, that ends at this bit of the stream.
    pub(super) fn announce<S: Outlet<N>>(
        &mut self,
        kind: BoundaryKind,
        bit: u64,
        outlet: &mut S,
    ) -> Result<(), Stop<S::Error>> {
        let boundary = Boundary {
            compressed_offset: bit.div_ceil(8),
            bits: (bit.wrapping_neg() & 7) as u8,
            uncompressed_offset: self.output.position(),
            kind,
            window: self.output.windows()[0],
        };
        outlet.boundary(boundary).map_err(Stop::Consumer)
    }

    /// Delivers all output and moves the history to the front.
    pub(super) fn make_room<S: Outlet<N>>(&mut self, outlet: &mut S) -> Result<(), Stop<S::Error>> {
        self.deliver(outlet)?;
        self.output.slide();
        self.stop_if_delivered(outlet)
    }

    pub(super) fn deliver<S: Outlet<N>>(&mut self, outlet: &mut S) -> Result<(), Stop<S::Error>> {
        let end = self.output.position();
        let bytes = self.output.undelivered();
        if self.whole_member {
            self.crc.update(bytes[0]);
        }
        let too_many = usize::try_from(end.saturating_sub(self.wanted)).unwrap_or(usize::MAX);
        let wanted = bytes[0].len().saturating_sub(too_many);
        if wanted == 0 {
            return Ok(());
        }
        outlet
            .output(bytes.map(|bytes| &bytes[..wanted]))
            .map_err(Stop::Consumer)
    }

    /// Delivers what is decoded, whatever came after it.
    pub(in super::super) fn deliver_rest<S: Outlet<N>>(&mut self, outlet: &mut S) -> Result<(), S::Error> {
        match self.deliver(outlet) {
            Err(Stop::Consumer(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// The 32 KiB before the next byte.
    pub(in super::super) fn windows(&self) -> [&[u8; WINDOW_SIZE]; N] {
        self.output.windows()
    }

    /// Ends a stream of which only a part was wanted, when that part is there.
    pub(super) fn stop_if_delivered<S: Outlet<N>>(&mut self, outlet: &mut S) -> Result<(), Stop<S::Error>> {
        if self.output.position() >= self.wanted {
            self.deliver(outlet)?;
            self.state = State::Done;
        }
        Ok(())
    }
}
