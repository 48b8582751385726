//! Helpers for tests that span crates: the vectors, unpacked once per build folder.

#[cfg(unix)]
pub mod ecr_api;
pub mod generated;
pub mod images;
pub mod lambda;
pub mod registry;
pub mod seeds;
#[cfg(unix)]
pub mod servers;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

/// Layers and the zTOCs that the reference makes of them: `cases.json`, `layers/`.
pub fn ztoc_vectors() -> &'static Path {
    static UNPACKED: OnceLock<PathBuf> = OnceLock::new();
    UNPACKED.get_or_init(|| unpack("ztoc"))
}

/// Images and what the reference's conversion makes of them: `cases.json`, `inputs/`, `outputs/`.
pub fn image_vectors() -> &'static Path {
    static UNPACKED: OnceLock<PathBuf> = OnceLock::new();
    UNPACKED.get_or_init(|| unpack("images"))
}

/// Recorded outputs of docker buildx: `cases.json`, a folder per case.
pub fn buildx_vectors() -> &'static Path {
    static UNPACKED: OnceLock<PathBuf> = OnceLock::new();
    UNPACKED.get_or_init(|| unpack("buildx"))
}

/// Layers and what containerd and the lazy client were seen to make of them: `cases.json`, `layers/`, `implied/`.
pub fn lazy_view_vectors() -> &'static Path {
    static UNPACKED: OnceLock<PathBuf> = OnceLock::new();
    UNPACKED.get_or_init(|| unpack("lazy-view"))
}

/// Block ends of real layers, what a start reads of them, and the cost of the spans an exact search chose: `N.json`.
pub fn shape_vectors() -> &'static Path {
    static UNPACKED: OnceLock<PathBuf> = OnceLock::new();
    UNPACKED.get_or_init(|| unpack("shape"))
}

/// The root folder of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests package lies one level below the root")
        .to_path_buf()
}

/// The build folder that holds the running test binary.
pub fn target_folder() -> PathBuf {
    let binary = std::env::current_exe().expect("a running program has a path");
    // target/<profile>/deps/<binary>
    binary
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").exists())
        .map_or_else(|| repository().join("target"), Path::to_path_buf)
}

/// Unpacks `tests/vectors/NAME.tar.xz`; the folder's name carries the archive's hash, so that a
/// changed archive is never mixed with an old folder.
fn unpack(name: &str) -> PathBuf {
    let archive = repository().join(format!("tests/vectors/{name}.tar.xz"));
    let packed =
        fs::read(&archive).unwrap_or_else(|error| panic!("cannot read {}: {error}", archive.display()));
    let hash = Sha256::digest(&packed);
    let vectors = target_folder().join("vectors");
    let folder = vectors.join(format!(
        "{name}-{:02x}{:02x}{:02x}{:02x}",
        hash[0], hash[1], hash[2], hash[3]
    ));
    if !folder.exists() {
        fs::create_dir_all(&vectors).expect("the build folder is writable");
        let fresh = tempfile::tempdir_in(&vectors).expect("the build folder is writable");
        let reader = lzma_rust2::XzReader::new(&packed[..], true);
        tar::Archive::new(reader)
            .unpack(fresh.path())
            .unwrap_or_else(|error| panic!("cannot unpack {}: {error}", archive.display()));
        // Another test process may have been faster; its folder is as good.
        if fs::rename(fresh.path(), &folder).is_ok() {
            let _ = fresh.keep();
        }
    }
    assert!(folder.exists(), "{} was not unpacked", folder.display());
    folder.join(name)
}
