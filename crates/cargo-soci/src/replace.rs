//! Files of the user that are replaced as a whole: what was there stays until all of the new is on the disk.

#[cfg(unix)]
use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Replaces a file, or makes it, keeping its permissions. The new content lies beside it until then.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    // Behind a link the file is replaced, not the link.
    let target = path.canonicalize();
    let path = target.as_deref().unwrap_or(path);
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

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_link_stays_and_so_does_the_mode() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
        symlink("file", &link).expect("a link");
        super::replace(&link, b"new").expect("replaced");
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&file).expect("read"), "new");
        let mode = fs::metadata(&file).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 2);
    }
}
