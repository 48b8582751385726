//! gzip member headers (RFC 1952, 2.3), read byte by byte: extra fields and names have no bound.

use super::error::InflateError;

/// A header that is being read.
pub(super) struct MemberHeader {
    part: Part,
    flags: u8,
    crc: crc32fast::Hasher,
    /// Bytes of the current part still to come, or how many there were (names).
    count: usize,
    /// A 16-bit number that is being read.
    number: u16,
    /// A name or comment over 511 bytes was read.
    pub(super) long_field: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Magic,
    Method,
    Flags,
    /// Time, extra flags, operating system.
    Fixed,
    ExtraLength,
    Extra,
    Name,
    Comment,
    Crc,
    Done,
}

const FHCRC: u8 = 1 << 1;
const FEXTRA: u8 = 1 << 2;
const FNAME: u8 = 1 << 3;
const FCOMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// Longest name that Go's gzip reader takes.
const LONGEST_NAME: usize = 511;

impl MemberHeader {
    pub(super) fn new() -> Self {
        MemberHeader {
            part: Part::Magic,
            flags: 0,
            crc: crc32fast::Hasher::new(),
            count: 2,
            number: 0,
            long_field: false,
        }
    }

    /// Whether no byte was read yet.
    pub(super) fn is_new(&self) -> bool {
        self.part == Part::Magic && self.count == 2
    }

    pub(super) fn is_done(&self) -> bool {
        self.part == Part::Done
    }

    /// Reads on in `bytes`, which lie at `offset` in the stream. Returns how many belong to the header.
    pub(super) fn read(&mut self, bytes: &[u8], offset: u64) -> Result<usize, InflateError> {
        let mut at = 0;
        while self.part != Part::Done && at < bytes.len() {
            let used = self.step(&bytes[at..], offset + at as u64)?;
            at += used;
        }
        Ok(at)
    }

    /// Reads at least one byte of the current part, and goes to the next one if that ends it.
    fn step(&mut self, bytes: &[u8], offset: u64) -> Result<usize, InflateError> {
        let byte = bytes[0];
        let mut used = 1;
        let mut ended = true;
        match self.part {
            Part::Magic => {
                let expected = if self.count == 2 { 0x1f } else { 0x8b };
                if byte != expected {
                    let offset = offset - (2 - self.count as u64);
                    return Err(match offset {
                        0 => InflateError::NotGzip,
                        _ => InflateError::TrailingData { offset },
                    });
                }
                self.count -= 1;
                ended = self.count == 0;
            }
            Part::Method => {
                if byte != 8 {
                    return Err(InflateError::UnknownMethod { offset, method: byte });
                }
            }
            Part::Flags => {
                if byte & RESERVED != 0 {
                    return Err(InflateError::ReservedFlags { offset, flags: byte });
                }
                self.flags = byte;
            }
            Part::Fixed | Part::Extra => {
                used = bytes.len().min(self.count);
                self.count -= used;
                ended = self.count == 0;
            }
            Part::ExtraLength | Part::Crc => {
                self.number = self.number >> 8 | u16::from(byte) << 8;
                self.count -= 1;
                ended = self.count == 0;
            }
            Part::Name | Part::Comment => {
                let end = bytes.iter().position(|&byte| byte == 0);
                self.count = self.count.saturating_add(end.unwrap_or(bytes.len()));
                self.long_field |= self.count > LONGEST_NAME;
                ended = end.is_some();
                used = end.map_or(bytes.len(), |end| end + 1);
            }
            Part::Done => unreachable!("a finished header reads no more"),
        }
        if self.part != Part::Crc {
            self.crc.update(&bytes[..used]);
        }
        if ended {
            self.next_part(offset + used as u64)?;
        }
        Ok(used)
    }

    /// Goes to the next part that this header has. `offset` is after the part that ended.
    fn next_part(&mut self, offset: u64) -> Result<(), InflateError> {
        loop {
            self.part = match self.part {
                Part::Magic => Part::Method,
                Part::Method => Part::Flags,
                Part::Flags => Part::Fixed,
                Part::Fixed => Part::ExtraLength,
                Part::ExtraLength => Part::Extra,
                Part::Extra => Part::Name,
                Part::Name => Part::Comment,
                Part::Comment => Part::Crc,
                Part::Crc => Part::Done,
                Part::Done => return Ok(()),
            };
            let (there, count) = match self.part {
                Part::Fixed => (true, 6),
                Part::ExtraLength => (self.flags & FEXTRA != 0, 2),
                Part::Extra => {
                    let length = usize::from(self.number);
                    (self.flags & FEXTRA != 0 && length > 0, length)
                }
                Part::Name => (self.flags & FNAME != 0, 0),
                Part::Comment => (self.flags & FCOMMENT != 0, 0),
                Part::Crc => (self.flags & FHCRC != 0, 2),
                Part::Done => {
                    if self.flags & FHCRC != 0 {
                        self.check_crc(offset)?;
                    }
                    (true, 0)
                }
                Part::Magic | Part::Method | Part::Flags => (true, 0),
            };
            if there {
                self.count = count;
                return Ok(());
            }
        }
    }

    fn check_crc(&self, offset: u64) -> Result<(), InflateError> {
        let computed = self.crc.clone().finalize() as u16;
        let stored = self.number;
        if stored == computed {
            Ok(())
        } else {
            Err(InflateError::HeaderCrc {
                offset,
                stored,
                computed,
            })
        }
    }
}
