//! Files of the user that are replaced as a whole: what was there stays until all of the new is on the disk.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Replaces a file, or makes it, keeping its permissions. The new content lies beside it until then.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).map_or(0o644, |metadata| metadata.permissions().mode());
        file.permissions(fs::Permissions::from_mode(mode));
    }
    let mut file = file.prefix(".cargo-soci-").tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
