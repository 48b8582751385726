//! The table of contents: the entries of a layer's tar, compactly.
//!
//! A layer can have 150,000 entries with five strings each, so all bytes stand in one arena and an
//! entry holds ranges of it. Owner names and times repeat and are stored once.

use alloc::vec::Vec;

/// What an entry is. The format has no other words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryType {
    /// A file.
    Regular,
    /// Another name of an entry before it.
    HardLink,
    /// A symbolic link.
    Symlink,
    /// A character device.
    CharacterDevice,
    /// A block device.
    BlockDevice,
    /// A directory.
    Directory,
    /// A named pipe.
    Fifo,
}

impl EntryType {
    /// The word in the zTOC.
    pub fn as_str(self) -> &'static str {
        match self {
            EntryType::Regular => "reg",
            EntryType::HardLink => "hardlink",
            EntryType::Symlink => "symlink",
            EntryType::CharacterDevice => "char",
            EntryType::BlockDevice => "block",
            EntryType::Directory => "dir",
            EntryType::Fifo => "fifo",
        }
    }

    /// The type that a zTOC's word means.
    pub fn from_word(word: &[u8]) -> Option<Self> {
        ALL.into_iter().find(|kind| kind.as_str().as_bytes() == word)
    }

    /// The type of a tar header's type byte; `None` is what a zTOC cannot hold.
    pub fn from_type_flag(type_flag: u8) -> Option<Self> {
        Some(match type_flag {
            b'0' => EntryType::Regular,
            b'1' => EntryType::HardLink,
            b'2' => EntryType::Symlink,
            b'3' => EntryType::CharacterDevice,
            b'4' => EntryType::BlockDevice,
            b'5' => EntryType::Directory,
            b'6' => EntryType::Fifo,
            _ => return None,
        })
    }
}

const ALL: [EntryType; 7] = [
    EntryType::Regular,
    EntryType::HardLink,
    EntryType::Symlink,
    EntryType::CharacterDevice,
    EntryType::BlockDevice,
    EntryType::Directory,
    EntryType::Fifo,
];

/// One entry of a [`Toc`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TocEntry<'a> {
    /// The name, byte for byte as in the tar: perhaps with `./` or `/` in front, perhaps not UTF-8.
    pub name: &'a [u8],
    /// What it is.
    pub entry_type: EntryType,
    /// Where its data begins in the uncompressed layer; after its header if it has none.
    pub offset: u64,
    /// Bytes of data as the header tells; links and directories can tell some and have none.
    pub size: i64,
    /// The target of a link.
    pub link_name: &'a [u8],
    /// Permission bits, unmasked.
    pub mode: i64,
    /// The owner's number, its low 32 bits.
    pub uid: u32,
    /// The group's number, its low 32 bits.
    pub gid: u32,
    /// The owner's name.
    pub user_name: &'a [u8],
    /// The group's name.
    pub group_name: &'a [u8],
    /// The modification time in RFC 3339; empty outside the years 0 to 9999.
    pub modified: &'a [u8],
    /// Major number of a device.
    pub device_major: i64,
    /// Minor number of a device.
    pub device_minor: i64,
    /// All PAX records of the entry.
    pub xattrs: Xattrs<'a>,
}

impl TocEntry<'_> {
    /// Bytes of data that follow the header: 0 for all but files.
    pub fn data_size(&self) -> u64 {
        match self.entry_type {
            EntryType::Regular => u64::try_from(self.size).unwrap_or(0),
            _ => 0,
        }
    }

    /// Bytes of its strings, records not counted.
    pub(super) fn text_bytes(&self) -> usize {
        let texts = [
            self.name,
            self.link_name,
            self.user_name,
            self.group_name,
            self.modified,
        ];
        texts.iter().map(|text| text.len()).sum()
    }
}

/// The PAX records of an entry; the format calls all of them xattrs.
#[derive(Clone, Copy)]
pub struct Xattrs<'a> {
    pairs: &'a [(Text, Text)],
    arena: &'a [u8],
}

impl<'a> Xattrs<'a> {
    /// No records.
    pub const NONE: Xattrs<'static> = Xattrs {
        pairs: &[],
        arena: &[],
    };

    /// Key and value of each record, in the order of the zTOC (keys ascending).
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let Xattrs { pairs, arena } = *self;
        pairs.iter().map(|(key, value)| (key.of(arena), value.of(arena)))
    }

    /// The value of a key, empty if there is none.
    pub fn get(&self, key: &[u8]) -> &'a [u8] {
        self.iter()
            .find(|(found, _)| *found == key)
            .map_or(&[], |(_, value)| value)
    }
}

impl core::fmt::Debug for Xattrs<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_map()
            .entries(
                self.iter()
                    .map(|(key, value)| (key.escape_ascii(), value.escape_ascii())),
            )
            .finish()
    }
}

impl PartialEq for Xattrs<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Xattrs<'_> {}

/// The entries of a layer, in tar order.
#[derive(Clone, Default)]
pub struct Toc {
    rows: Vec<Row>,
    pairs: Vec<(Text, Text)>,
    arena: Vec<u8>,
    /// Strings that repeat: owner and group names, record keys.
    interned: Vec<Text>,
}

impl Toc {
    /// An empty table.
    pub fn new() -> Self {
        Toc::default()
    }

    /// An empty table with room for so many entries.
    pub(super) fn with_capacity(entries: usize) -> Self {
        Toc {
            rows: Vec::with_capacity(entries),
            ..Toc::default()
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The entry with this index.
    pub fn get(&self, index: usize) -> Option<TocEntry<'_>> {
        self.rows.get(index).map(|row| self.entry(row))
    }

    /// All entries.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = TocEntry<'_>> + DoubleEndedIterator + Clone {
        self.rows.iter().map(|row| self.entry(row))
    }

    /// About how many bytes of memory the table takes.
    pub fn memory(&self) -> usize {
        self.arena.capacity()
            + self.rows.capacity() * size_of::<Row>()
            + self.pairs.capacity() * size_of::<(Text, Text)>()
    }

    /// Bytes of all strings.
    pub(super) fn text_bytes(&self) -> usize {
        self.arena.len()
    }

    /// PAX records of all entries.
    pub(super) fn pair_count(&self) -> usize {
        self.pairs.len()
    }

    /// Adds an entry; its records come from `xattrs`, keys ascending.
    ///
    /// The caller has checked that the strings fit: `text_bytes` stays below 4 GiB.
    pub(super) fn push<'a>(
        &mut self,
        entry: &TocEntry<'_>,
        xattrs: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) {
        let first_pair = self.pairs.len() as u32;
        for (key, value) in xattrs {
            let key = self.intern(key);
            let value = self.store(value);
            self.pairs.push((key, value));
        }
        let modified = match self.rows.last() {
            Some(last) if last.modified.of(&self.arena) == entry.modified => last.modified,
            _ => self.store(entry.modified),
        };
        let row = Row {
            offset: entry.offset,
            size: entry.size,
            mode: entry.mode,
            device_major: entry.device_major,
            device_minor: entry.device_minor,
            uid: entry.uid,
            gid: entry.gid,
            name: self.store(entry.name),
            link_name: self.store(entry.link_name),
            user_name: self.intern(entry.user_name),
            group_name: self.intern(entry.group_name),
            modified,
            first_pair,
            pairs: self.pairs.len() as u32 - first_pair,
            entry_type: entry.entry_type,
            owner_was_cut: false,
        };
        self.rows.push(row);
    }

    /// Notes of the entry pushed last that its header tells an owner of more than 32 bits.
    pub(super) fn cut_owner(&mut self) {
        if let Some(row) = self.rows.last_mut() {
            row.owner_was_cut = true;
        }
    }

    /// The same table, of which these entries are known to have headers that tell an owner of more than 32 bits.
    #[must_use]
    pub fn with_cut_owners(mut self, entries: &[usize]) -> Self {
        for index in entries {
            if let Some(row) = self.rows.get_mut(*index) {
                row.owner_was_cut = true;
            }
        }
        self
    }

    /// Whether an entry's header is known to tell an owner or group that 32 bits do not hold: then a reader
    /// that compares the header with the zTOC finds them different. Only known of a table that was just built
    /// from its layer or compared with it, not of one that was read from a zTOC.
    pub fn owner_was_cut(&self, index: usize) -> bool {
        self.rows.get(index).is_some_and(|row| row.owner_was_cut)
    }

    fn entry<'a>(&'a self, row: &'a Row) -> TocEntry<'a> {
        let arena = &self.arena;
        let first = row.first_pair as usize;
        TocEntry {
            name: row.name.of(arena),
            entry_type: row.entry_type,
            offset: row.offset,
            size: row.size,
            link_name: row.link_name.of(arena),
            mode: row.mode,
            uid: row.uid,
            gid: row.gid,
            user_name: row.user_name.of(arena),
            group_name: row.group_name.of(arena),
            modified: row.modified.of(arena),
            device_major: row.device_major,
            device_minor: row.device_minor,
            xattrs: Xattrs {
                pairs: &self.pairs[first..first + row.pairs as usize],
                arena,
            },
        }
    }

    fn store(&mut self, text: &[u8]) -> Text {
        let start = self.arena.len() as u32;
        self.arena.extend_from_slice(text);
        Text {
            start,
            length: text.len() as u32,
        }
    }

    fn intern(&mut self, text: &[u8]) -> Text {
        if text.len() > LONGEST_INTERNED {
            return self.store(text);
        }
        if let Some(known) = self.interned.iter().find(|known| known.of(&self.arena) == text) {
            return *known;
        }
        let stored = self.store(text);
        if self.interned.len() < INTERNED {
            self.interned.push(stored);
        }
        stored
    }
}

impl core::fmt::Debug for Toc {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl PartialEq for Toc {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Toc {}

/// Longer strings are stored each time: comparing them could take hours in a file made for it.
const LONGEST_INTERNED: usize = 255;

/// How many strings are looked up before a new one is stored: a layer has a handful of owners.
const INTERNED: usize = 32;

/// A range of the arena.
#[derive(Clone, Copy)]
struct Text {
    start: u32,
    length: u32,
}

impl Text {
    fn of(self, arena: &[u8]) -> &[u8] {
        let start = self.start as usize;
        &arena[start..start + self.length as usize]
    }
}

/// An entry: 104 bytes.
#[derive(Clone)]
struct Row {
    offset: u64,
    size: i64,
    mode: i64,
    device_major: i64,
    device_minor: i64,
    uid: u32,
    gid: u32,
    name: Text,
    link_name: Text,
    user_name: Text,
    group_name: Text,
    modified: Text,
    first_pair: u32,
    pairs: u32,
    entry_type: EntryType,
    owner_was_cut: bool,
}
