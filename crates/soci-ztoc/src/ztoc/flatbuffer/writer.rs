//! Writes from the end of the file to its start, as Go's builder does.
//!
//! Positions count bytes from the *end* of the file. That makes a piece of the file independent of
//! what comes in front of it: the same piece can be written twice, the first time to learn its
//! length, the second time, in file order, to hand it out. Only the vtables tie pieces together:
//! equal ones are written once, by whoever comes first.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// A piece of a file, its bytes in reverse.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    reversed: Vec<u8>,
    /// Bytes of the file after this piece.
    base: usize,
    /// The largest alignment asked for.
    alignment: usize,
}

impl Writer {
    /// Starts a piece with `base` bytes of the file after it.
    pub(crate) fn restart(&mut self, base: usize) {
        self.reversed.clear();
        self.base = base;
    }

    /// The position in front of all that is written.
    pub(crate) fn position(&self) -> usize {
        self.base + self.reversed.len()
    }

    /// Bytes of this piece.
    pub(crate) fn len(&self) -> usize {
        self.reversed.len()
    }

    /// Appends the piece to a buffer in file order.
    pub(crate) fn copy_to(&self, target: &mut Vec<u8>) {
        extend_reversed(target, &self.reversed);
    }

    /// Pads so that after `extra` more bytes the position is a multiple of `size`.
    pub(crate) fn align(&mut self, size: usize, extra: usize) {
        self.alignment = self.alignment.max(size);
        let padding = (self.position() + extra).wrapping_neg() % size;
        self.reversed.resize(self.reversed.len() + padding, 0);
    }

    /// A string: length, bytes, NUL.
    pub(crate) fn string(&mut self, text: &[u8]) -> usize {
        self.align(4, text.len() + 1);
        self.reversed.push(0);
        extend_reversed(&mut self.reversed, text);
        self.u32(text.len() as u32);
        self.position()
    }

    /// A vector of offsets to what was written before.
    pub(crate) fn offset_vector(
        &mut self,
        targets: impl DoubleEndedIterator<Item = usize> + ExactSizeIterator,
    ) -> usize {
        let count = targets.len();
        self.align(4, 4 * count);
        for target in targets.rev() {
            self.offset(target);
        }
        self.u32(count as u32);
        self.position()
    }

    /// Begins a table; its fields must not be interleaved with other objects.
    pub(crate) fn table<const SLOTS: usize>(&mut self) -> TableWriter<'_, SLOTS> {
        let start = self.position();
        TableWriter {
            writer: self,
            start,
            slots: [0; SLOTS],
        }
    }

    /// The offset of the root table, in front of everything.
    pub(crate) fn finish(&mut self, root: usize) {
        self.align(self.alignment, 4);
        self.offset(root);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.reversed.extend_from_slice(&value.to_be_bytes());
    }

    /// The distance from here to an object behind.
    fn offset(&mut self, target: usize) {
        self.u32((self.position() + 4 - target) as u32);
    }
}

/// Copying first and turning round after is several times as fast as byte by byte.
fn extend_reversed(target: &mut Vec<u8>, bytes: &[u8]) {
    let start = target.len();
    target.extend_from_slice(bytes);
    target[start..].reverse();
}

/// A table under construction: the position of every field that was added.
pub(crate) struct TableWriter<'w, const SLOTS: usize> {
    writer: &'w mut Writer,
    start: usize,
    slots: [usize; SLOTS],
}

impl<const SLOTS: usize> TableWriter<'_, SLOTS> {
    /// A reference to an object written before.
    pub(crate) fn offset(&mut self, slot: usize, target: usize) {
        self.writer.align(4, 0);
        self.writer.offset(target);
        self.slots[slot] = self.writer.position();
    }

    /// A number; the default is not stored.
    pub(crate) fn i64(&mut self, slot: usize, value: i64) {
        if value != 0 {
            self.scalar(slot, &value.to_be_bytes());
        }
    }

    /// A number; the default is not stored.
    pub(crate) fn i32(&mut self, slot: usize, value: i32) {
        if value != 0 {
            self.scalar(slot, &value.to_be_bytes());
        }
    }

    /// A number; the default is not stored.
    pub(crate) fn u32(&mut self, slot: usize, value: u32) {
        if value != 0 {
            self.scalar(slot, &value.to_be_bytes());
        }
    }

    /// A number that has no default, or differs from it.
    pub(crate) fn i8(&mut self, slot: usize, value: i8) {
        self.scalar(slot, &value.to_be_bytes());
    }

    /// Ends the table with its vtable, or a reference to an equal one.
    pub(crate) fn end(self, vtables: &mut VTables) -> usize {
        let TableWriter { writer, start, slots } = self;
        writer.align(4, 0);
        // The distance to the vtable stands in front of the fields.
        let table = writer.position() + 4;
        let used = slots
            .iter()
            .rposition(|&slot| slot != 0)
            .map_or(0, |last| last + 1);
        // In file order: bytes of the vtable, bytes of the table, one field offset per slot.
        let mut vtable = [0_u8; VTABLE_LIMIT];
        let length = 4 + 2 * used;
        let entries = [length, table - start].into_iter().chain(
            slots[..used]
                .iter()
                .map(|&slot| if slot == 0 { 0 } else { table - slot }),
        );
        for (target, value) in vtable.chunks_exact_mut(2).zip(entries) {
            target.copy_from_slice(&(value as u16).to_le_bytes());
        }
        let vtable = &vtable[..length];
        match vtables.position(vtable) {
            // It lies behind, so its distance is negative.
            Some(known) if known <= writer.position() => {
                writer.u32((known as i64 - table as i64) as i32 as u32);
            }
            _ => {
                writer.u32(length as u32);
                writer.reversed.extend(vtable.iter().rev());
                vtables.remember(vtable, writer.position());
            }
        }
        table
    }

    fn scalar(&mut self, slot: usize, big_endian: &[u8]) {
        self.writer.align(big_endian.len(), 0);
        self.writer.reversed.extend_from_slice(big_endian);
        self.slots[slot] = self.writer.position();
    }
}

/// Room for a vtable of 14 slots, the most a table here has.
const VTABLE_LIMIT: usize = 4 + 2 * 14;

/// The vtables of a file and where they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct VTables {
    known: Vec<(Box<[u8]>, usize)>,
}

impl VTables {
    fn position(&self, vtable: &[u8]) -> Option<usize> {
        self.known
            .iter()
            .find(|(bytes, _)| **bytes == *vtable)
            .map(|(_, position)| *position)
    }

    /// When a piece is written again, its vtables are known already, at the same positions.
    fn remember(&mut self, vtable: &[u8], position: usize) {
        if self.position(vtable).is_none() {
            self.known.push((vtable.into(), position));
        }
    }
}
