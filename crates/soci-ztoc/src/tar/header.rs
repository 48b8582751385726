//! One header block: checksum, dialect, fields (`docs/tar.md`, section 1).
//!
//! | offset | bytes | field | | offset | bytes | field |
//! |---|---|---|---|---|---|---|
//! | 0 | 100 | name | | 257 | 6 + 2 | magic, version |
//! | 100 | 8 | mode | | 265 | 32 | user name |
//! | 108 | 8 | user id | | 297 | 32 | group name |
//! | 116 | 8 | group id | | 329 | 8 | device major |
//! | 124 | 12 | size | | 337 | 8 | device minor |
//! | 136 | 12 | modification time | | 345 | 155 | ustar: prefix |
//! | 148 | 8 | checksum | | 345 | 131 | star: prefix; 476 and 488 times; 508 `tar\0` |
//! | 156 | 1 | type | | 345 | 12 + 12 | GNU: access and change time |
//! | 157 | 100 | link name | | 386 | 97 | GNU: sparse map; 483 real size |

use alloc::vec::Vec;
use core::ops::Range;

use super::number::{c_string, numeric, octal};
use super::time::Timestamp;

/// Bytes of a block.
pub(super) const BLOCK: usize = 512;

/// Who wrote the header, as magic and version tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Dialect {
    #[default]
    V7,
    Ustar,
    Gnu,
    Star,
}

/// The fields of one header, owned so that they outlive their block; reused for the next header.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) dialect: Dialect,
    pub(super) type_flag: u8,
    pub(super) name: Vec<u8>,
    pub(super) link_name: Vec<u8>,
    pub(super) size: i64,
    pub(super) mode: i64,
    pub(super) uid: i64,
    pub(super) gid: i64,
    pub(super) user_name: Vec<u8>,
    pub(super) group_name: Vec<u8>,
    pub(super) modified: Timestamp,
    pub(super) device_major: i64,
    pub(super) device_minor: i64,
}

impl Fields {
    /// Reads a block that is not all zero; the error names the field that is wrong.
    pub(super) fn read(&mut self, block: &[u8; BLOCK]) -> Result<(), &'static str> {
        self.dialect = dialect(block)?;
        self.type_flag = block[156];
        set(&mut self.name, c_string(&block[..100]));
        set(&mut self.link_name, c_string(&block[157..257]));
        self.size = numeric(&block[124..136]).ok_or("the size is not a number")?;
        self.mode = numeric(&block[100..108]).ok_or("the mode is not a number")?;
        self.uid = numeric(&block[108..116]).ok_or("the user id is not a number")?;
        self.gid = numeric(&block[116..124]).ok_or("the group id is not a number")?;
        self.modified = Timestamp::from_seconds(
            numeric(&block[136..148]).ok_or("the modification time is not a number")?,
        );
        self.user_name.clear();
        self.group_name.clear();
        (self.device_major, self.device_minor) = (0, 0);
        if self.dialect == Dialect::V7 {
            return Ok(());
        }
        set(&mut self.user_name, c_string(&block[265..297]));
        set(&mut self.group_name, c_string(&block[297..329]));
        self.device_major = numeric(&block[329..337]).ok_or("the device major is not a number")?;
        self.device_minor = numeric(&block[337..345]).ok_or("the device minor is not a number")?;
        let prefix = match self.dialect {
            Dialect::Ustar => c_string(&block[USTAR_PREFIX]),
            Dialect::Star => {
                numeric(&block[476..488]).ok_or("the access time is not a number")?;
                numeric(&block[488..500]).ok_or("the change time is not a number")?;
                c_string(&block[345..476])
            }
            _ => gnu_prefix(block),
        };
        if !prefix.is_empty() {
            self.name.insert(0, b'/');
            self.name.splice(0..0, prefix.iter().copied());
        }
        Ok(())
    }
}

/// Whether entries of this type have no data, whatever their size says.
pub(super) fn is_header_only(type_flag: u8) -> bool {
    matches!(type_flag, b'1'..=b'6')
}

const USTAR_PREFIX: Range<usize> = 345..500;

fn set(target: &mut Vec<u8>, value: &[u8]) {
    target.clear();
    target.extend_from_slice(value);
}

/// GNU headers have times where ustar has its prefix. Old Go versions wrote a prefix there all the
/// same: it is taken when the times are no numbers and the bytes are ASCII.
fn gnu_prefix(block: &[u8; BLOCK]) -> &[u8] {
    let is_time = |field: &[u8]| field[0] == 0 || numeric(field).is_some();
    let prefix = c_string(&block[USTAR_PREFIX]);
    if (is_time(&block[345..357]) && is_time(&block[357..369])) || !prefix.is_ascii() {
        return &[];
    }
    prefix
}

fn dialect(block: &[u8; BLOCK]) -> Result<Dialect, &'static str> {
    let stored = octal(&block[148..156]).ok_or("the checksum is not a number")?;
    // The checksum field itself counts as eight spaces.
    let spaces = 8 * i64::from(b' ');
    let sum = |part: &[u8]| part.iter().map(|&byte| u32::from(byte)).sum::<u32>();
    let unsigned = i64::from(sum(&block[..148]) + sum(&block[156..])) + spaces;
    if stored != unsigned {
        // Some old writers summed signed characters: every byte from 128 on counts 256 less.
        let high = |part: &[u8]| part.iter().filter(|&&byte| byte >= 0x80).count() as i64;
        if stored != unsigned - 256 * (high(&block[..148]) + high(&block[156..])) {
            return Err("the checksum does not match");
        }
    }
    Ok(match (&block[257..263], &block[263..265]) {
        (b"ustar\0", _) if &block[508..] == b"tar\0" => Dialect::Star,
        (b"ustar\0", _) => Dialect::Ustar,
        (b"ustar ", b" \0") => Dialect::Gnu,
        _ => Dialect::V7,
    })
}
