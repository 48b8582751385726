//! Files of a root folder that is not ours, read without being led out of it by links.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat2};

use crate::Result;
use crate::error::system;

/// Larger files are no lists of users.
const LIMIT: u64 = 1 << 20;

/// The text of a file as a program in that root would read it; empty if it is not there.
///
/// # Errors
/// [`Error::System`](crate::Error::System)
pub fn read_inside(root: &Path, path: &str) -> Result<String> {
    let wrong = || system("read", root.join(path.trim_start_matches('/')));
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = open(root, flags, Mode::empty()).map_err(|error| wrong()(error.into()))?;
    // A pipe in its place must not hold us.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match openat2(&folder, path, flags, Mode::empty(), ResolveFlags::IN_ROOT) {
        Ok(file) => File::from(file),
        Err(error) => match io::Error::from(error) {
            error if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
            error => return Err(wrong()(error)),
        },
    };
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes).map_err(wrong())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
