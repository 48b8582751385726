//! Bytes against their descriptor: the one place where they are counted, hashed and compared.

use soci_image::digest::Hasher;
use soci_image::{Descriptor, Digest};

use crate::store::{AnySource, Blob, Source};
use crate::{Error, Result};

/// Counts and hashes what passes.
pub(crate) struct Check {
    digest: Digest,
    expected: u64,
    size: u64,
    /// `None`: somebody else hashes the same bytes.
    hasher: Option<Hasher>,
}

/// What bytes are instead of their descriptor's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// So many bytes; where too many came, not all of them were counted.
    Size(u64),
    /// Bytes of another digest.
    Digest(Digest),
}

impl Check {
    /// Nothing has passed yet.
    pub(crate) fn new(descriptor: &Descriptor) -> Self {
        Self {
            hasher: Some(descriptor.digest.algorithm().hasher()),
            ..Self::counting(descriptor)
        }
    }

    /// The same where the digest comes from elsewhere: [`Check::finish_with`].
    pub(crate) fn counting(descriptor: &Descriptor) -> Self {
        Self {
            digest: descriptor.digest.clone(),
            expected: descriptor.size,
            size: 0,
            hasher: None,
        }
    }

    /// Takes the next bytes; the first one too many is an error at once.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), Mismatch> {
        self.size += bytes.len() as u64;
        if self.size > self.expected {
            return Err(Mismatch::Size(self.size));
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        Ok(())
    }

    /// The end of the bytes.
    pub(crate) fn finish(self) -> Result<(), Mismatch> {
        self.finish_with(None)
    }

    /// The end, with the digest of whoever hashed them.
    pub(crate) fn finish_with(self, found: Option<Digest>) -> Result<(), Mismatch> {
        if self.size != self.expected {
            return Err(Mismatch::Size(self.size));
        }
        match self.hasher.map(Hasher::finish).or(found) {
            Some(found) if found != self.digest => Err(Mismatch::Digest(found)),
            _ => Ok(()),
        }
    }
}

impl Mismatch {
    /// As an error about a blob that is called `what`.
    pub(crate) fn of(self, what: &'static str, descriptor: &Descriptor) -> Error {
        let expected = descriptor.digest.clone();
        match self {
            Self::Size(found) => Error::SizeMismatch {
                what,
                digest: expected,
                expected: descriptor.size,
                found,
            },
            Self::Digest(found) => Error::DigestMismatch {
                what,
                expected,
                found,
            },
        }
    }
}

/// A whole blob in memory, compared; the caller has compared the size that the descriptor tells with a limit.
pub(crate) async fn read(source: &AnySource, descriptor: &Descriptor) -> Result<Result<Vec<u8>, Mismatch>> {
    let mut bytes = Vec::new();
    let passed = pass(source, descriptor, |piece| bytes.extend_from_slice(piece)).await?;
    Ok(passed.map(|()| bytes))
}

/// A whole blob, compared; its bytes go where the caller wants them, none behind the first too many.
pub(crate) async fn pass(
    source: &AnySource,
    descriptor: &Descriptor,
    mut to: impl FnMut(&[u8]),
) -> Result<Result<(), Mismatch>> {
    let mut blob = source.open(descriptor).await?;
    let mut check = Check::new(descriptor);
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = blob.read(&mut buffer).await?;
        if count == 0 {
            return Ok(check.finish());
        }
        if let Err(mismatch) = check.take(&buffer[..count]) {
            return Ok(Err(mismatch));
        }
        to(&buffer[..count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_taken_only_in_their_size_and_with_their_digest() {
        let good = Descriptor::of("", b"hello");
        let outcome = |descriptor: &Descriptor, pieces: &[&[u8]]| {
            let mut check = Check::new(descriptor);
            for piece in pieces {
                check.take(piece)?;
            }
            check.finish()
        };
        assert_eq!(outcome(&good, &[b"he", b"", b"llo"]), Ok(()));
        assert_eq!(outcome(&good, &[b"hell"]), Err(Mismatch::Size(4)));
        assert_eq!(outcome(&good, &[b"hello", b"o", b"!"]), Err(Mismatch::Size(6)));
        let other = Digest::sha256(b"hallo");
        assert_eq!(outcome(&good, &[b"hallo"]), Err(Mismatch::Digest(other)));
        let mut hasher = soci_image::digest::Algorithm::Sha512.hasher();
        hasher.update(b"hello");
        let long = Descriptor::new("", hasher.finish(), 5);
        assert_eq!(outcome(&long, &[b"hello"]), Ok(()));
        assert!(matches!(outcome(&long, &[b"hallo"]), Err(Mismatch::Digest(_))));
    }
}
