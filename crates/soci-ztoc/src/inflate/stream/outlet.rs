//! Where a stream delivers to.

use super::super::Consumer;
use super::{Boundary, InflateError};

/// A [`Consumer`] that takes `N` outputs. With one, it is any consumer.
pub(in super::super) trait Outlet<const N: usize> {
    type Error: From<InflateError>;

    fn output(&mut self, bytes: [&[u8]; N]) -> Result<(), Self::Error>;
    fn boundary(&mut self, boundary: Boundary<'_>) -> Result<(), Self::Error>;
    fn compressed(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;
}

impl<S: Consumer> Outlet<1> for S {
    type Error = S::Error;

    #[inline]
    fn output(&mut self, [bytes]: [&[u8]; 1]) -> Result<(), S::Error> {
        Consumer::output(self, bytes)
    }

    #[inline]
    fn boundary(&mut self, boundary: Boundary<'_>) -> Result<(), S::Error> {
        Consumer::boundary(self, boundary)
    }

    #[inline]
    fn compressed(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        Consumer::compressed(self, bytes)
    }
}
