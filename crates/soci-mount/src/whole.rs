//! An image on the disk, as containerd unpacks it: for a start that is not lazy.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{CWD, FileType as NodeType, Mode, XattrFlags, lsetxattr, makedev, mknodat, utimensat};
use soci_rootfs::{FileType, Found, Rootfs};

use crate::error::system;
use crate::pull::Pulled;
use crate::record::Record;
use crate::wire::Wire;
use crate::{Error, Result};

/// Writes the merged file system of an image, all of whose layers were fetched, into an empty folder. Needs root.
///
/// # Errors
/// [`Error::Unpack`], [`Error::System`], [`Error::Interrupted`].
pub fn unpack(pulled: &Pulled, folder: &Path, stop: &dyn Fn() -> bool) -> Result<()> {
    let tocs: Vec<_> = pulled.layers.iter().map(|layer| Some(layer.ztoc.toc())).collect();
    let rootfs = Rootfs::new(&tocs);
    for (number, layer) in pulled.layers.iter().enumerate() {
        if let Some(fault) = rootfs.fault(number) {
            return Err(Error::Unpack {
                layer: layer.descriptor.digest.to_string(),
                fault: Box::new(fault.clone()),
            });
        }
    }
    let mut unpacking = Unpacking {
        pulled,
        folder,
        written: std::collections::HashMap::new(),
        directories: Vec::new(),
    };
    if let Ok(root) = rootfs.find(b"/") {
        unpacking.attributes(&root, folder)?;
    }
    let mut outcome = Ok(());
    rootfs.each(|found| {
        if outcome.is_ok() {
            outcome = match stop() {
                true => Err(Error::Interrupted),
                false => unpacking.one(&found),
            };
        }
    });
    outcome?;
    // What is made in a directory changes its time.
    for (path, time) in unpacking.directories.iter().rev() {
        set_time(path, *time)?;
    }
    Ok(())
}

struct Unpacking<'a> {
    pulled: &'a Pulled,
    folder: &'a Path,
    /// The first name of each entry, for hard links.
    written: std::collections::HashMap<(usize, usize), PathBuf>,
    directories: Vec<(PathBuf, SystemTime)>,
}

impl Unpacking<'_> {
    /// Parents come before, and are directories of ours: no link leads out of the folder.
    fn one(&mut self, found: &Found) -> Result<()> {
        let path = self.folder.join(std::ffi::OsStr::from_bytes(&found.path[1..]));
        let key = found.entry.filter(|_| found.file_type != FileType::Directory);
        if let Some(key) = key.map(|entry| (found.layer, entry)) {
            if let Some(first) = self.written.get(&key) {
                return fs::hard_link(first, &path).map_err(system("write", &path));
            }
            self.written.insert(key, path.clone());
        }
        match found.file_type {
            FileType::Directory => fs::create_dir(&path).map_err(system("make", &path))?,
            FileType::Regular => self.file(found, &path)?,
            FileType::Symlink => {
                let target = found.link_target.as_deref().unwrap_or_default();
                symlink(std::ffi::OsStr::from_bytes(target), &path).map_err(system("write", &path))?;
            }
            FileType::CharacterDevice => self.node(found, NodeType::CharacterDevice, &path)?,
            FileType::BlockDevice => self.node(found, NodeType::BlockDevice, &path)?,
            FileType::Fifo => self.node(found, NodeType::Fifo, &path)?,
        }
        self.attributes(found, &path)
    }

    fn node(&self, found: &Found, kind: NodeType, path: &Path) -> Result<()> {
        let device = makedev(
            found.device >> 8 & 0xfff,
            (found.device & 0xff) | (found.device >> 12 & 0xf_ff00),
        );
        mknodat(CWD, path, kind, Mode::from_raw_mode(0o600), device)
            .map_err(|error| system("write", path)(error.into()))
    }

    fn file(&self, found: &Found, path: &Path) -> Result<()> {
        let mut file = File::create_new(path).map_err(system("write", path))?;
        let Some(entry) = found.entry else { return Ok(()) };
        let layer = &self.pulled.layers[found.layer];
        let (wire, record) = (
            Wire::open(Default::default()),
            Record::new(std::time::Instant::now()),
        );
        let mut buffer = Vec::new();
        let mut offset = 0;
        while offset < found.size {
            let length = (found.size - offset).min(PIECE);
            buffer.resize(length as usize, 0);
            layer
                .read(entry, offset, &mut buffer, &wire, &record)
                .map_err(|fault| system("write", path)(std::io::Error::other(fault)))?;
            file.write_all(&buffer).map_err(system("write", path))?;
            offset += length;
        }
        Ok(())
    }

    /// Owner before mode and attributes: a change of owner takes set-user bits and capabilities away.
    fn attributes(&mut self, found: &Found, path: &Path) -> Result<()> {
        lchown(path, Some(found.uid), Some(found.gid)).map_err(system("write", path))?;
        if found.file_type != FileType::Symlink {
            let mode = fs::Permissions::from_mode(u32::from(found.mode));
            fs::set_permissions(path, mode).map_err(system("write", path))?;
        }
        for (key, value) in &found.xattrs {
            lsetxattr(path, &key[..], value, XattrFlags::empty())
                .map_err(|error| system("write", path)(error.into()))?;
        }
        let time = crate::tree::time(found).unwrap_or_else(SystemTime::now);
        match found.file_type {
            FileType::Directory => self.directories.push((path.to_path_buf(), time)),
            _ => set_time(path, time)?,
        }
        Ok(())
    }
}

/// Bytes that are written at once.
const PIECE: u64 = 1 << 20;

fn set_time(path: &Path, time: SystemTime) -> Result<()> {
    let (sign, length) = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (1, after),
        Err(before) => (-1, before.duration()),
    };
    let mut at = rustix::fs::Timespec {
        tv_sec: sign * i64::try_from(length.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: length.subsec_nanos().into(),
    };
    if sign < 0 && length.subsec_nanos() > 0 {
        at.tv_sec -= 1;
        at.tv_nsec = (Duration::from_secs(1) - Duration::from_nanos(length.subsec_nanos().into()))
            .subsec_nanos()
            .into();
    }
    let times = rustix::fs::Timestamps {
        last_access: at,
        last_modification: at,
    };
    utimensat(CWD, path, &times, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|error| system("write", path)(error.into()))
}
