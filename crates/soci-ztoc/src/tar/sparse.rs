//! Sparse maps, read to be skipped and checked (`docs/tar.md`, section 5).
//!
//! Contents of sparse files are never rebuilt here: a zTOC cannot describe them. What counts is how
//! many bytes the map takes and whether the archive is valid.

use alloc::vec::Vec;

use super::header::BLOCK;
use super::number::{decimal, numeric};
use super::pax::{Records, SPARSE_MAP};

/// A stretch of data inside a sparse file.
type Fragment = (i64, i64);

/// What a block of a map said.
pub(super) enum Progress {
    /// The map goes on in the next block.
    More,
    /// The map is complete.
    Done,
}

/// What is wrong with a map.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum MapFault {
    /// A number, an order or a count is wrong.
    Invalid,
    /// It takes more than 1 MiB.
    TooLong,
}

/// Which of the PAX encodings the records announce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PaxEncoding {
    /// Not a sparse file.
    None,
    /// 0.0 and 0.1: the map is a record.
    Records,
    /// 1.0: the map stands in front of the data.
    Data,
}

impl PaxEncoding {
    pub(super) fn of(records: &Records) -> Self {
        match (records.get(b"GNU.sparse.major"), records.get(b"GNU.sparse.minor")) {
            (b"0", b"0" | b"1") => PaxEncoding::Records,
            (b"1", b"0") => PaxEncoding::Data,
            (b"", b"") if !records.get(SPARSE_MAP).is_empty() => PaxEncoding::Records,
            _ => PaxEncoding::None,
        }
    }
}

/// The size of the whole file, if the records tell one.
pub(super) fn real_size(records: &Records) -> Result<Option<i64>, MapFault> {
    let size = match records.get(b"GNU.sparse.size") {
        b"" => records.get(b"GNU.sparse.realsize"),
        size => size,
    };
    match size {
        b"" => Ok(None),
        _ => decimal(size).map(Some).ok_or(MapFault::Invalid),
    }
}

/// Checks the map of formats 0.0 and 0.1.
pub(super) fn check_records(records: &Records, size: i64) -> Result<(), MapFault> {
    let count = fragments_count(records.get(b"GNU.sparse.numblocks"))?;
    let map = records.get(SPARSE_MAP);
    let mut numbers = map.split(|&byte| byte == b',').filter(|_| !map.is_empty());
    let mut order = Order::default();
    let mut seen = 0;
    while let Some(offset) = numbers.next() {
        let length = numbers.next().ok_or(MapFault::Invalid)?;
        order.push(both(offset, length)?, size)?;
        seen += 1;
    }
    if seen != count || size < 0 {
        Err(MapFault::Invalid)
    } else {
        Ok(())
    }
}

/// The map of an old GNU sparse header: four fragments there, 21 in every extension block.
#[derive(Debug, Default)]
pub(super) struct OldGnuMap {
    bytes: usize,
    order: Order,
    /// A wrong order counts only if the whole map is there.
    wrong: bool,
}

impl OldGnuMap {
    /// Reads the map part of the header itself.
    pub(super) fn header(&mut self, block: &[u8; BLOCK], size: i64) -> Result<Progress, MapFault> {
        *self = OldGnuMap::default();
        self.wrong = size < 0;
        self.fragments(&block[386..483], size)
    }

    /// Reads an extension block.
    pub(super) fn extension(&mut self, block: &[u8; BLOCK], size: i64) -> Result<Progress, MapFault> {
        self.fragments(block, size)
    }

    fn fragments(&mut self, part: &[u8], size: i64) -> Result<Progress, MapFault> {
        self.bytes += part.len();
        let count = part.len() / 24;
        for fragment in part.chunks_exact(24).take(count) {
            if fragment[0] == 0 {
                break;
            }
            let offset = numeric(&fragment[..12]).ok_or(MapFault::Invalid)?;
            let length = numeric(&fragment[12..]).ok_or(MapFault::Invalid)?;
            self.wrong |= self.order.push((offset, length), size).is_err();
        }
        match part[24 * count] {
            0 if self.wrong => Err(MapFault::Invalid),
            0 => Ok(Progress::Done),
            _ if self.bytes + BLOCK >= MAP_LIMIT => Err(MapFault::TooLong),
            _ => Ok(Progress::More),
        }
    }
}

/// The map of format 1.0: newline-terminated decimals, the count first, padded to a block.
#[derive(Debug, Default)]
pub(super) struct DataMap {
    blocks: usize,
    line: Vec<u8>,
    /// How many numbers the map has, once known.
    wanted: Option<u64>,
    seen: u64,
    offset: Option<i64>,
    order: Order,
    /// What is wrong with the numbers counts only if all of them are there.
    wrong: bool,
}

impl DataMap {
    pub(super) fn block(&mut self, block: &[u8; BLOCK], size: i64) -> Result<Progress, MapFault> {
        self.blocks += 1;
        for &byte in block {
            if self.wanted.is_some_and(|wanted| self.seen == wanted) {
                break;
            }
            match byte {
                b'\n' => self.number(size)?,
                _ => self.line.push(byte),
            }
        }
        match self.wanted {
            Some(wanted) if self.seen == wanted && (self.wrong || size < 0) => Err(MapFault::Invalid),
            Some(wanted) if self.seen == wanted => Ok(Progress::Done),
            _ if (self.blocks + 1) * BLOCK > MAP_LIMIT => Err(MapFault::TooLong),
            _ => Ok(Progress::More),
        }
    }

    fn number(&mut self, size: i64) -> Result<(), MapFault> {
        if self.wanted.is_none() {
            self.wanted = Some(2 * fragments_count(&self.line)?);
        } else {
            let number = decimal(&self.line);
            if self.seen.is_multiple_of(2) {
                self.offset = number;
            } else {
                let fragment = self.offset.zip(number);
                self.wrong |= fragment.is_none_or(|fragment| self.order.push(fragment, size).is_err());
            }
            self.seen += 1;
        }
        self.line.clear();
        Ok(())
    }
}

/// The same limit as for other records that describe an entry.
const MAP_LIMIT: usize = 1 << 20;

/// Fragments must ascend without overlap and end inside the file.
#[derive(Debug, Default)]
struct Order {
    end: i64,
}

impl Order {
    fn push(&mut self, (offset, length): Fragment, size: i64) -> Result<(), MapFault> {
        let end = offset.checked_add(length).filter(|_| offset >= 0 && length >= 0);
        match end {
            Some(end) if end <= size && self.end <= offset => {
                self.end = end;
                Ok(())
            }
            _ => Err(MapFault::Invalid),
        }
    }
}

fn both(offset: &[u8], length: &[u8]) -> Result<Fragment, MapFault> {
    decimal(offset).zip(decimal(length)).ok_or(MapFault::Invalid)
}

/// A count of fragments whose double still fits.
fn fragments_count(text: &[u8]) -> Result<u64, MapFault> {
    match decimal(text) {
        Some(count @ 0..=0x3fff_ffff_ffff_ffff) => Ok(count as u64),
        _ => Err(MapFault::Invalid),
    }
}
