//! A layer that belongs to no image, and a blob by itself.

use std::path::Path;
use std::sync::Arc;

use soci_image::index::Index;
use soci_image::media_type::{OCI_CONFIG, OCI_INDEX, OCI_MANIFEST};
use soci_image::{Descriptor, Digest, Json};

use super::docker_archive::{MANIFEST_FILE, json};
use super::table::{GivenFile, Table};
use super::{ArchiveSource, media_type_of};
use crate::Result;
use crate::blob::{FileBlob, ReadAt, io_error};
use crate::layout::{INDEX_FILE, blob_name};

/// Read at once while a layer is hashed.
const PIECE: usize = 1 << 18;

impl ArchiveSource {
    /// What a file of `size` bytes holds: an archive of images, or else one layer, whatever its compression, seen as the
    /// only one of an image without a name and with an empty config. A layer is read once for its digest; `progress` is
    /// told how many bytes of it.
    ///
    /// # Errors
    /// If the file cannot be read, or is an archive that is damaged.
    pub fn image_or_layer(
        name: &str,
        file: Arc<dyn ReadAt>,
        size: u64,
        progress: &dyn Fn(u64),
    ) -> Result<(Self, Holds)> {
        let never = std::sync::atomic::AtomicBool::new(false);
        let is_packed = !media_type_of(&head(name, &file)?).ends_with(".tar");
        if !is_packed
            // What this strict reader refuses may still be a layer: the walker of layers then says what is wrong with it.
            && let Ok(table) = Table::in_place(name.to_owned(), Arc::clone(&file), size, &never)
            && (table.has(INDEX_FILE) || table.has(MANIFEST_FILE))
        {
            return Ok((Self::read(table)?, Holds::Images));
        }
        Ok((Self::layer(name, file, size, progress)?, Holds::Layer))
    }

    fn layer(name: &str, file: Arc<dyn ReadAt>, size: u64, progress: &dyn Fn(u64)) -> Result<Self> {
        let media_type = media_type_of(&head(name, &file)?);
        let mut blob = FileBlob::new(Arc::clone(&file), Path::new(name).into(), 0, size);
        let mut hasher = Digest::hasher();
        let mut buffer = vec![0; PIECE];
        loop {
            match blob.read_now(&mut buffer)? {
                0 => break,
                count => {
                    hasher.update(&buffer[..count]);
                    progress(count as u64);
                }
            }
        }
        let layer = Descriptor::new(media_type, hasher.finish(), size);
        let config =
            br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#.to_vec();
        let manifest = Json::Object(vec![
            ("schemaVersion".to_owned(), Json::from(2)),
            ("mediaType".to_owned(), Json::from(OCI_MANIFEST)),
            ("config".to_owned(), json(&Descriptor::of(OCI_CONFIG, &config))),
            ("layers".to_owned(), Json::Array(vec![json(&layer)])),
        ])
        .to_vec();
        let index = Index::of(OCI_INDEX, vec![Descriptor::of(OCI_MANIFEST, &manifest)]).to_vec();
        let document = |path: String, bytes: Vec<u8>| GivenFile {
            path,
            size: bytes.len() as u64,
            bytes: Arc::new(bytes),
        };
        Self::folder(
            name,
            vec![
                document(INDEX_FILE.to_owned(), index),
                document(blob_name(&Digest::sha256(&manifest)), manifest),
                document(blob_name(&Digest::sha256(&config)), config),
                GivenFile {
                    path: blob_name(&layer.digest),
                    bytes: file,
                    size,
                },
            ],
        )
    }

    /// A place that has this one blob and no image.
    ///
    /// # Errors
    /// None.
    pub fn blob(name: &str, blob: &Descriptor, bytes: Arc<dyn ReadAt>, size: u64) -> Result<Self> {
        let index = Index::of(OCI_INDEX, Vec::new()).to_vec();
        let list = GivenFile {
            path: INDEX_FILE.to_owned(),
            size: index.len() as u64,
            bytes: Arc::new(index),
        };
        let path = blob_name(&blob.digest);
        Self::folder(name, vec![list, GivenFile { path, bytes, size }])
    }
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// An archive of images.
    Images,
    /// One layer.
    Layer,
}

fn head(name: &str, file: &Arc<dyn ReadAt>) -> Result<[u8; 4]> {
    let mut magic = [0; 4];
    file.read_at(&mut magic, 0)
        .map_err(|source| io_error("read", Path::new(name), source))?;
    Ok(magic)
}
