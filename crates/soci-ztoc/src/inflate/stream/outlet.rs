//! Where a stream delivers to.

use super::super::Sink;
use super::{Boundary, InflateError};

/// A [`Sink`] that takes `N` outputs. With one, it is any sink.
pub(in super::super) trait Outlet<const N: usize> {
    type Error: From<InflateError>;

    fn output(&mut self, bytes: [&[u8]; N]) -> Result<(), Self::Error>;
    fn boundary(&mut self, boundary: Boundary<'_>) -> Result<(), Self::Error>;
    fn compressed(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;
}

impl<S: Sink> Outlet<1> for S {
    type Error = S::Error;

    #[inline]
    fn output(&mut self, [bytes]: [&[u8]; 1]) -> Result<(), S::Error> {
        Sink::output(self, bytes)
    }

    #[inline]
    fn boundary(&mut self, boundary: Boundary<'_>) -> Result<(), S::Error> {
        Sink::boundary(self, boundary)
    }

    #[inline]
    fn compressed(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        Sink::compressed(self, bytes)
    }
}
