//! Images with everything that a file system can have, and programs that run until they are told to end.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use soci_tests::images::noise;

use super::{Place, Run, send};

/// Takes the entries of a layer.
pub(crate) struct Layer(tar::Builder<Vec<u8>>);

impl Layer {
    pub(crate) fn new() -> Self {
        let mut layer = Self(tar::Builder::new(Vec::new()));
        for (name, mode) in [
            ("./", 0o755),
            ("bin/", 0o755),
            ("data/", 0o750),
            ("etc/", 0o755),
            ("tmp/", 0o1777),
        ] {
            layer.add(tar::EntryType::Directory, name, mode, &[], "");
        }
        layer
    }

    /// One without directories of its own.
    pub(crate) fn bare() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    pub(crate) fn add(
        &mut self,
        kind: tar::EntryType,
        name: &str,
        mode: u32,
        data: &[u8],
        link: &str,
    ) -> &mut Self {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(if name.starts_with("data/") { 1000 } else { 0 });
        header.set_gid(if name.starts_with("data/") { 1001 } else { 0 });
        header.set_mtime(1_600_000_000 + name.len() as u64);
        header.set_size(data.len() as u64);
        if matches!(kind, tar::EntryType::Char | tar::EntryType::Block) {
            header.set_device_major(259).expect("a GNU header");
            header.set_device_minor(70_000).expect("a GNU header");
        }
        match link {
            "" => self.0.append_data(&mut header, name, data),
            link => self.0.append_link(&mut header, name, link),
        }
        .expect("in memory");
        self
    }

    pub(crate) fn file(&mut self, name: &str, mode: u32, data: &[u8]) -> &mut Self {
        self.add(tar::EntryType::Regular, name, mode, data, "")
    }

    pub(crate) fn symlink(&mut self, name: &str, target: &str) -> &mut Self {
        self.add(tar::EntryType::Symlink, name, 0o777, &[], target)
    }

    /// An extended attribute of the next entry.
    pub(crate) fn xattr(&mut self, key: &str, value: &[u8]) -> &mut Self {
        let key = format!("SCHILY.xattr.{key}");
        self.0
            .append_pax_extensions([(&key[..], value)])
            .expect("in memory");
        self
    }

    pub(crate) fn tar(self) -> Vec<u8> {
        self.0.into_inner().expect("in memory")
    }
}

/// A file of several spans.
pub(crate) fn large() -> Vec<u8> {
    noise(7, 900_000)
}

/// Two layers with what file systems have: links, devices, modes, attributes, deletions, names of any length.
pub(crate) fn layers() -> Vec<Vec<u8>> {
    use tar::EntryType;
    let mut low = Layer::new();
    low.file("data/large", 0o640, &large())
        .file("bin/set-user", 0o4755, b"#!/bin/sh\n")
        .add(EntryType::Link, "bin/another-name", 0o4755, &[], "bin/set-user")
        .symlink("bin/link", "../data/large")
        .symlink("usr", "/bin")
        .add(EntryType::Char, "data/character", 0o620, &[], "")
        .add(EntryType::Block, "data/block", 0o660, &[], "")
        .add(EntryType::Fifo, "data/pipe", 0o600, &[], "")
        .file("data/empty", 0o600, &[])
        .file(&format!("data/{}", "long-".repeat(40)), 0o644, b"a long name")
        .file("data/deleted", 0o644, b"gone")
        .file("data/replaced", 0o644, b"old")
        .add(EntryType::Directory, "data/opaque/", 0o700, &[], "")
        .file("data/opaque/below", 0o644, b"hidden");
    // The capability to open raw sockets, revision 2.
    let capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    low.xattr("security.capability", &capability)
        .file("bin/capable", 0o755, b"a program")
        .xattr("user.note", b"some words")
        .file("data/noted", 0o644, b"with a note");
    for number in 0..60_usize {
        let name = format!("data/small-{number:02}");
        low.file(&name, 0o644, &noise(100 + number as u64, 37 * number));
    }
    let mut high = Layer::bare();
    high.add(EntryType::Directory, "data/", 0o755, &[], "")
        .file("data/.wh.deleted", 0, &[])
        .file("data/replaced", 0o600, b"new and longer")
        .add(EntryType::Directory, "data/opaque/", 0o711, &[], "")
        .file("data/opaque/.wh..wh..opq", 0, &[])
        .file("data/opaque/above", 0o644, b"shown");
    vec![low.tar(), high.tar()]
}

/// Converts an image of a place, with small spans, all layers.
pub(crate) fn convert(place: &Place, from: &str, to: &str) {
    place
        .run(&[
            "convert",
            from,
            to,
            "--min-layer-size",
            "0",
            "--span-size",
            "64KiB",
            "-q",
        ])
        .ended(0);
}

/// A program that runs until it is sent a signal.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self(command.spawn().expect("the program runs"))
    }

    /// `mount`, as soon as it is mounted.
    pub(crate) fn mount(place: &Place, image: &str, folder: &Path, more: &[&str]) -> Self {
        let folder_word = folder.display().to_string();
        let words = [&["mount", image, &folder_word][..], more].concat();
        let mut running = Self::start(place.command(&words));
        let started = Instant::now();
        while !is_mounted(folder) {
            if let Some(status) = running.0.try_wait().expect("a child") {
                panic!("it ended with {status}: {:?}", running.output());
            }
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "it was never mounted"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        running
    }

    pub(crate) fn signal(&self, signal: Signal) {
        send(&self.0, signal);
    }

    pub(crate) fn output(self) -> Run {
        Run::of(self.0.wait_with_output().expect("it ends"))
    }

    /// Ends it as a user does.
    pub(crate) fn interrupt(self) -> Run {
        self.signal(Signal::INT);
        self.output()
    }
}

/// Whether something is mounted at a folder, or below it.
pub(crate) fn is_mounted(folder: &Path) -> bool {
    let mounts = fs::read_to_string("/proc/self/mounts").expect("/proc");
    let folder = folder.to_str().expect("UTF-8");
    mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .any(|at| at.starts_with(folder))
}
