//! The merged file system as the kernel asks for it.
//!
//! Nothing changes, so the kernel may keep names, attributes and pages for as long as it likes: what it asks for is what
//! a program needed for the first time.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fuser::{
    Errno, FileAttr, FileHandle, Filesystem, FopenFlags, Generation, INodeNo, InitFlags, KernelConfig,
    LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyDirectory, ReplyDirectoryPlus, ReplyEntry, ReplyOpen,
    ReplyStatfs, ReplyXattr, Request,
};

use crate::layer::Fault;
use crate::pull::Pulled;
use crate::record::Record;
use crate::tree::{Node, Tree};
use crate::wire::Wire;

/// How long the kernel may believe what it was told: for good.
const FOR_GOOD: Duration = Duration::from_secs(1 << 30);

/// What the threads of a mount share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) pulled: Pulled,
    pub(crate) tree: Tree,
    pub(crate) wire: Arc<Wire>,
    pub(crate) record: Record,
}

impl Shared {
    /// Bytes of a file; fewer at its end.
    pub(crate) fn read(&self, node: &Node, offset: u64, size: u64) -> Result<Vec<u8>, Fault> {
        let begun = Instant::now();
        let end = offset.saturating_add(size).min(node.attributes.size);
        let mut buffer = vec![0; end.saturating_sub(offset) as usize];
        let Some(entry) = node.entry.filter(|_| !buffer.is_empty()) else {
            return Ok(buffer);
        };
        let outcome = match &node.unreadable {
            Some(why) => Err(Fault::Client {
                path: node.path.escape_ascii().to_string(),
                problem: why.to_string(),
            }),
            None => self.pulled.layers[node.layer].read(entry, offset, &mut buffer, &self.wire, &self.record),
        };
        if let Err(fault) = outcome {
            self.record.failed(fault.clone());
            return Err(fault);
        }
        self.record.read(node.attributes.ino.0, offset..end, begun);
        Ok(buffer)
    }

    /// Notes that a file was opened.
    pub(crate) fn opened(&self, node: &Node) {
        self.record.opened(node.attributes.ino.0, || {
            (node.path.clone(), node.attributes.size, node.layer)
        });
    }
}

/// The file system behind one mount.
#[derive(Debug)]
pub(crate) struct Lazy(pub(crate) Arc<Shared>);

impl Lazy {
    fn node(&self, number: INodeNo) -> Result<&Node, Errno> {
        self.0.tree.node(number.0).ok_or(Errno::ENOENT)
    }
}

impl Filesystem for Lazy {
    fn init(&mut self, _request: &Request, config: &mut KernelConfig) -> io::Result<()> {
        // What an older kernel does not know it does without.
        for wish in [
            InitFlags::FUSE_DO_READDIRPLUS,
            InitFlags::FUSE_READDIRPLUS_AUTO,
            InitFlags::FUSE_PARALLEL_DIROPS,
            InitFlags::FUSE_CACHE_SYMLINKS,
        ] {
            let _ = config.add_capabilities(wish);
        }
        Ok(())
    }

    fn lookup(&self, _request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        match self.0.tree.child(parent.0, name) {
            Some(node) => reply.entry(&FOR_GOOD, &node.attributes, Generation(0)),
            // Number 0 with a time says for how long nothing is there.
            None => match self.node(parent) {
                Ok(parent) => {
                    let nothing = FileAttr {
                        ino: INodeNo(0),
                        ..parent.attributes
                    };
                    reply.entry(&FOR_GOOD, &nothing, Generation(0));
                }
                Err(error) => reply.error(error),
            },
        }
    }

    fn getattr(&self, _request: &Request, number: INodeNo, _handle: Option<FileHandle>, reply: ReplyAttr) {
        match self.node(number) {
            Ok(node) => reply.attr(&FOR_GOOD, &node.attributes),
            Err(error) => reply.error(error),
        }
    }

    fn readlink(&self, _request: &Request, number: INodeNo, reply: ReplyData) {
        match self.node(number) {
            Ok(node) => reply.data(&node.target),
            Err(error) => reply.error(error),
        }
    }

    fn open(&self, _request: &Request, number: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        match self.node(number) {
            Ok(node) => {
                self.0.opened(node);
                reply.opened(FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE);
            }
            Err(error) => reply.error(error),
        }
    }

    fn read(
        &self,
        _request: &Request,
        number: INodeNo,
        _handle: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self
            .node(number)
            .and_then(|node| self.0.read(node, offset, u64::from(size)).map_err(|_| Errno::EIO))
        {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => reply.error(error),
        }
    }

    fn opendir(&self, _request: &Request, _number: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        reply.opened(
            FileHandle(0),
            FopenFlags::FOPEN_KEEP_CACHE | FopenFlags::FOPEN_CACHE_DIR,
        );
    }

    fn readdir(
        &self,
        _request: &Request,
        number: INodeNo,
        _handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let listed = match self.node(number) {
            Ok(node) => entries(&self.0.tree, node, offset),
            Err(error) => return reply.error(error),
        };
        for (next, name, node) in listed {
            if reply.add(node.attributes.ino, next, node.attributes.kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn readdirplus(
        &self,
        _request: &Request,
        number: INodeNo,
        _handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectoryPlus,
    ) {
        let listed = match self.node(number) {
            Ok(node) => entries(&self.0.tree, node, offset),
            Err(error) => return reply.error(error),
        };
        for (next, name, node) in listed {
            let attributes = &node.attributes;
            if reply.add(attributes.ino, next, name, &FOR_GOOD, attributes, Generation(0)) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _request: &Request, _number: INodeNo, reply: ReplyStatfs) {
        const BLOCK: u32 = 4096;
        let (bytes, files) = self.0.tree.totals();
        reply.statfs(
            bytes.div_ceil(u64::from(BLOCK)),
            0,
            0,
            files,
            0,
            BLOCK,
            255,
            BLOCK,
        );
    }

    fn getxattr(&self, _request: &Request, number: INodeNo, name: &OsStr, size: u32, reply: ReplyXattr) {
        let value = self.node(number).and_then(|node| {
            let mut xattrs = node.xattrs.iter();
            let found = xattrs.find(|(key, _)| key == name.as_bytes());
            found.map(|(_, value)| value).ok_or(Errno::ENODATA)
        });
        match value {
            Ok(value) => answer(value, size, reply),
            Err(error) => reply.error(error),
        }
    }

    fn listxattr(&self, _request: &Request, number: INodeNo, size: u32, reply: ReplyXattr) {
        match self.node(number) {
            Ok(node) => {
                let names = node.xattrs.iter().flat_map(|(key, _)| key.iter().chain(&[0]));
                answer(&names.copied().collect::<Vec<u8>>(), size, reply);
            }
            Err(error) => reply.error(error),
        }
    }
}

/// A value, or with a size of 0 how long it is.
fn answer(value: &[u8], size: u32, reply: ReplyXattr) {
    match size {
        0 => reply.size(value.len() as u32),
        size if value.len() > size as usize => reply.error(Errno::ERANGE),
        _ => reply.data(value),
    }
}

/// What a directory lists from an offset on, each with the offset behind it.
fn entries<'a>(
    tree: &'a Tree,
    node: &'a Node,
    offset: u64,
) -> impl Iterator<Item = (u64, &'a OsStr, &'a Node)> {
    let own = [(&b"."[..], node.attributes.ino.0), (&b".."[..], node.parent)];
    let children = node.children.iter().map(|(name, number)| (&name[..], *number));
    own.into_iter()
        .chain(children)
        .zip(1..)
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .filter_map(|((name, number), next)| Some((next, OsStr::from_bytes(name), tree.node(number)?)))
}
