//! Layers as lists of entries, out of any bytes, and as tars.
#![allow(dead_code)] // Each of the tests that share it makes other entries.

use std::fmt;

/// One entry, field by field.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    pub name: Vec<u8>,
    pub type_flag: u8,
    pub link: Vec<u8>,
    pub mode: u32,
    pub owner: (i64, i64),
    pub modified: i64,
    /// What the header tells; only files have so much data.
    pub size: u64,
    pub device: (u32, u32),
    pub data: Vec<u8>,
    pub xattrs: Vec<(&'static str, Vec<u8>)>,
}

impl Item {
    pub fn new(type_flag: u8, name: &str) -> Self {
        Self {
            name: name.into(),
            type_flag,
            link: Vec::new(),
            mode: if type_flag == b'5' { 0o755 } else { 0o644 },
            owner: (0, 0),
            modified: 1_700_000_000,
            size: 0,
            device: (0, 0),
            data: Vec::new(),
            xattrs: Vec::new(),
        }
    }

    pub fn file(name: &str, data: &str) -> Self {
        Self {
            data: data.into(),
            size: data.len() as u64,
            ..Self::new(b'0', name)
        }
    }

    pub fn directory(name: &str) -> Self {
        Self::new(b'5', name)
    }

    pub fn symlink(name: &str, link: &str) -> Self {
        Self {
            link: link.into(),
            mode: 0o777,
            ..Self::new(b'2', name)
        }
    }

    pub fn hard_link(name: &str, link: &str) -> Self {
        Self {
            link: link.into(),
            ..Self::new(b'1', name)
        }
    }

    pub fn owned_by(mut self, uid: i64, gid: i64) -> Self {
        self.owner = (uid, gid);
        self
    }

    pub fn with_mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    pub fn with_xattr(mut self, key: &'static str, value: &[u8]) -> Self {
        self.xattrs.push((key, value.to_vec()));
        self
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, link) = (self.name.escape_ascii(), self.link.escape_ascii());
        write!(
            f,
            "{} {name} -> {link} {:o} {:?}",
            self.type_flag as char, self.mode, self.owner
        )?;
        write!(f, " at {} size {} {:?}", self.modified, self.size, self.device)?;
        for (key, value) in &self.xattrs {
            write!(f, " {key}={}", value.escape_ascii())?;
        }
        Ok(())
    }
}

/// Up to three layers, lowest first, of few names, so that entries meet.
pub fn stack(bytes: &[u8]) -> Vec<Vec<Item>> {
    let mut bytes = bytes.iter().copied();
    let layers = 1 + usize::from(bytes.next().unwrap_or(0)) % 3;
    let mut stack = Vec::new();
    for _ in 0..layers {
        let mut layer = Vec::new();
        while layer.len() < 24
            && let Some(kind) = bytes.next()
            && kind % 16 != 0
        {
            let mut next = || bytes.next().unwrap_or(0);
            layer.push(item(kind, &mut next, layer.len()));
        }
        stack.push(layer);
    }
    stack
}

fn item(kind: u8, next: &mut impl FnMut() -> u8, index: usize) -> Item {
    let mut name = path(next);
    let base = name.rfind('/').map_or(0, |slash| slash + 1);
    let type_flag = match kind % 16 {
        1..=5 => b'5',
        6..=9 => b'0',
        10 | 11 => b'2',
        12 => b'1',
        13 => {
            name.insert_str(base, ".wh.");
            b'0'
        }
        14 => {
            name.replace_range(base.., ".wh..wh..opq");
            b'0'
        }
        _ => [b'3', b'6', b'4', b'0'][usize::from(kind >> 4) % 4],
    };
    let mut item = Item::new(type_flag, &name);
    let data = [index as u8; 3];
    match type_flag {
        b'0' => {
            item.data = data[..usize::from(next()) % 4].to_vec();
            item.size = item.data.len() as u64;
        }
        b'1' => item.link = path(next).into(),
        b'2' => item.link = target(next).into(),
        b'3' | b'4' => item.device = [(0, 0), (1, 3), (5, 1)][usize::from(next()) % 3],
        _ => {}
    }
    attributes(&mut item, next);
    item
}

/// A name of one to three parts, now and then with an unusual beginning or end.
fn path(next: &mut impl FnMut() -> u8) -> String {
    const PARTS: [&str; 8] = ["a", "b", "c", "d", "lib", "usr", "a", "b"];
    let shape = next();
    let parts = next();
    let mut path = match shape >> 3 {
        1 => "./".to_owned(),
        2 => "/".to_owned(),
        3 => "../".to_owned(),
        _ => String::new(),
    };
    let depth = 1 + shape % 3;
    for level in 0..depth {
        if level > 0 {
            path.push('/');
        }
        path.push_str(PARTS[usize::from(parts >> (2 * level)) % 8]);
    }
    match shape >> 3 {
        8 => path.push('/'),
        9 => path.insert_str(0, "a/../"),
        10 => path = ".soci-snapshotter".to_owned(),
        11 => path.insert_str(0, "b/./"),
        12 => path = "./".to_owned(),
        _ => {}
    }
    path
}

fn target(next: &mut impl FnMut() -> u8) -> String {
    let shape = next();
    let path = path(next);
    match shape % 8 {
        0 => format!("/{path}"),
        1 => format!("../{path}"),
        2 => format!("{path}/.."),
        3 => format!("{path}/../c"),
        4 => format!("../../{path}"),
        _ => path,
    }
}

fn attributes(item: &mut Item, next: &mut impl FnMut() -> u8) {
    let which = next();
    const MODES: [u32; 8] = [0o755, 0o644, 0o700, 0o1777, 0o4755, 0o100_644, 0o40_755, 0o600];
    if which & 1 != 0 {
        item.mode = MODES[usize::from(next()) % MODES.len()];
    }
    if which & 2 != 0 {
        const OWNERS: [(i64, i64); 6] = [
            (0, 0),
            (1000, 1000),
            (5, 0),
            (0xffff_ffff, 7),
            (-2, 0),
            (0x1_0000_0001, 1),
        ];
        item.owner = OWNERS[usize::from(next()) % OWNERS.len()];
    }
    if which & 12 == 12 {
        const TIMES: [i64; 5] = [0, -5, 17_179_869_184, 1_600_000_000, -62_167_219_201];
        item.modified = TIMES[usize::from(next()) % TIMES.len()];
    }
    if which & 0x30 == 0x30 {
        let set = next();
        let capability: &[u8] = &[1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let xattrs: [(&'static str, &[u8]); 7] = [
            ("user.a", b"v"),
            ("user.e", b""),
            ("security.capability", capability),
            ("trusted.overlay.opaque", b"y"),
            ("unknown.x", b"z"),
            ("security.ima", b"q"),
            ("trusted.t", b"t"),
        ];
        for (bit, (key, value)) in xattrs.into_iter().enumerate() {
            if set >> bit & 1 == 1 && (item.type_flag == b'0' || !key.contains("capability")) {
                item.xattrs.push((key, value.to_vec()));
            }
        }
    }
    if which & 0xc0 == 0xc0 && !matches!(item.type_flag, b'0' | b'5') {
        item.size = u64::from(next());
    }
}

/// A tar of these entries.
pub fn tar(items: &[Item]) -> Vec<u8> {
    let mut tar = Vec::new();
    for item in items {
        let mut records = Vec::new();
        if item.name.len() > 100 {
            record(&mut records, "path", &item.name);
        }
        if item.link.len() > 100 {
            record(&mut records, "linkpath", &item.link);
        }
        for (key, value) in &item.xattrs {
            record(&mut records, &format!("SCHILY.xattr.{key}"), value);
        }
        if !records.is_empty() {
            let meta = Item {
                size: records.len() as u64,
                data: records,
                ..Item::new(b'x', "records")
            };
            put(&mut tar, &meta);
        }
        put(&mut tar, item);
    }
    tar.extend([0; 1024]);
    tar
}

fn record(out: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    out.extend(format!("{length} {key}=").bytes());
    out.extend_from_slice(value);
    out.push(b'\n');
}

fn put(out: &mut Vec<u8>, item: &Item) {
    let mut header = [0; 512];
    let mut text = |at: usize, limit: usize, bytes: &[u8]| {
        let length = bytes.len().min(limit);
        header[at..at + length].copy_from_slice(&bytes[..length]);
    };
    text(0, 100, &item.name);
    text(100, 8, format!("{:07o}", item.mode).as_bytes());
    text(108, 8, &number(item.owner.0, 8));
    text(116, 8, &number(item.owner.1, 8));
    text(124, 12, &number(item.size as i64, 12));
    text(136, 12, &number(item.modified, 12));
    text(148, 8, b"        ");
    text(156, 1, &[item.type_flag]);
    text(157, 100, &item.link);
    text(257, 8, b"ustar\x0000");
    text(329, 8, format!("{:07o}", item.device.0).as_bytes());
    text(337, 8, format!("{:07o}", item.device.1).as_bytes());
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
    header[154] = 0;
    out.extend_from_slice(&header);
    out.extend_from_slice(&item.data);
    out.resize(out.len().next_multiple_of(512), 0);
}

/// Octal where it fits, else base 256.
fn number(value: i64, width: usize) -> Vec<u8> {
    let octal = format!("{value:0digits$o}", digits = width - 1);
    if value >= 0 && octal.len() < width {
        return octal.into_bytes();
    }
    let mut bytes = vec![if value < 0 { 0xff } else { 0 }; width];
    bytes[width - 8..].copy_from_slice(&value.to_be_bytes());
    bytes[0] |= 0x80;
    bytes
}
