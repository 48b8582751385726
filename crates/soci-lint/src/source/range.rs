//! Stretches of a text file, and where they are for people and editors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A stretch of a text file: byte offsets, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TextRange {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl TextRange {
    /// The stretch from `start` to `end`; an end before the start counts as empty.
    pub fn new(start: usize, end: usize) -> Self {
        Self {
            start,
            end: end.max(start),
        }
    }

    /// The smallest stretch that holds both.
    pub fn cover(self, other: Self) -> Self {
        Self::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// Whether `offset` lies inside, the end included.
    pub fn touches(self, offset: usize) -> bool {
        self.start <= offset && offset <= self.end
    }

    /// The text of the stretch; empty if it is not one of `text`.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or("")
    }
}

/// A stretch of one of the files of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Place {
    pub(crate) file: usize,
    pub(crate) range: TextRange,
}

impl Place {
    pub(crate) fn new(file: usize, range: TextRange) -> Self {
        Self { file, range }
    }

    /// The same file's stretch that holds both; this one if the other is elsewhere.
    pub(crate) fn cover(self, other: Self) -> Self {
        match self.file == other.file {
            true => Self::new(self.file, self.range.cover(other.range)),
            false => self,
        }
    }
}

/// One place in a file, in every unit a reader may need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Position {
    /// Bytes from the start of the file, a byte order mark included.
    pub byte: u32,
    /// UTF-16 code units from the start of the file, a byte order mark included (CodeMirror, JavaScript strings).
    pub utf16: u32,
    /// 1-based line; `\r\n`, `\n` and a lone `\r` end one.
    pub line: u32,
    /// 1-based column in UTF-8 bytes; a byte order mark has no column.
    pub column: u32,
    /// 1-based column in UTF-16 code units (GitHub, SARIF, language servers add one); a byte order mark has no column.
    pub column_utf16: u32,
}

/// From `start` to `end`, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// First place.
    pub start: Position,
    /// One past the last place.
    pub end: Position,
}

/// Turns byte offsets into positions, in logarithmic time whatever the lines look like.
///
/// Every [`STEP`] bytes the UTF-16 length so far is kept, so that a 50 MB line costs no more
/// per look-up than a short one.
#[derive(Debug)]
pub(crate) struct LineIndex<'t> {
    bytes: &'t [u8],
    line_starts: Vec<usize>,
    utf16_before: Vec<usize>,
}

const STEP: usize = 1024;
/// The UTF-8 byte order mark.
pub(crate) const BOM: &[u8] = b"\xEF\xBB\xBF";

impl<'t> LineIndex<'t> {
    pub(crate) fn new(bytes: &'t [u8]) -> Self {
        let mut line_starts = vec![0];
        let mut utf16_before = Vec::with_capacity(bytes.len() / STEP + 1);
        let mut utf16 = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            if at % STEP == 0 {
                utf16_before.push(utf16);
            }
            utf16 += utf16_units(byte);
            let lone_return = byte == b'\r' && bytes.get(at + 1) != Some(&b'\n');
            if byte == b'\n' || lone_return {
                line_starts.push(at + 1);
            }
        }
        if bytes.len().is_multiple_of(STEP) {
            utf16_before.push(utf16);
        }
        Self {
            bytes,
            line_starts,
            utf16_before,
        }
    }

    pub(crate) fn location(&self, range: TextRange) -> Location {
        Location {
            start: self.position(range.start),
            end: self.position(range.end),
        }
    }

    pub(crate) fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.bytes.len());
        let line = self.line_of(offset);
        let mut line_start = self.line_starts[line];
        if line == 0 && self.bytes.starts_with(BOM) {
            line_start = BOM.len().min(offset);
        }
        let utf16 = self.utf16_at(offset);
        Position {
            byte: narrow(offset),
            utf16: narrow(utf16),
            line: narrow(line + 1),
            column: narrow(offset - line_start + 1),
            column_utf16: narrow(utf16 - self.utf16_at(line_start) + 1),
        }
    }

    /// 0-based line of a byte offset.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.line_starts
            .partition_point(|&start| start <= offset)
            .saturating_sub(1)
    }

    /// The bytes of a 0-based line with its line end; empty past the last line.
    pub(crate) fn line_range(&self, line: usize) -> TextRange {
        let start = self.line_starts.get(line).copied();
        let end = self.line_starts.get(line + 1).copied();
        let len = self.bytes.len();
        TextRange::new(start.unwrap_or(len), end.unwrap_or(len))
    }

    pub(crate) fn lines(&self) -> usize {
        self.line_starts.len()
    }

    fn utf16_at(&self, offset: usize) -> usize {
        let step = offset / STEP;
        let tail: usize = self.bytes[step * STEP..offset]
            .iter()
            .map(|&byte| utf16_units(byte))
            .sum();
        self.utf16_before[step] + tail
    }
}

/// UTF-16 code units that begin with this UTF-8 byte.
fn utf16_units(byte: u8) -> usize {
    match byte {
        0x80..=0xBF => 0,
        0xF0..=0xFF => 2,
        _ => 1,
    }
}

/// Files above [`super::MAX_BYTES`] are not read, so every offset fits.
fn narrow(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn line_ends_of_every_kind_count_once() {
        let index = LineIndex::new(b"a\r\nb\rc\nd");
        let lines: Vec<u32> = [0, 3, 5, 7].map(|at| index.position(at).line).to_vec();
        assert_eq!(lines, [1, 2, 3, 4]);
    }

    #[test]
    fn a_byte_order_mark_has_no_column() {
        let index = LineIndex::new("\u{FEFF}{\n\"é\"".as_bytes());
        let brace = index.position(3);
        assert_eq!((brace.line, brace.column, brace.utf16), (1, 1, 1));
        let after = index.position(9);
        assert_eq!((after.line, after.column, after.column_utf16), (2, 5, 4));
    }

    proptest! {
        #[test]
        fn positions_equal_a_plain_count(text in "[a-zé😀\r\n]{0,3000}", pick in 0usize..3000) {
            let index = LineIndex::new(text.as_bytes());
            let offset = text.char_indices().map(|(at, _)| at).chain([text.len()])
                .nth(pick.min(text.chars().count())).unwrap();
            let before = &text[..offset];
            let line_start = before.char_indices()
                .filter(|&(at, c)| c == '\n' || (c == '\r' && text.as_bytes().get(at + 1) != Some(&b'\n')))
                .map(|(at, _)| at + 1).next_back().unwrap_or(0);
            let got = index.position(offset);
            prop_assert_eq!(got.utf16 as usize, before.encode_utf16().count());
            prop_assert_eq!(got.column as usize, offset - line_start + 1);
            prop_assert_eq!(got.column_utf16 as usize, text[line_start..offset].encode_utf16().count() + 1);
        }
    }
}
