//! PAX extended headers: records `LENGTH KEY=VALUE\n` (`docs/tar.md`, section 3).

use alloc::vec::Vec;
use core::ops::Range;

use super::header::Fields;
use super::number::decimal;
use super::time::Timestamp;

/// The records in force for one entry, keys ascending and unique.
#[derive(Debug, Default)]
pub(super) struct Records {
    bytes: Vec<u8>,
    /// Key and value, as ranges of `bytes`.
    pairs: Vec<(Range<usize>, Range<usize>)>,
}

impl Records {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.pairs.clear();
    }

    /// Replaces the records by those of an extended header's data.
    pub(super) fn read(&mut self, data: &[u8]) -> Result<(), &'static str> {
        self.clear();
        self.bytes.extend_from_slice(data);
        let mut sparse_numbers: Vec<Range<usize>> = Vec::new();
        let mut at = 0;
        while at < self.bytes.len() {
            let (key, value, next) = record(&self.bytes, at)?;
            at = next;
            // Sparse format 0.0 repeats two keys, which no map of records can hold: their numbers
            // are joined into the one record of format 0.1.
            let expected = match &self.bytes[key.clone()] {
                SPARSE_OFFSET => 0,
                SPARSE_LENGTH => 1,
                _ => {
                    self.pairs.push((key, value));
                    continue;
                }
            };
            if sparse_numbers.len() % 2 != expected || self.bytes[value.clone()].contains(&b',') {
                return Err("sparse offsets and lengths do not alternate");
            }
            sparse_numbers.push(value);
        }
        if !sparse_numbers.is_empty() {
            self.join(&sparse_numbers);
        }
        // Of equal keys the last one counts.
        self.pairs.reverse();
        let bytes = &self.bytes;
        self.pairs
            .sort_by(|left, right| bytes[left.0.clone()].cmp(&bytes[right.0.clone()]));
        self.pairs
            .dedup_by(|next, kept| bytes[next.0.clone()] == bytes[kept.0.clone()]);
        Ok(())
    }

    fn join(&mut self, numbers: &[Range<usize>]) {
        let key = self.bytes.len();
        self.bytes.extend_from_slice(SPARSE_MAP);
        let value = self.bytes.len();
        for (index, number) in numbers.iter().enumerate() {
            if index > 0 {
                self.bytes.push(b',');
            }
            self.bytes.extend_from_within(number.clone());
        }
        self.pairs.push((key..value, value..self.bytes.len()));
    }

    /// The value of a key; empty when there is none, which means the same everywhere.
    pub(super) fn get(&self, key: &[u8]) -> &[u8] {
        match self
            .pairs
            .binary_search_by(|pair| self.bytes[pair.0.clone()].cmp(key))
        {
            Ok(index) => &self.bytes[self.pairs[index].1.clone()],
            Err(_) => &[],
        }
    }

    /// All records, keys ascending.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> {
        self.pairs
            .iter()
            .map(|(key, value)| (&self.bytes[key.clone()], &self.bytes[value.clone()]))
    }

    /// Overrides header fields; an empty value keeps the header's.
    pub(super) fn apply(&self, fields: &mut Fields) -> Result<(), &'static str> {
        for (key, value) in self.iter().filter(|(_, value)| !value.is_empty()) {
            match key {
                b"path" => fields.name = value.to_vec(),
                b"linkpath" => fields.link_name = value.to_vec(),
                b"uname" => fields.user_name = value.to_vec(),
                b"gname" => fields.group_name = value.to_vec(),
                b"uid" => fields.uid = decimal(value).ok_or("the PAX user id is not a number")?,
                b"gid" => fields.gid = decimal(value).ok_or("the PAX group id is not a number")?,
                b"size" => fields.size = decimal(value).ok_or("the PAX size is not a number")?,
                b"mtime" => {
                    fields.modified =
                        Timestamp::from_pax(value).ok_or("the PAX modification time is not a time")?;
                }
                // Not kept, but a wrong one is an error all the same.
                b"atime" | b"ctime" => {
                    Timestamp::from_pax(value).ok_or("a PAX time is not a time")?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

pub(super) const SPARSE_MAP: &[u8] = b"GNU.sparse.map";
const SPARSE_OFFSET: &[u8] = b"GNU.sparse.offset";
const SPARSE_LENGTH: &[u8] = b"GNU.sparse.numbytes";

/// Reads the record at `at`: key, value and where the next one begins.
fn record(bytes: &[u8], at: usize) -> Result<(Range<usize>, Range<usize>, usize), &'static str> {
    let rest = &bytes[at..];
    let blank = rest
        .iter()
        .position(|&byte| byte == b' ')
        .ok_or("a PAX record has no length")?;
    let length = decimal(&rest[..blank])
        .and_then(|length| usize::try_from(length).ok())
        .filter(|&length| (5..=rest.len()).contains(&length) && length > blank + 1)
        .ok_or("the length of a PAX record is wrong")?;
    if rest[length - 1] != b'\n' {
        return Err("a PAX record does not end with a newline");
    }
    let body = &rest[blank + 1..length - 1];
    let equals = body
        .iter()
        .position(|&byte| byte == b'=')
        .ok_or("a PAX record has no '='")?;
    let (key, value) = (&body[..equals], &body[equals + 1..]);
    if key.is_empty() {
        return Err("a PAX record has no key");
    }
    let checked = match key {
        b"path" | b"linkpath" | b"uname" | b"gname" => value,
        _ => key,
    };
    if checked.contains(&0) {
        return Err("a PAX record holds a NUL");
    }
    let key_start = at + blank + 1;
    let value_start = key_start + equals + 1;
    let end = at + length;
    Ok((key_start..value_start - 1, value_start..end - 1, end))
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

    fn read(data: &[u8]) -> Result<Pairs, &'static str> {
        let mut records = Records::default();
        records.read(data)?;
        Ok(records
            .iter()
            .map(|(key, value)| (key.to_vec(), value.to_vec()))
            .collect())
    }

    #[test]
    fn records_are_sorted_and_the_last_of_equal_keys_counts() {
        let pairs = read(b"8 b=old\n8 b=new\n6 a=1\n5 c=\n").expect("four good records");
        assert_eq!(
            pairs,
            vec![
                (b"a".to_vec(), b"1".to_vec()),
                (b"b".to_vec(), b"new".to_vec()),
                (b"c".to_vec(), vec![])
            ]
        );
    }

    #[test]
    fn values_hold_any_byte_but_lengths_must_fit() {
        assert_eq!(
            read(b"9 k=\xff\0==\n"),
            Ok(vec![(b"k".to_vec(), b"\xff\0==".to_vec())])
        );
        for bad in [
            &b"9 k=v\n"[..],
            b"5 k=v\n",
            b"6 k v\n",
            b"5 =v\n",
            b"k=v\n",
            b"-6 k=v\n",
            b"6  =v\n\n",
            b"9 path=\0\n",
            b"6 \0=v\n",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn numbers_of_sparse_format_0_0_are_joined() {
        let data = b"23 GNU.sparse.offset=1\n25 GNU.sparse.numbytes=2\n23 GNU.sparse.offset=5\n25 GNU.sparse.numbytes=3\n";
        assert_eq!(read(data), Ok(vec![(SPARSE_MAP.to_vec(), b"1,2,5,3".to_vec())]));
        assert!(read(b"25 GNU.sparse.numbytes=2\n").is_err());
    }
}
