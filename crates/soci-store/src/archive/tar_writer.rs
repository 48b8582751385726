//! Tar entries of an archive that we write: files with fixed metadata, so that equal images give equal bytes.
//!
//! Every entry has mode 0644, owner 0, time 0. A file of 8 GiB or more does not fit the octal size field; a PAX
//! header with its `size` stands before it, as Go's writer does it.

use super::tar_reader::BLOCK;

/// The largest size of eleven octal digits.
const OCTAL_LIMIT: u64 = 0o777_7777_7777;

/// The longest name of a plain header.
const NAME_LIMIT: usize = 100;

/// What stands before the contents of a file: one block, or three with a PAX header.
pub(crate) fn file_header(name: &str, size: u64) -> Vec<u8> {
    let mut records = String::new();
    // The names of sha512 blobs have 141 bytes with no slash where the ustar prefix could end.
    if name.len() > NAME_LIMIT {
        records += &pax_record("path", name);
    }
    if size > OCTAL_LIMIT {
        records += &pax_record("size", &size.to_string());
    }
    let mut bytes = Vec::with_capacity(3 * BLOCK as usize);
    if !records.is_empty() {
        bytes.extend(block("PaxHeaders.0/blob", records.len() as u64, b'x'));
        bytes.extend(records.as_bytes());
        bytes.extend(padding(records.len() as u64));
    }
    let plain_size = if size > OCTAL_LIMIT { 0 } else { size };
    bytes.extend(block(&name[..name.len().min(NAME_LIMIT)], plain_size, b'0'));
    bytes
}

/// Zeros between the end of a file's contents and the next header.
pub(crate) fn padding(size: u64) -> &'static [u8] {
    const ZEROS: [u8; BLOCK as usize] = [0; BLOCK as usize];
    let over = (size % BLOCK) as usize;
    if over == 0 { &[] } else { &ZEROS[over..] }
}

/// The end-of-archive mark.
pub(crate) const END: [u8; 2 * BLOCK as usize] = [0; 2 * BLOCK as usize];

/// `length key=value\n` where length counts its own digits.
fn pax_record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}

fn block(name: &str, size: u64, kind: u8) -> [u8; BLOCK as usize] {
    let mut block = [0; BLOCK as usize];
    let mut put = |offset: usize, text: &[u8]| block[offset..offset + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn read_back(name: &str, size: u64) -> (String, u64) {
        let header = file_header(name, size);
        let mut archive = tar::Archive::new(&header[..]);
        let entry = archive
            .entries()
            .expect("reads")
            .next()
            .expect("one entry")
            .expect("reads");
        (entry.path().expect("a name").display().to_string(), entry.size())
    }

    #[test]
    fn the_tar_crate_reads_short_and_long_names_and_sizes() {
        let long = format!("blobs/sha512/{}", "a".repeat(128));
        for name in ["index.json", long.as_str()] {
            for size in [0, 1, 511, 512, OCTAL_LIMIT, OCTAL_LIMIT + 1, 9_999_999_999] {
                assert_eq!(read_back(name, size), (name.to_string(), size));
            }
        }
    }

    #[test]
    fn our_reader_reads_what_we_write() {
        use crate::archive::tar_reader::{Input, Kind, TarReader};
        struct Memory<'a>(&'a [u8]);
        impl Read for Memory<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                self.0.read(buffer)
            }
        }
        impl Input for Memory<'_> {
            fn skip(&mut self, count: u64) -> std::io::Result<()> {
                let count = usize::try_from(count).expect("small");
                self.0 = self.0.get(count..).ok_or(std::io::ErrorKind::UnexpectedEof)?;
                Ok(())
            }
        }
        let long = format!("blobs/sha512/{}", "a".repeat(128));
        let mut bytes = file_header(&long, 3);
        bytes.extend(b"abc");
        bytes.extend(padding(3));
        bytes.extend(file_header("index.json", 0));
        bytes.extend(END);
        let mut reader = TarReader::new(Memory(&bytes));
        let entry = reader.next().expect("reads").expect("an entry");
        assert_eq!(
            (entry.name.as_str(), entry.size, &entry.kind),
            (long.as_str(), 3, &Kind::File)
        );
        assert_eq!(
            &bytes[usize::try_from(entry.offset).expect("small")..][..3],
            b"abc"
        );
        assert_eq!(
            reader.next().expect("reads").expect("an entry").name,
            "index.json"
        );
        assert!(reader.next().expect("reads").is_none());
    }

    #[test]
    fn pax_records_count_their_own_digits() {
        assert_eq!(pax_record("size", "9999999"), "16 size=9999999\n");
        assert_eq!(pax_record("a", "bcd"), "8 a=bcd\n");
        assert_eq!(pax_record("path", &"x".repeat(89)).len(), 98);
        assert_eq!(pax_record("path", &"x".repeat(91)).len(), 101);
    }
}
