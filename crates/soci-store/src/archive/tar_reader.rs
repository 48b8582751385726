//! The entries of an image archive: names, kinds, sizes and where their contents lie.
//!
//! This is the tar *around* an image, read to find its files, so it is stricter than the walker of layers in
//! `soci-ztoc`, which has to agree with Go's reader byte for byte: what no image tool writes (sparse files,
//! negative sizes, names that climb out) is refused here. The input is read front to back; whoever has a file
//! skips contents by seeking.
//!
//! ```text
//! header, 512 bytes (POSIX ustar)          extension headers, contents in the blocks that follow
//!   0  100  name                             x   PAX records for the next entry: path, linkpath, size
//! 124   12  size, octal or base-256          g   PAX records for all that follow: skipped, none may be named size
//! 148    8  checksum                         L K GNU long name, long link name of the next entry
//! 156    1  type
//! 157  100  link name
//! 257    6  "ustar"
//! 345  155  name prefix
//! ```

use std::io::{self, Read};

/// Size of a tar block.
pub(crate) const BLOCK: u64 = 512;
/// Names longer than this are refused; the longest that an image needs has 140 bytes.
const NAME_LIMIT: usize = 4096;
/// PAX records and GNU long names are at most this long.
const EXTENSION_LIMIT: u64 = 1 << 20;
/// Archives with more entries than this are refused: the table of entries is kept in memory.
const ENTRY_LIMIT: usize = 1 << 20;

/// What an archive is read from.
pub(crate) trait Input: Read {
    /// Passes over bytes; an input that ends before is an `UnexpectedEof` error.
    fn skip(&mut self, count: u64) -> io::Result<()>;
}

/// One entry, its contents not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The name with `./` and repeated slashes removed.
    pub(crate) name: String,
    /// What it is.
    pub(crate) kind: Kind,
    /// Length of its contents.
    pub(crate) size: u64,
    /// Where its contents begin.
    pub(crate) offset: u64,
}

/// Kinds of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A second name for another entry, which is named from the top of the archive; the target as written.
    HardLink(String),
    /// A link whose target is named from the folder that it lies in; the target as written.
    SymbolicLink(String),
    /// A device, a FIFO, a sparse file …: nothing that an image archive has.
    Other(u8),
}

/// Why an archive cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TarError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it is not a tar archive")]
    NotTar,
    #[error("it is cut off {0}")]
    CutOff(&'static str),
    #[error("the tar header at offset {offset} is damaged: {problem}")]
    Header { offset: u64, problem: &'static str },
    #[error("it has more than {ENTRY_LIMIT} entries")]
    TooManyEntries,
}

/// Reads the entries of an archive one after another.
pub(crate) struct TarReader<I> {
    input: I,
    /// Where the input stands.
    position: u64,
    /// Bytes of the current entry that were not read yet, without and with its padding.
    left: u64,
    left_padded: u64,
    entries: usize,
}

impl<I: Input> TarReader<I> {
    pub(crate) fn new(input: I) -> Self {
        Self {
            input,
            position: 0,
            left: 0,
            left_padded: 0,
            entries: 0,
        }
    }

    /// The next entry; `None` at the end-of-archive mark. An input that ends without one is cut off.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, TarError> {
        let mut long_name = None;
        let mut long_link = None;
        let mut pax_size = None;
        loop {
            self.skip_rest()?;
            self.entries += 1;
            if self.entries > ENTRY_LIMIT {
                return Err(TarError::TooManyEntries);
            }
            let offset = self.position;
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            let damaged = |problem| TarError::Header { offset, problem };
            let size = header.size().map_err(damaged)?;
            match header.kind() {
                b'x' => {
                    let records = self.extension(offset, size)?;
                    for (key, value) in pax_records(&records).map_err(damaged)? {
                        match key {
                            b"path" => long_name = Some(text(value).map_err(damaged)?),
                            b"linkpath" => long_link = Some(text(value).map_err(damaged)?),
                            b"size" => {
                                pax_size =
                                    Some(decimal(value).ok_or(damaged("its PAX size is not a number"))?)
                            }
                            key if key.starts_with(b"GNU.sparse.") => {
                                return Err(damaged(
                                    "it announces a sparse file, which no image archive has",
                                ));
                            }
                            _ => {}
                        }
                    }
                }
                b'g' => {
                    let records = self.extension(offset, size)?;
                    let records = pax_records(&records).map_err(damaged)?;
                    if records
                        .iter()
                        .any(|(key, _)| matches!(*key, b"size" | b"path" | b"linkpath"))
                    {
                        return Err(damaged("a global PAX header sets names or sizes"));
                    }
                }
                b'L' => long_name = Some(text(&self.extension(offset, size)?).map_err(damaged)?),
                b'K' => long_link = Some(text(&self.extension(offset, size)?).map_err(damaged)?),
                kind => {
                    let size = pax_size.unwrap_or(size);
                    let name = match long_name.take() {
                        Some(name) => name,
                        None => header.name().map_err(damaged)?,
                    };
                    let link = match long_link.take() {
                        Some(link) => link,
                        None => text(header.link()).map_err(damaged)?,
                    };
                    let kind = match kind {
                        b'0' | 0 | b'7' if name.ends_with('/') => Kind::Folder,
                        b'0' | 0 | b'7' => Kind::File,
                        b'5' => Kind::Folder,
                        b'1' => Kind::HardLink(link),
                        b'2' => Kind::SymbolicLink(link),
                        other => Kind::Other(other),
                    };
                    // Only files have contents; some writers leave a size in the headers of links.
                    let size = if matches!(kind, Kind::File | Kind::Other(_)) {
                        size
                    } else {
                        0
                    };
                    self.left = size;
                    self.left_padded = size
                        .checked_next_multiple_of(BLOCK)
                        .ok_or(damaged("its size is impossible"))?;
                    self.position
                        .checked_add(self.left_padded)
                        .ok_or(damaged("its size is impossible"))?;
                    let name = clean(&name).ok_or(damaged("its name climbs out of the archive"))?;
                    return Ok(Some(Entry {
                        name,
                        kind,
                        size,
                        offset: self.position,
                    }));
                }
            }
        }
    }

    /// Reads contents of the current entry: 0 at their end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, TarError> {
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let count = loop {
            match self.input.read(&mut buffer[..wanted]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        if count == 0 {
            return Err(TarError::CutOff("inside a file"));
        }
        self.position += count as u64;
        self.left -= count as u64;
        self.left_padded -= count as u64;
        Ok(count)
    }

    /// Reads what follows the end mark, so that the writer of a pipe is not cut off and a gzip checksum is
    /// looked at.
    #[cfg(feature = "native")]
    pub(crate) fn drain(&mut self) -> Result<(), TarError> {
        io::copy(&mut self.input, &mut io::sink())?;
        Ok(())
    }

    fn skip_rest(&mut self) -> Result<(), TarError> {
        self.input
            .skip(self.left_padded)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => TarError::CutOff("inside a file"),
                _ => TarError::Io(error),
            })?;
        self.position += self.left_padded;
        (self.left, self.left_padded) = (0, 0);
        Ok(())
    }

    fn header(&mut self) -> Result<Option<Header>, TarError> {
        let mut bytes = [0; BLOCK as usize];
        let mut filled = 0;
        while filled < bytes.len() {
            match self.input.read(&mut bytes[filled..]) {
                Ok(0) if self.position == 0 => return Err(TarError::NotTar),
                Ok(0) => return Err(TarError::CutOff("before its end mark")),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        let header = Header(bytes);
        let offset = self.position;
        self.position += BLOCK;
        if header.0.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if !header.checksum_fits() {
            return Err(match offset {
                0 => TarError::NotTar,
                _ => TarError::Header {
                    offset,
                    problem: "its checksum is wrong",
                },
            });
        }
        Ok(Some(header))
    }

    fn extension(&mut self, offset: u64, size: u64) -> Result<Vec<u8>, TarError> {
        if size > EXTENSION_LIMIT {
            return Err(TarError::Header {
                offset,
                problem: "its extended header is too long",
            });
        }
        self.left = size;
        self.left_padded = size.next_multiple_of(BLOCK);
        let mut bytes = vec![0; usize::try_from(size).expect("at most EXTENSION_LIMIT")];
        let mut filled = 0;
        while filled < bytes.len() {
            filled += self.read(&mut bytes[filled..])?;
        }
        Ok(bytes)
    }
}

struct Header([u8; BLOCK as usize]);

impl Header {
    fn kind(&self) -> u8 {
        self.0[156]
    }

    fn link(&self) -> &[u8] {
        until_nul(&self.0[157..257])
    }

    fn name(&self) -> Result<String, &'static str> {
        let name = text(until_nul(&self.0[..100]))?;
        // GNU headers ("ustar " with a blank) have times where POSIX has the prefix.
        let prefix = if &self.0[257..263] == b"ustar\0" {
            until_nul(&self.0[345..500])
        } else {
            b""
        };
        if prefix.is_empty() {
            Ok(name)
        } else {
            Ok(format!("{}/{name}", text(prefix)?))
        }
    }

    fn size(&self) -> Result<u64, &'static str> {
        let field = &self.0[124..136];
        if field[0] & 0x80 == 0 {
            return octal(field).ok_or("its size is not an octal number");
        }
        // Base-256, big endian; the top bit marks the form, the next one the sign.
        if field[0] != 0x80 || field[1..4].iter().any(|byte| *byte != 0) {
            return Err("its size is impossible");
        }
        Ok(field[4..]
            .iter()
            .fold(0, |size, byte| size << 8 | u64::from(*byte)))
    }

    fn checksum_fits(&self) -> bool {
        let Some(expected) = octal(&self.0[148..156]) else {
            return false;
        };
        let (mut unsigned, mut signed) = (0_i64, 0_i64);
        for (index, byte) in self.0.iter().enumerate() {
            let byte = if (148..156).contains(&index) { b' ' } else { *byte };
            unsigned += i64::from(byte);
            signed += i64::from(byte.cast_signed());
        }
        i64::try_from(expected).is_ok_and(|expected| expected == unsigned || expected == signed)
    }
}

/// Key and value.
type Record<'a> = (&'a [u8], &'a [u8]);

/// The `length key=value\n` records of a PAX header.
fn pax_records(mut bytes: &[u8]) -> Result<Vec<Record<'_>>, &'static str> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let (record, rest) = pax_record(bytes).ok_or("its PAX records are malformed")?;
        records.push(record);
        bytes = rest;
    }
    Ok(records)
}

fn pax_record(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let blank = bytes.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(&bytes[..blank])?).ok()?;
    let record = bytes.get(blank + 1..length)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some(((&record[..equals], &record[equals + 1..]), &bytes[length..]))
}

/// `a/b` of `./a//b/`; nothing for names that begin at the root or climb.
fn clean(name: &str) -> Option<String> {
    if name.starts_with('/') {
        return None;
    }
    let mut parts = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn text(bytes: &[u8]) -> Result<String, &'static str> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    if bytes.len() > NAME_LIMIT {
        return Err("a name is too long");
    }
    if bytes.contains(&0) {
        return Err("a name holds a NUL byte");
    }
    String::from_utf8(bytes.to_vec()).map_err(|_| "a name is not UTF-8")
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or(field)
}

/// Octal digits between blanks or NULs; an empty field is 0.
fn octal(field: &[u8]) -> Option<u64> {
    let start = field.iter().position(|byte| *byte != b' ').unwrap_or(field.len());
    let digits = field[start..]
        .split(|byte| matches!(byte, b' ' | 0))
        .next()
        .unwrap_or(b"");
    digits.iter().try_fold(0_u64, |value, digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| match digit {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}
