//! Where the bytes of a layer come from when only some of them are wanted.

use alloc::boxed::Box;

/// Why a place could not be read or written.
pub type BoxError = Box<dyn core::error::Error + Send + Sync>;

/// A layer that can be read at any offset: a file, a stretch of an archive, a blob in a registry.
pub trait ReadAt {
    /// Bytes of the layer.
    fn size(&mut self) -> Result<u64, BoxError>;

    /// Fills the buffer with the bytes from `offset` on; fewer are an error.
    fn read_exact_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), BoxError>;
}

impl ReadAt for &[u8] {
    fn size(&mut self) -> Result<u64, BoxError> {
        Ok(self.len() as u64)
    }

    fn read_exact_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<(), BoxError> {
        let start = usize::try_from(offset).ok();
        let wanted = start.and_then(|start| self.get(start..)?.get(..buffer.len()));
        buffer.copy_from_slice(wanted.ok_or("the layer ends before")?);
        Ok(())
    }
}
