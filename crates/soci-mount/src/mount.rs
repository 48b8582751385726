//! A lazy mount: there as long as its value.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use fuser::{BackgroundSession, Config, MountOption, Session, SessionACL};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};
use soci_image::SociIndex;

use crate::error::system;
use crate::filesystem::{Lazy, Shared};
use crate::pull::Pulled;
use crate::record::{Record, Recorded};
use crate::tree::Tree;
use crate::wire::Wire;
use crate::{Error, Result};

/// An image that is mounted. Dropped, it is not any more.
#[derive(Debug)]
pub struct Mount {
    shared: Arc<Shared>,
    session: Option<BackgroundSession>,
    folder: PathBuf,
}

/// Requests that are answered at the same time: as many readers can wait for spans.
const THREADS: usize = 8;

/// The name in the list of mounts.
const NAME: &str = "cargo-soci";

impl Mount {
    /// Mounts an image at an empty folder, read-only, as the lazy client shows it; times are told from `begin`.
    /// Device files and set-user bits are shown and have no effect.
    ///
    /// # Errors
    /// [`Error::Lacking`] without `/dev/fuse` or the right to mount, [`Error::System`], [`Error::Unpack`],
    /// [`Error::Interrupted`].
    pub fn new(
        pulled: Pulled,
        index: Option<&SociIndex>,
        wire: Arc<Wire>,
        folder: &Path,
        begin: Instant,
    ) -> Result<Self> {
        Self::check()?;
        let tree = Tree::new(&pulled, index, SystemTime::now())?;
        // Before the mount can be seen: who sees it may end it, which is no interruption.
        wire.wait(pulled.set_up)?;
        let shared = Arc::new(Shared {
            pulled,
            tree,
            wire,
            record: Record::new(begin),
        });
        let mut config = Config::default();
        config.acl = SessionACL::All;
        config.n_threads = Some(THREADS);
        config.mount_options = vec![
            MountOption::RO,
            MountOption::DefaultPermissions,
            MountOption::FSName(NAME.to_owned()),
            MountOption::Subtype(NAME.to_owned()),
        ];
        let session = Session::new(Lazy(Arc::clone(&shared)), folder, &config)
            .and_then(Session::spawn)
            .map_err(|error| refused(folder, error))?;
        Ok(Self {
            shared,
            session: Some(session),
            folder: folder.to_path_buf(),
        })
    }

    /// Whether this machine and this user can mount at all.
    ///
    /// # Errors
    /// [`Error::Lacking`]
    pub fn check() -> Result<()> {
        match File::options().read(true).write(true).open(DEVICE) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(Error::Lacking {
                what: format!("{DEVICE} cannot be opened: {error}"),
                help: "run this as root".to_owned(),
            }),
            Err(error) => Err(Error::Lacking {
                what: format!("this machine has no FUSE: {DEVICE}: {error}"),
                help: "modprobe fuse; in a container: docker run --device /dev/fuse --cap-add SYS_ADMIN"
                    .to_owned(),
            }),
        }
    }

    /// Whether it is still there: somebody else can unmount it.
    pub fn is_mounted(&self) -> bool {
        self.session
            .as_ref()
            .is_some_and(|session| !session.guard.is_finished())
    }

    /// What was opened and read so far.
    pub fn recorded(&self) -> Recorded {
        self.shared.record.recorded()
    }

    /// Ends the notes: what is read from now on is not recorded.
    pub fn close_record(&self) {
        self.shared.record.close();
    }

    /// Unmounts. Files that are still open keep working for those who have them, until they close them or this process
    /// ends.
    ///
    /// # Errors
    /// [`Error::System`]
    pub fn unmount(mut self) -> Result<()> {
        self.end().map_err(system("unmount", &self.folder))
    }

    fn end(&mut self) -> io::Result<()> {
        let Some(session) = self.session.take() else {
            return Ok(());
        };
        if session.guard.is_finished() {
            return session.join();
        }
        // Somebody may work in it: it goes from the tree of folders now, and for good when they are done.
        match unmount(&self.folder, UnmountFlags::empty()) {
            Err(Errno::BUSY) => unmount(&self.folder, UnmountFlags::DETACH),
            other => other,
        }?;
        // Waiting for that could take for ever.
        let asked = Instant::now();
        while !session.guard.is_finished() {
            if asked.elapsed() > PATIENCE {
                std::mem::forget(session);
                return Ok(());
            }
            std::thread::sleep(GLANCE);
        }
        session.join()
    }
}

/// How long the kernel may take to let a file system go that nobody works in.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often that is looked at.
const GLANCE: Duration = Duration::from_millis(2);

impl Drop for Mount {
    fn drop(&mut self) {
        // Who wants to know calls `unmount`.
        let _ = self.end();
    }
}

/// Takes away what is mounted at a folder, whoever works in it.
///
/// # Errors
/// [`Error::System`]
pub fn detach(folder: &Path) -> Result<()> {
    unmount(folder, UnmountFlags::DETACH).map_err(|error| system("unmount", folder)(error.into()))
}

const DEVICE: &str = "/dev/fuse";

fn refused(folder: &Path, error: io::Error) -> Error {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !is_root {
        return Error::Lacking {
            what: format!("cannot mount at {}: {error}", folder.display()),
            help: "run this as root".to_owned(),
        };
    }
    system("mount at", folder)(error)
}
