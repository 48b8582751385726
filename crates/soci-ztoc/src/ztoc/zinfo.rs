//! Where the spans of a layer begin, as values. What is written of them: `checkpoint`.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Deref;

use super::checkpoint::{PLAIN_HEADER, RECORD_BITS, invalid, record_at};
use super::limits::MOST_CHECKPOINTS;
use super::shape::BlockEnd;
use crate::Error;
use crate::inflate::WINDOW_SIZE;

/// Where the spans of a layer begin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Zinfo {
    /// Checkpoints in a gzip stream.
    Gzip(GzipZinfo),
    /// Equal stretches of a plain tar.
    Uncompressed(TarZinfo),
}

/// The checkpoints of a gzip layer: at least one, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GzipZinfo {
    pub(super) span_size: i64,
    pub(super) checkpoints: Vec<Checkpoint>,
    pub(super) first_form: bool,
}

impl GzipZinfo {
    /// These checkpoints, one per span, and the span size asked for at build in uncompressed bytes.
    ///
    /// # Errors
    /// [`Error::InvalidCheckpoints`] when there are none or they do not ascend,
    /// [`Error::ZtocTooLarge`] beyond 65,501.
    pub fn new(span_size: i64, checkpoints: Vec<Checkpoint>) -> Result<Self, Error> {
        if checkpoints.is_empty() {
            return Err(invalid(0, "the number of checkpoints is not positive"));
        }
        if checkpoints.len() > MOST_CHECKPOINTS {
            return Err(Error::ZtocTooLarge {
                what: "checkpoints",
                found: checkpoints.len() as u64,
                limit: MOST_CHECKPOINTS as u64,
            });
        }
        let falls = |pair: &[Checkpoint]| {
            pair[0].compressed_offset > pair[1].compressed_offset
                || pair[0].uncompressed_offset > pair[1].uncompressed_offset
        };
        match checkpoints.windows(2).position(falls) {
            Some(at) => Err(invalid(record_at(at + 1), "the checkpoints do not ascend")),
            None => Ok(GzipZinfo {
                span_size,
                checkpoints,
                first_form: false,
            }),
        }
    }

    /// The same checkpoints, to be written in the first form of the blob, which leaves out the first
    /// one: it says that this lies after a gzip header of 10 bytes.
    ///
    /// # Errors
    /// [`Error::InvalidCheckpoints`] when it lies elsewhere.
    pub fn into_first_form(self) -> Result<Self, Error> {
        if self.checkpoints.first() != Some(&Checkpoint::after_a_plain_header()) {
            return Err(invalid(
                0,
                "the first checkpoint does not lie after a plain header",
            ));
        }
        Ok(GzipZinfo {
            first_form: true,
            ..self
        })
    }

    /// The span size asked for at build, in uncompressed bytes, as the file tells it.
    pub fn span_size(&self) -> i64 {
        self.span_size
    }

    /// One per span, ascending.
    pub fn checkpoints(&self) -> &[Checkpoint] {
        &self.checkpoints
    }

    /// Whether the blob has the first form, which leaves the first checkpoint out.
    pub fn is_first_form(&self) -> bool {
        self.first_form
    }
}

/// A place in a gzip stream from which inflating can begin.
#[derive(Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub(super) compressed_offset: u64,
    pub(super) uncompressed_offset: u64,
    pub(super) bits: u8,
    pub(super) window: Window,
}

impl Checkpoint {
    /// A place after so many bytes of the layer and of its output, with so many high-order bits of
    /// the byte before it still unread, and the output before it.
    ///
    /// # Errors
    /// [`Error::InvalidCheckpoints`] when there cannot be such a place; its offset counts from the
    /// checkpoint's first byte in the blob.
    pub fn new(
        compressed_offset: u64,
        uncompressed_offset: u64,
        bits: u8,
        window: Window,
    ) -> Result<Self, Error> {
        for (at, offset) in [(0, compressed_offset), (8, uncompressed_offset)] {
            if i64::try_from(offset).is_err() {
                return Err(invalid(at, "an offset is negative"));
            }
        }
        if bits > 7 || (bits > 0 && compressed_offset == 0) {
            return Err(invalid(RECORD_BITS, "the number of unread bits is wrong"));
        }
        Ok(Checkpoint {
            compressed_offset,
            uncompressed_offset,
            bits,
            window,
        })
    }

    /// What the first form of the blob assumes for the first checkpoint.
    pub(super) fn after_a_plain_header() -> Self {
        Checkpoint {
            compressed_offset: PLAIN_HEADER,
            uncompressed_offset: 0,
            bits: 0,
            window: Window::default(),
        }
    }

    /// Offset in the layer of the first compressed byte that is wholly unread.
    pub fn compressed_offset(&self) -> u64 {
        self.compressed_offset
    }

    /// Uncompressed bytes before this place.
    pub fn uncompressed_offset(&self) -> u64 {
        self.uncompressed_offset
    }

    /// How many high-order bits of the byte before [`compressed_offset`](Checkpoint::compressed_offset)
    /// are still unread, 0 to 7.
    pub fn bits(&self) -> u8 {
        self.bits
    }

    /// The 32 KiB of output before this place, oldest first; zeros in front where there are fewer.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Where it is.
    pub fn block_end(&self) -> BlockEnd {
        BlockEnd {
            compressed: self.compressed_offset,
            uncompressed: self.uncompressed_offset,
            bits: self.bits,
        }
    }

    /// The first byte needed to begin here: the one before
    /// [`compressed_offset`](Checkpoint::compressed_offset) if bits of it are unread.
    pub fn start(&self) -> u64 {
        // Bits can only be left of a byte that is there.
        self.compressed_offset - u64::from(self.bits > 0)
    }
}

impl core::fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Checkpoint")
            .field("compressed_offset", &self.compressed_offset)
            .field("uncompressed_offset", &self.uncompressed_offset)
            .field("bits", &self.bits)
            .finish_non_exhaustive()
    }
}

/// The 32 KiB of output before a checkpoint. Memory is taken only once they are not all zero: a
/// layer can begin with any number of empty blocks, each with a checkpoint that has no history.
#[derive(Clone, Default)]
pub struct Window(Option<Box<[u8; WINDOW_SIZE]>>);

impl Window {
    /// The window of these bytes.
    pub fn new(bytes: &[u8; WINDOW_SIZE]) -> Self {
        if bytes == &NO_HISTORY {
            return Window::default();
        }
        // Made on the heap: 32 KiB are much for a stack.
        let bytes = bytes.to_vec().into_boxed_slice();
        Window(Some(
            bytes.try_into().expect("the slice has the length of a window"),
        ))
    }
}

impl Deref for Window {
    type Target = [u8; WINDOW_SIZE];

    fn deref(&self) -> &[u8; WINDOW_SIZE] {
        self.0.as_deref().unwrap_or(&NO_HISTORY)
    }
}

impl core::fmt::Debug for Window {
    /// 32 KiB say nothing to anybody.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Window").finish_non_exhaustive()
    }
}

impl PartialEq for Window {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Window {}

static NO_HISTORY: [u8; WINDOW_SIZE] = [0; WINDOW_SIZE];

/// The cut of a plain tar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TarZinfo {
    pub(super) version: i32,
    pub(super) span_size: u64,
    pub(super) size: u64,
}

impl TarZinfo {
    /// The version that is written.
    const VERSION: i32 = 2;

    /// A layer of so many bytes in spans of so many bytes.
    ///
    /// # Errors
    /// [`Error::InvalidZtoc`] when the spans would have no bytes although the layer has some, or a
    /// size has more than 63 bits.
    pub fn new(span_size: u64, size: u64) -> Result<Self, Error> {
        let zinfo = TarZinfo {
            version: TarZinfo::VERSION,
            span_size,
            size,
        };
        zinfo.checked(0)
    }

    /// What the type promises; `at` is where a fault is told to be.
    pub(super) fn checked(self, at: usize) -> Result<Self, Error> {
        let what = if i64::try_from(self.span_size).is_err() {
            "the span size is negative"
        } else if i64::try_from(self.size).is_err() {
            "the size of the layer is negative"
        } else if self.size > 0 && self.span_size == 0 {
            "the span size is 0"
        } else {
            return Ok(self);
        };
        let offset = at as u64;
        Err(Error::InvalidZtoc { offset, what })
    }

    /// The blob's version, 2.
    pub fn version(&self) -> i32 {
        self.version
    }

    /// Bytes of a span; not 0 unless the layer is empty.
    pub fn span_size(&self) -> u64 {
        self.span_size
    }

    /// Bytes of the layer.
    pub fn size(&self) -> u64 {
        self.size
    }
}
