//! Reads tables, strings and vectors; every offset is checked before it is followed.

use crate::Error;

/// The root table of a file.
pub(crate) fn root(bytes: &[u8]) -> Result<Table<'_>, Error> {
    let offset = u32_at(bytes, 0)?;
    Table::at(bytes, offset as usize)
}

/// A table and its vtable, both inside the file.
#[derive(Clone, Copy)]
pub(crate) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Bytes of the table, from its start.
    length: usize,
    slots: &'a [u8],
}

impl<'a> Table<'a> {
    fn at(bytes: &'a [u8], at: usize) -> Result<Self, Error> {
        let distance = i32::from_le_bytes(array(bytes, at)?);
        let vtable = i64::try_from(at)
            .ok()
            .and_then(|at| usize::try_from(at - i64::from(distance)).ok())
            .ok_or(invalid(at, "a vtable lies outside the file"))?;
        let vtable_length = usize::from(u16_at(bytes, vtable)?);
        let length = usize::from(u16_at(bytes, vtable.saturating_add(2))?);
        if vtable_length < 4 || vtable_length % 2 != 0 {
            return Err(invalid(vtable, "the length of a vtable is wrong"));
        }
        let slots = bytes
            .get(vtable..)
            .and_then(|rest| rest.get(4..vtable_length))
            .ok_or(invalid(vtable, "a vtable does not fit into the file"))?;
        if length < 4 || bytes.len() - at < length {
            return Err(invalid(at, "a table does not fit into the file"));
        }
        Ok(Table {
            bytes,
            at,
            length,
            slots,
        })
    }

    /// Where a field of `size` bytes is; `None` when it is absent.
    fn field(&self, slot: usize, size: usize) -> Result<Option<usize>, Error> {
        let Some(entry) = self.slots.get(2 * slot..2 * slot + 2) else {
            return Ok(None);
        };
        let offset = usize::from(u16::from_le_bytes([entry[0], entry[1]]));
        if offset == 0 {
            return Ok(None);
        }
        if offset < 4 || offset + size > self.length {
            return Err(invalid(self.at, "a field lies outside its table"));
        }
        Ok(Some(self.at + offset))
    }

    /// A number, 0 when absent.
    pub(crate) fn i64(&self, slot: usize) -> Result<i64, Error> {
        self.field(slot, 8)?
            .map_or(Ok(0), |at| Ok(i64::from_le_bytes(array(self.bytes, at)?)))
    }

    /// A number, 0 when absent.
    pub(crate) fn i32(&self, slot: usize) -> Result<i32, Error> {
        self.field(slot, 4)?
            .map_or(Ok(0), |at| Ok(i32::from_le_bytes(array(self.bytes, at)?)))
    }

    /// A number, 0 when absent.
    pub(crate) fn u32(&self, slot: usize) -> Result<u32, Error> {
        self.field(slot, 4)?.map_or(Ok(0), |at| u32_at(self.bytes, at))
    }

    /// A number, if present.
    pub(crate) fn i8(&self, slot: usize) -> Result<Option<i8>, Error> {
        let at = self.field(slot, 1)?;
        at.map(|at| array(self.bytes, at).map(i8::from_le_bytes))
            .transpose()
    }

    /// A number that must not be negative, 0 when absent.
    pub(crate) fn size(&self, slot: usize, what: &'static str) -> Result<u64, Error> {
        u64::try_from(self.i64(slot)?).map_err(|_| invalid(self.at, what))
    }

    /// The bytes of a string or of a byte vector, empty when absent. Not checked for UTF-8.
    pub(crate) fn bytes(&self, slot: usize) -> Result<&'a [u8], Error> {
        match self.target(slot)? {
            Some(at) => bytes_at(self.bytes, at),
            None => Ok(&[]),
        }
    }

    /// A table, which must be there.
    pub(crate) fn table(&self, slot: usize, missing: &'static str) -> Result<Table<'a>, Error> {
        let at = self.target(slot)?.ok_or(invalid(self.at, missing))?;
        Table::at(self.bytes, at)
    }

    /// A vector of offsets, empty when absent.
    pub(crate) fn vector(&self, slot: usize) -> Result<Vector<'a>, Error> {
        let Some(at) = self.target(slot)? else {
            return Ok(Vector {
                bytes: self.bytes,
                first: 0,
                count: 0,
            });
        };
        let count = u32_at(self.bytes, at)? as usize;
        if (self.bytes.len() - at - 4) / 4 < count {
            return Err(invalid(at, "a vector does not fit into the file"));
        }
        Ok(Vector {
            bytes: self.bytes,
            first: at + 4,
            count,
        })
    }

    /// Where the table is, for messages.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    fn target(&self, slot: usize) -> Result<Option<usize>, Error> {
        self.field(slot, 4)?.map(|at| follow(self.bytes, at)).transpose()
    }
}

/// A vector of offsets, all of its slots inside the file.
#[derive(Clone, Copy)]
pub(crate) struct Vector<'a> {
    bytes: &'a [u8],
    first: usize,
    count: usize,
}

impl<'a> Vector<'a> {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Its elements as tables.
    pub(crate) fn tables(self) -> impl Iterator<Item = Result<Table<'a>, Error>> {
        (0..self.count).map(move |index| {
            let at = follow(self.bytes, self.first + 4 * index)?;
            Table::at(self.bytes, at)
        })
    }

    /// Its elements as strings.
    pub(crate) fn strings(self) -> impl Iterator<Item = Result<&'a [u8], Error>> {
        (0..self.count).map(move |index| {
            let at = follow(self.bytes, self.first + 4 * index)?;
            bytes_at(self.bytes, at)
        })
    }
}

/// Follows the offset stored at `at`.
fn follow(bytes: &[u8], at: usize) -> Result<usize, Error> {
    let offset = u32_at(bytes, at)? as usize;
    at.checked_add(offset)
        .filter(|target| offset > 0 && *target < bytes.len())
        .ok_or(invalid(at, "an offset leads out of the file"))
}

fn bytes_at(bytes: &[u8], at: usize) -> Result<&[u8], Error> {
    let length = u32_at(bytes, at)? as usize;
    bytes[at + 4..]
        .get(..length)
        .ok_or(invalid(at, "a string or vector does not fit into the file"))
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Error> {
    array(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Error> {
    array(bytes, at).map(u32::from_le_bytes)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Error> {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .ok_or(invalid(at, "the file ends inside a field"))
}

fn invalid(offset: usize, what: &'static str) -> Error {
    Error::InvalidZtoc {
        offset: offset as u64,
        what,
    }
}
