//! Images of any size, of which nothing is kept: each byte of a layer is made when it is read.
//!
//! ```text
//! gzip member = header, then for each file  stored block (tar header) | deflated text, ended by a full flush
//!               then a stored block (end of the tar), CRC-32, size
//! ```
//!
//! The text is compressed once. Every file holds it, under another name, so that layers differ and any byte is found by
//! counting. As a reader sees it, it is one ordinary gzip member.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::thread;

use flate2::{Compress, Compression, Crc, FlushCompress};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::images::MANIFEST;
use crate::registry::{RepositoryContent, digest_of_hash};

/// What each file holds, a multiple of the tar's blocks.
const FILE: usize = 256 << 10;

/// A tar's header, and the unit of its end.
const BLOCK: usize = 512;

/// The header of a gzip member without name and time.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// A layer of files with the same text.
#[derive(Debug, PartialEq, Eq)]
pub struct GeneratedLayer {
    /// Tells layers of an image apart.
    number: usize,
    files: u64,
    digest: String,
    diff_id: String,
    crc: u32,
}

/// An image of linux/amd64 with generated layers.
pub struct GeneratedImage {
    layers: Vec<Arc<GeneratedLayer>>,
}

impl GeneratedImage {
    /// An image with layers of about these sizes as they are stored.
    pub fn new(sizes: &[u64]) -> Self {
        // Every byte is hashed twice here, stored and unpacked: on as many threads as there are hashes.
        let layers = thread::scope(|scope| {
            let threads: Vec<_> = sizes
                .iter()
                .enumerate()
                .map(|(number, size)| scope.spawn(move || Arc::new(GeneratedLayer::new(number, *size))))
                .collect();
            let layers = threads.into_iter().map(|thread| thread.join());
            layers
                .map(|layer| layer.expect("hashing does not fail"))
                .collect()
        });
        Self { layers }
    }

    /// Bytes of all layers as they are stored.
    pub fn size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.size()).sum()
    }

    /// Bytes of all layers as tars.
    pub fn unpacked_size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.unpacked_size()).sum()
    }

    /// Puts the image into a repository under a tag and gives its digest.
    pub fn store(&self, content: &mut RepositoryContent, tag: &str) -> String {
        let diff_ids: Vec<&str> = self.layers.iter().map(|layer| &*layer.diff_id).collect();
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let config = config.to_string();
        let config_digest = content.add_blob(config.as_bytes());
        let layers: Vec<_> = (self.layers.iter())
            .map(|layer| {
                let layer = Arc::clone(layer);
                let descriptor = json!({
                    "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                    "digest": layer.digest, "size": layer.size(),
                });
                content.generated.insert(layer.digest.clone(), layer);
                descriptor
            })
            .collect();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": config_digest, "size": config.len(),
            },
            "layers": layers,
        });
        let digest = content.add_manifest(MANIFEST, manifest.to_string().as_bytes());
        content.tags.insert(tag.to_owned(), digest.clone());
        digest
    }
}

impl GeneratedLayer {
    fn new(number: usize, size: u64) -> Self {
        let text = Text::get();
        let mut layer = Self {
            number,
            files: (size / text.entry_size()).max(1),
            digest: String::new(),
            diff_id: String::new(),
            crc: 0,
        };
        let mut of_file = Crc::new();
        of_file.update(&text.plain);
        let (diff_id, crc) = thread::scope(|scope| {
            let layer = &layer;
            let hashing = scope.spawn(|| {
                let mut hash = Sha256::new();
                for file in 0..layer.files {
                    hash.update(layer.header(file));
                    hash.update(&text.plain);
                }
                hash.update([0; 2 * BLOCK]);
                digest_of_hash(hash)
            });
            let mut crc = Crc::new();
            for file in 0..layer.files {
                crc.update(&layer.header(file));
                crc.combine(&of_file);
            }
            crc.update(&[0; 2 * BLOCK]);
            (hashing.join().expect("hashing does not fail"), crc.sum())
        });
        (layer.diff_id, layer.crc) = (diff_id, crc);
        let mut hash = Hashed(Sha256::new());
        layer
            .write(0..layer.size(), &mut hash)
            .expect("a hash takes all bytes");
        layer.digest = digest_of_hash(hash.0);
        layer
    }

    /// Its size as it is stored.
    pub fn size(&self) -> u64 {
        GZIP_HEADER.len() as u64 + self.files * Text::get().entry_size() + self.end().len() as u64
    }

    /// The size of its tar.
    pub fn unpacked_size(&self) -> u64 {
        self.files * (BLOCK + FILE) as u64 + 2 * BLOCK as u64
    }

    /// Writes a part of what is stored.
    pub fn write(&self, range: Range<u64>, to: &mut impl Write) -> io::Result<()> {
        let text = Text::get();
        let (head, entry) = (GZIP_HEADER.len() as u64, text.entry_size());
        let end = head + self.files * entry;
        let mut at = range.start;
        let mut put = |from: u64, bytes: &[u8]| -> io::Result<u64> {
            let until = range.end.min(from + bytes.len() as u64);
            if at < until {
                to.write_all(&bytes[(at - from) as usize..(until - from) as usize])?;
                at = until;
            }
            Ok(at)
        };
        let mut next = put(0, &GZIP_HEADER)?;
        while next < range.end.min(end) {
            let file = (next - head) / entry;
            let from = head + file * entry;
            let header = stored(false, &self.header(file));
            put(from, &header)?;
            next = put(from + header.len() as u64, &text.deflated)?;
        }
        put(end, &self.end()).map(drop)
    }

    /// The end of the tar and of the gzip member.
    fn end(&self) -> Vec<u8> {
        let mut end = stored(true, &[0; 2 * BLOCK]);
        end.extend(self.crc.to_le_bytes());
        // Modulo 2^32, as RFC 1952 wants it.
        end.extend((self.unpacked_size() as u32).to_le_bytes());
        end
    }

    fn header(&self, file: u64) -> [u8; BLOCK] {
        let mut header = tar::Header::new_ustar();
        header
            .set_path(format!("layer{}/{}/{file}.txt", self.number, file / 1000))
            .expect("a short name");
        header.set_size(FILE as u64);
        header.set_mode(0o644);
        header.set_mtime(1_700_000_000);
        header.set_cksum();
        *header.as_bytes()
    }
}

/// The text of every file, and what deflate makes of it.
struct Text {
    plain: Vec<u8>,
    deflated: Vec<u8>,
}

impl Text {
    fn get() -> &'static Self {
        static TEXT: OnceLock<Text> = OnceLock::new();
        TEXT.get_or_init(Self::new)
    }

    /// Words in a random order, which deflate makes a third of.
    fn new() -> Self {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut random = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 16) % below
        };
        let words: Vec<Vec<u8>> = (0..WORDS)
            .map(|_| {
                let length = 3 + random(8);
                (0..length).map(|_| b'a' + random(26) as u8).collect()
            })
            .collect();
        let mut plain = Vec::with_capacity(FILE + 16);
        while plain.len() < FILE {
            // Some words come more often than others.
            let word = random(WORDS).min(random(WORDS));
            plain.extend(&words[word as usize]);
            plain.push(if random(12) == 0 { b'\n' } else { b' ' });
        }
        plain.truncate(FILE);
        let mut deflated = Vec::with_capacity(FILE);
        Compress::new(Compression::default(), false)
            .compress_vec(&plain, &mut deflated, FlushCompress::Full)
            .expect("a buffer that is large enough");
        Self { plain, deflated }
    }

    /// Bytes that a file takes in a layer.
    fn entry_size(&self) -> u64 {
        (STORED_HEADER + BLOCK + self.deflated.len()) as u64
    }
}

const WORDS: u64 = 2000;

/// What stands before the bytes of a stored block.
const STORED_HEADER: usize = 5;

/// A stored block of deflate, which begins at a byte (RFC 1951, 3.2.4).
fn stored(is_last: bool, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a short block");
    let mut block = vec![u8::from(is_last)];
    block.extend(length.to_le_bytes());
    block.extend((!length).to_le_bytes());
    block.extend(bytes);
    block
}

/// Bytes that are hashed and forgotten.
struct Hashed(Sha256);

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::registry::digest_of;

    #[test]
    fn a_layer_is_one_gzip_member_of_a_tar_with_the_digests_it_says() {
        let layer = GeneratedLayer::new(3, 700_000);
        let mut bytes = Vec::new();
        layer
            .write(0..layer.size(), &mut bytes)
            .expect("memory takes all");
        assert_eq!(
            (bytes.len() as u64, digest_of(&bytes)),
            (layer.size(), layer.digest.clone())
        );
        let mut tar = Vec::new();
        let mut decoder = flate2::bufread::GzDecoder::new(&bytes[..]);
        decoder.read_to_end(&mut tar).expect("a good member");
        assert!(decoder.into_inner().is_empty(), "nothing follows the member");
        assert_eq!(
            (tar.len() as u64, digest_of(&tar)),
            (layer.unpacked_size(), layer.diff_id.clone())
        );
        let mut archive = tar::Archive::new(&tar[..]);
        let files = archive
            .entries()
            .expect("a tar")
            .map(|entry| entry.expect("an entry").size());
        assert_eq!(files.collect::<Vec<_>>(), vec![FILE as u64; layer.files as usize]);
        let ratio = tar.len() as f64 / bytes.len() as f64;
        assert!((2.7..3.3).contains(&ratio), "{ratio}");

        // Any part of it is the part of the whole.
        let size = layer.size();
        for range in [
            0..1,
            5..11,
            9..600,
            500..200_000,
            size - 1040..size,
            size - 3..size - 1,
        ] {
            let mut part = Vec::new();
            layer.write(range.clone(), &mut part).expect("memory takes all");
            assert_eq!(part, bytes[range.start as usize..range.end as usize], "{range:?}");
        }
    }
}
