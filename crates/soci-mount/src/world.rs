//! A world of its own for a trace: namespaces of mounts and processes that nothing outlives.
//!
//! The program starts itself once more, as the first process of a new process namespace; that one takes a mount namespace
//! of its own. Whatever becomes of either of them, the kernel cleans up: if the first process of the namespace ends, all
//! others in it are killed, and mounts go with the last process that sees them. The inner program is killed when the
//! outer one is.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use rustix::fs::CWD;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::{Pid, Signal, geteuid, kill_process, set_parent_process_death_signal};

use crate::error::system;
use crate::{Error, Result};

/// Tells the inner program that it is one, and by which process it was started: `PID:FOLDER`.
const INSIDE: &str = "CARGO_SOCI_INSIDE";

/// The inner side of it.
#[derive(Debug)]
pub struct World {
    folder: PathBuf,
    name: String,
}

/// Starts this program again, with the same words (its name first), in a world of its own; `folder` is its to use, and stays this
/// side's to remove. `asked` is looked at now and then: once it is true, the inner program gets SIGTERM.
///
/// # Errors
/// [`Error::Lacking`] without the rights, [`Error::System`] if it cannot be started.
pub fn again(
    folder: &Path,
    words: &[impl AsRef<OsStr> + Sync],
    asked: impl Fn() -> bool + Sync,
) -> Result<ExitStatus> {
    if !geteuid().is_root() {
        return Err(Error::Lacking {
            what: "mounting an image and running a container needs root".to_owned(),
            help: "run it as root: sudo cargo soci trace …".to_owned(),
        });
    }
    let program = std::env::current_exe().map_err(system("find", "this program"))?;
    let us = std::process::id();
    let mut inside = std::ffi::OsString::from(format!("{us}:"));
    inside.push(folder);
    sweep_groups();
    // A thread of its own: what it starts from here on is in the new namespace, and it can start no threads.
    let outcome = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWPID).map_err(|error| forbidden(error.into()))?;
            let mut command = Command::new(&program);
            if let Some(name) = words.first() {
                command.arg0(name);
            }
            let mut child = command
                .args(words.iter().skip(1))
                .env(INSIDE, &inside)
                .spawn()
                .map_err(system("start", &program))?;
            let mut told = false;
            loop {
                if let Some(status) = child.try_wait().map_err(system("wait for", &program))? {
                    return Ok(status);
                }
                if !told && asked() {
                    told = true;
                    if let Some(pid) = Pid::from_raw(child.id().cast_signed()) {
                        // It may have ended meanwhile.
                        let _ = kill_process(pid, Signal::TERM);
                    }
                }
                std::thread::sleep(GLANCE);
            }
        });
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    remove_group(&group(us));
    outcome
}

/// How often the inner program is looked at.
const GLANCE: Duration = Duration::from_millis(10);

/// Whether this is the inner program; then what it is in.
///
/// # Errors
/// [`Error::System`] if the kernel refuses a mount, [`Error::Lacking`] if it forbids it.
pub fn enter() -> Result<Option<World>> {
    let Some(inside) = std::env::var_os(INSIDE).filter(|_| std::process::id() == 1) else {
        return Ok(None);
    };
    let inside = inside.to_string_lossy().into_owned();
    let Some((parent, folder)) = inside.split_once(':') else {
        return Ok(None);
    };
    let kernel = |action| move |error: rustix::io::Errno| system(action, "/proc")(error.into());
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(kernel("watch the parent in"))?;
    // It may have gone before that; /proc is still that of the outer side.
    let status = fs::read_to_string("/proc/self/status").map_err(system("read", "/proc/self/status"))?;
    if !status
        .lines()
        .any(|line| line.strip_prefix("PPid:").is_some_and(|pid| pid.trim() == parent))
    {
        return Err(Error::Interrupted);
    }
    unshare(CloneFlags::CLONE_NEWNS).map_err(|error| forbidden(error.into()))?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(|error| system("part the mounts of", "/")(error.into()))?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", "/proc", "proc", flags, None).map_err(kernel("mount"))?;
    let folder = PathBuf::from(folder);
    let memory = folder.join("memory");
    fs::create_dir(&memory).map_err(system("make", &memory))?;
    mount(
        "cargo-soci",
        &memory,
        "tmpfs",
        MountFlags::empty(),
        Some(c"mode=0700"),
    )
    .map_err(|error| system("mount at", &memory)(error.into()))?;
    let name = group(parent.parse().unwrap_or_default());
    Ok(Some(World { folder, name }))
}

impl World {
    /// A new folder in memory, which is gone with this world.
    ///
    /// # Errors
    /// [`Error::System`]
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        self.make(self.folder.join("memory").join(name))
    }

    /// A new folder on the disk, for what is large. A killed run leaves it to the next one, which removes it.
    ///
    /// # Errors
    /// [`Error::System`]
    pub fn disk(&self, name: &str) -> Result<PathBuf> {
        self.make(self.folder.join(name))
    }

    /// A name that no other run has: of the container, and of its control group.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn make(&self, path: PathBuf) -> Result<PathBuf> {
        fs::create_dir(&path).map_err(system("make", &path))?;
        Ok(path)
    }

    /// A writable layer, kept in memory, over a folder: where both together are.
    ///
    /// # Errors
    /// [`Error::System`]
    pub fn writable(&self, lower: &Path) -> Result<PathBuf> {
        let merged = self.folder("rootfs")?;
        let (upper, work) = (self.folder("upper")?, self.folder("work")?);
        copy_attributes(lower, &upper)?;
        // Paths with colons and commas mean something to overlayfs: all of ours are told from where it is mounted.
        let options = |lower: &Path| {
            let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
            Some(format!(
                "lowerdir={},upperdir={},workdir={}",
                lower.to_str()?,
                name(&upper)?,
                name(&work)?
            ))
        };
        let here = std::env::current_dir().map_err(system("find", "the working folder"))?;
        let memory = self.folder.join("memory");
        let relative = match lower.strip_prefix(&memory) {
            Ok(inside) => inside.to_path_buf(),
            Err(_) => Path::new("..").join(lower.strip_prefix(&self.folder).unwrap_or(lower)),
        };
        let options = options(&relative)
            .and_then(|options| std::ffi::CString::new(options).ok())
            .ok_or_else(|| system("mount at", &merged)(std::io::ErrorKind::InvalidInput.into()))?;
        std::env::set_current_dir(&memory).map_err(system("work in", &memory))?;
        let mounted = mount(
            "cargo-soci",
            "rootfs",
            "overlay",
            MountFlags::empty(),
            Some(&*options),
        );
        std::env::set_current_dir(&here).map_err(system("work in", &here))?;
        mounted.map_err(|error| system("mount a writable layer at", &merged)(error.into()))?;
        Ok(merged)
    }
}

/// The root of an overlay looks as its upper folder does.
fn copy_attributes(from: &Path, to: &Path) -> Result<()> {
    use rustix::fs::{AtFlags, Gid, Mode, Uid, chmodat, chownat, statat};
    let wrong = |error: rustix::io::Errno| system("prepare", to)(error.into());
    let found = statat(CWD, from, AtFlags::empty()).map_err(wrong)?;
    let (uid, gid) = (Uid::from_raw(found.st_uid), Gid::from_raw(found.st_gid));
    chownat(CWD, to, Some(uid), Some(gid), AtFlags::empty())
        .map_err(|error| system("prepare", to)(error.into()))?;
    chmodat(
        CWD,
        to,
        Mode::from_raw_mode(found.st_mode & 0o7777),
        AtFlags::empty(),
    )
    .map_err(|error| system("prepare", to)(error.into()))
}

fn forbidden(error: std::io::Error) -> Error {
    Error::Lacking {
        what: format!("this machine does not let root make namespaces: {error}"),
        help: "in a container it needs CAP_SYS_ADMIN: docker run --privileged".to_owned(),
    }
}

/// Containers of this program and their control groups.
const PREFIX: &str = "cargo-soci-trace-";

fn group(pid: u32) -> String {
    format!("{PREFIX}{pid}")
}

/// Control groups outlive the processes in them: those of runs that were killed are removed here.
fn sweep_groups() {
    for folder in hierarchies() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
            if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                // One with processes in it is refused by the kernel.
                let _ = fs::remove_dir(entry.path());
            }
        }
    }
}

fn remove_group(name: &str) {
    for folder in hierarchies() {
        // Most have none of that name.
        let _ = fs::remove_dir(folder.join(name));
    }
}

/// Where control groups are: one tree, or one for each controller.
fn hierarchies() -> Vec<PathBuf> {
    let root = PathBuf::from("/sys/fs/cgroup");
    let controllers = fs::read_dir(&root).into_iter().flatten().flatten();
    let mut all: Vec<PathBuf> = controllers.map(|entry| entry.path()).collect();
    all.push(root);
    all
}
