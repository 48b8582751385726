//! The walk itself: blocks, meta entries, data, padding, the end (`docs/tar.md`, section 6).

use alloc::vec::Vec;
use core::mem;

use super::header::{BLOCK, Dialect, Fields, is_header_only};
use super::number::c_string;
use super::pax::Records;
use super::sparse::{self, DataMap, MapFault, OldGnuMap, PaxEncoding, Progress};
use super::time::Timestamp;
use crate::Error;

/// What a walk tells.
pub trait Visitor {
    /// An entry begins; its data follows, if it has any.
    fn entry(&mut self, entry: &Entry<'_>);

    /// The next bytes of the data of the entry told last, without padding.
    ///
    /// Of a sparse file these are the packed bytes, not the file's contents.
    fn data(&mut self, bytes: &[u8]) {
        let _ = bytes;
    }
}

/// One entry, all overrides applied.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The type byte of the header; never 0, which old archives use for files and directories.
    pub type_flag: u8,
    /// The name byte for byte: not cleaned, not checked for UTF-8.
    pub name: &'a [u8],
    /// The target of a link.
    pub link_name: &'a [u8],
    /// Where the data begins in the archive.
    pub data_offset: u64,
    /// The size told: bytes of data, or the size of a whole sparse file. Links and the like can
    /// tell one, even a negative one, and have no data.
    pub size: i64,
    /// Permission bits, unmasked.
    pub mode: i64,
    /// The owner's number.
    pub uid: i64,
    /// The group's number.
    pub gid: i64,
    /// The owner's name.
    pub user_name: &'a [u8],
    /// The group's name.
    pub group_name: &'a [u8],
    /// The time of the last modification.
    pub modified: Timestamp,
    /// Major number of a device.
    pub device_major: i64,
    /// Minor number of a device.
    pub device_minor: i64,
    /// Whether the data is a sparse file's packed form.
    pub sparse: bool,
    records: &'a Records,
}

impl<'a> Entry<'a> {
    /// All PAX records in force, keys ascending and unique.
    pub fn pax_records(&self) -> PaxRecords<'a> {
        PaxRecords(self.records)
    }
}

/// The PAX records of one entry.
#[derive(Clone, Copy, Debug)]
pub struct PaxRecords<'a>(&'a Records);

impl<'a> PaxRecords<'a> {
    /// Key and value of each record, keys ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])> {
        self.0.iter()
    }
}

/// Reads one archive, pushed in pieces.
#[derive(Debug)]
pub struct Walker {
    state: State,
    /// Bytes of the archive taken so far.
    position: u64,
    block: [u8; BLOCK],
    filled: usize,
    /// Data of the meta entry being read.
    meta: Vec<u8>,
    fields: Fields,
    records: Records,
    long_name: Vec<u8>,
    long_link: Vec<u8>,
    old_map: OldGnuMap,
    data_map: DataMap,
}

impl Walker {
    /// Starts at the first byte of an archive.
    pub fn new() -> Self {
        Walker {
            state: State::Header,
            position: 0,
            block: [0; BLOCK],
            filled: 0,
            meta: Vec::new(),
            fields: Fields::default(),
            records: Records::default(),
            long_name: Vec::new(),
            long_link: Vec::new(),
            old_map: OldGnuMap::default(),
            data_map: DataMap::default(),
        }
    }

    /// Takes the next bytes. What follows the end of the archive is ignored.
    ///
    /// # Errors
    /// [`Error::TarHeader`], [`Error::TarRecordTooLong`] or [`Error::SparseMapTooLong`]; after one of
    /// them the walk is over and only [`Error::Stopped`] follows.
    pub fn push(&mut self, input: &[u8], visitor: &mut impl Visitor) -> Result<(), Error> {
        if let State::Stopped = self.state {
            return Err(Error::Stopped);
        }
        let walked = self.walk(input, visitor);
        if walked.is_err() {
            self.state = State::Stopped;
        }
        walked
    }

    fn walk(&mut self, mut input: &[u8], visitor: &mut impl Visitor) -> Result<(), Error> {
        while !input.is_empty() {
            let wanted = match &self.state {
                State::Ended => return Ok(()),
                State::Data { left, .. } => *left,
                State::Padding { left } => u64::from(*left),
                State::Meta { left, .. } => u64::from(*left),
                _ => (BLOCK - self.filled) as u64,
            };
            let taken = usize::try_from(wanted).map_or(input.len(), |wanted| wanted.min(input.len()));
            let (bytes, rest) = input.split_at(taken);
            input = rest;
            self.position += taken as u64;
            match &mut self.state {
                State::Data { left, padding } => {
                    visitor.data(bytes);
                    *left -= taken as u64;
                    if *left == 0 {
                        self.state = State::after_data(*padding);
                    }
                }
                State::Padding { left } => {
                    *left -= taken as u16;
                    if *left == 0 {
                        self.state = State::Header;
                    }
                }
                State::Meta { left, .. } => {
                    self.meta.extend_from_slice(bytes);
                    *left -= taken as u32;
                    if *left == 0 {
                        self.end_meta(visitor)?;
                    }
                }
                _ => {
                    self.block[self.filled..self.filled + taken].copy_from_slice(bytes);
                    self.filled += taken;
                    if self.filled == BLOCK {
                        self.filled = 0;
                        self.full_block(visitor)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the end of the archive was seen: two zero blocks.
    pub fn ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Ends the walk where the stream ends; gives how many bytes the archive takes.
    ///
    /// A stream may end at a block boundary in front of a header, after one zero block, or inside
    /// the padding of its last entry.
    ///
    /// # Errors
    /// [`Error::TarTruncated`] anywhere else.
    pub fn finish(self) -> Result<u64, Error> {
        let inside = match self.state {
            State::Stopped => return Err(Error::Stopped),
            State::Ended | State::Padding { .. } => return Ok(self.position),
            State::Header | State::SecondZeroBlock if self.filled == 0 => return Ok(self.position),
            State::Header | State::SecondZeroBlock => "a header",
            State::Data { .. } => "the data of an entry",
            State::Meta { .. } => "an extended header",
            State::OldMap { .. } | State::DataMap { .. } => "a sparse map",
        };
        Err(Error::TarTruncated {
            offset: self.position,
            inside,
        })
    }

    /// Handles the block just completed.
    fn full_block(&mut self, visitor: &mut impl Visitor) -> Result<(), Error> {
        match mem::replace(&mut self.state, State::Ended) {
            State::OldMap { size, data } => {
                let progress = self.old_map.extension(&self.block, size);
                self.old_map_block(progress, size, data, visitor)
            }
            State::DataMap { size, left } => {
                let left = left - BLOCK as u64;
                match self
                    .data_map
                    .block(&self.block, size)
                    .map_err(|fault| self.map_fault(fault))?
                {
                    Progress::Done => {
                        self.tell(size, true, visitor);
                        self.begin_data(left);
                        Ok(())
                    }
                    Progress::More => self.expect_data_map(size, left),
                }
            }
            State::SecondZeroBlock if self.block == [0; BLOCK] => Ok(()),
            State::SecondZeroBlock => Err(self.invalid("a header follows a zero block")),
            _ if self.block == [0; BLOCK] => {
                self.state = State::SecondZeroBlock;
                Ok(())
            }
            _ => self.header(visitor),
        }
    }

    fn header(&mut self, visitor: &mut impl Visitor) -> Result<(), Error> {
        self.fields.read(&self.block).map_err(|what| self.invalid(what))?;
        let size = self.data_size()?;
        let kind = match self.fields.type_flag {
            b'x' => MetaKind::Records,
            b'g' => MetaKind::GlobalRecords,
            b'L' => MetaKind::LongName,
            b'K' => MetaKind::LongLink,
            _ => return self.file(visitor),
        };
        // A record that is too long is only known to be there once it came, as with any other.
        let (kind, left) = match size {
            0..=META_LIMIT => (kind, size as u32),
            _ => (MetaKind::TooLong { size }, META_LIMIT as u32 + 1),
        };
        self.meta.clear();
        self.state = State::Meta {
            kind,
            left,
            padding: padding(size),
        };
        if size == 0 {
            self.end_meta(visitor)?;
        }
        Ok(())
    }

    /// A meta entry's data is complete: it overrides what follows, and the later one of its kind wins.
    fn end_meta(&mut self, visitor: &mut impl Visitor) -> Result<(), Error> {
        let State::Meta { kind, padding, .. } = self.state else {
            return Ok(());
        };
        match kind {
            MetaKind::Records => self.records.read(&self.meta).map_err(|what| self.invalid(what))?,
            MetaKind::LongName => self.long_name = c_string(&self.meta).to_vec(),
            MetaKind::LongLink => self.long_link = c_string(&self.meta).to_vec(),
            MetaKind::TooLong { size } => {
                return Err(Error::TarRecordTooLong {
                    offset: self.position,
                    size,
                    limit: META_LIMIT,
                });
            }
            MetaKind::GlobalRecords => {
                // Told as an entry of its own: nobody here applies it to the entries after it.
                self.records.read(&self.meta).map_err(|what| self.invalid(what))?;
                self.tell(0, false, visitor);
            }
        }
        self.state = State::after_data(padding);
        Ok(())
    }

    /// An entry proper: overrides are applied, then its data or its sparse map comes.
    fn file(&mut self, visitor: &mut impl Visitor) -> Result<(), Error> {
        self.records
            .apply(&mut self.fields)
            .map_err(|what| self.invalid(what))?;
        if !self.long_name.is_empty() {
            self.fields.name = mem::take(&mut self.long_name);
        }
        if !self.long_link.is_empty() {
            self.fields.link_name = mem::take(&mut self.long_link);
        }
        if self.fields.type_flag == 0 {
            let directory = self.fields.name.last() == Some(&b'/');
            self.fields.type_flag = if directory { b'5' } else { b'0' };
        }
        let data = self.data_size()?;
        if self.fields.type_flag == b'S' {
            if self.fields.dialect != Dialect::Gnu {
                return Err(self.invalid("a sparse entry without a GNU header"));
            }
            let size = super::number::numeric(&self.block[483..495])
                .ok_or_else(|| self.invalid("the real size is not a number"))?;
            let progress = self.old_map.header(&self.block, size);
            return self.old_map_block(progress, size, data, visitor);
        }
        let encoding = PaxEncoding::of(&self.records);
        if encoding == PaxEncoding::None {
            self.tell(self.fields.size, false, visitor);
            self.begin_data(data);
            return Ok(());
        }
        let name = self.records.get(b"GNU.sparse.name");
        if !name.is_empty() {
            self.fields.name = name.to_vec();
        }
        let size = sparse::real_size(&self.records).map_err(|fault| self.map_fault(fault))?;
        let size = size.unwrap_or(self.fields.size);
        if encoding == PaxEncoding::Data {
            self.data_map = DataMap::default();
            return self.expect_data_map(size, data);
        }
        if is_header_only(self.fields.type_flag) {
            return Err(self.invalid("an entry without data has a sparse map"));
        }
        sparse::check_records(&self.records, size).map_err(|fault| self.map_fault(fault))?;
        self.tell(size, true, visitor);
        self.begin_data(data);
        Ok(())
    }

    fn old_map_block(
        &mut self,
        progress: Result<Progress, MapFault>,
        size: i64,
        data: u64,
        visitor: &mut impl Visitor,
    ) -> Result<(), Error> {
        match progress.map_err(|fault| self.map_fault(fault))? {
            Progress::More => self.state = State::OldMap { size, data },
            Progress::Done => {
                self.tell(size, true, visitor);
                self.begin_data(data);
            }
        }
        Ok(())
    }

    /// The map is part of the data, so it must not end before the map does.
    fn expect_data_map(&mut self, size: i64, left: u64) -> Result<(), Error> {
        if left < BLOCK as u64 {
            return Err(Error::TarTruncated {
                offset: self.position,
                inside: "a sparse map",
            });
        }
        self.state = State::DataMap { size, left };
        Ok(())
    }

    /// How much data follows the header.
    fn data_size(&self) -> Result<u64, Error> {
        if is_header_only(self.fields.type_flag) {
            return Ok(0);
        }
        u64::try_from(self.fields.size).map_err(|_| self.invalid("the size is negative"))
    }

    fn tell(&mut self, size: i64, sparse: bool, visitor: &mut impl Visitor) {
        let fields = &self.fields;
        visitor.entry(&Entry {
            type_flag: fields.type_flag,
            name: &fields.name,
            link_name: &fields.link_name,
            data_offset: self.position,
            size,
            mode: fields.mode,
            uid: fields.uid,
            gid: fields.gid,
            user_name: &fields.user_name,
            group_name: &fields.group_name,
            modified: fields.modified,
            device_major: fields.device_major,
            device_minor: fields.device_minor,
            sparse,
            records: &self.records,
        });
        self.records.clear();
        self.long_name.clear();
        self.long_link.clear();
    }

    /// The padding is that of the whole data: a sparse map in front of it takes whole blocks.
    fn begin_data(&mut self, left: u64) {
        self.state = match left {
            0 => State::Header,
            _ => State::Data {
                left,
                padding: padding(left),
            },
        };
    }

    fn invalid(&self, what: &'static str) -> Error {
        Error::TarHeader {
            offset: self.position,
            what,
        }
    }

    fn map_fault(&self, fault: MapFault) -> Error {
        match fault {
            MapFault::Invalid => self.invalid("the sparse map is wrong"),
            MapFault::TooLong => Error::SparseMapTooLong {
                offset: self.position,
            },
        }
    }
}

impl Default for Walker {
    fn default() -> Self {
        Walker::new()
    }
}

/// What the next bytes are.
#[derive(Debug)]
enum State {
    Header,
    SecondZeroBlock,
    Meta {
        kind: MetaKind,
        left: u32,
        padding: u16,
    },
    /// Extension blocks of an old GNU sparse header; `data` bytes follow them.
    OldMap {
        size: i64,
        data: u64,
    },
    /// Blocks of a map in front of the data; `left` bytes of data, the map included, follow.
    DataMap {
        size: i64,
        left: u64,
    },
    Data {
        left: u64,
        padding: u16,
    },
    Padding {
        left: u16,
    },
    Ended,
    /// By an error.
    Stopped,
}

impl State {
    fn after_data(padding: u16) -> State {
        match padding {
            0 => State::Header,
            left => State::Padding { left },
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum MetaKind {
    Records,
    GlobalRecords,
    LongName,
    LongLink,
    TooLong { size: u64 },
}

/// The most that a meta entry may hold: what Go and libarchive accept.
const META_LIMIT: u64 = 1 << 20;

fn padding(size: u64) -> u16 {
    (size.wrapping_neg() % BLOCK as u64) as u16
}
