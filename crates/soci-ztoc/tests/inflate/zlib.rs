//! zlib itself, stopped at every block end: the oracle for boundaries.
//!
//! The loop is the reference's checkpoint pass: gzip wrapper, `Z_BLOCK`, a ring of 32 KiB for the
//! output, in 16 KiB reads.
#![allow(unsafe_code, reason = "zlib's C interface, in tests only")]

use std::ffi::CStr;
use std::mem::{MaybeUninit, size_of};
use std::os::raw::c_int;

use libz_sys as z;
use soci_ztoc::inflate::WINDOW_SIZE;

/// A `Z_BLOCK` stop that is not the end of a member's last block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) compressed_offset: u64,
    pub(crate) bits: u8,
    pub(crate) uncompressed_offset: u64,
    pub(crate) window: Vec<u8>,
}

/// What zlib makes of a gzip stream, up to its end or to what is wrong.
pub(crate) struct Inflated {
    pub(crate) output: Vec<u8>,
    pub(crate) stops: Vec<Stop>,
    pub(crate) fault: Option<Fault>,
}

/// What zlib finds wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Its own words.
    Message(String),
    /// The stream ends inside a member, or has none.
    Truncated,
}

/// Inflates all members.
pub(crate) fn inflate(gzip: &[u8]) -> Inflated {
    /// gzip only, 32 KiB window.
    const WINDOW_BITS: c_int = 15 + 16;
    const READ: usize = 16 << 10;

    let mut zeroed = MaybeUninit::<z::z_stream>::zeroed();
    // SAFETY: zlib's documentation asks for null allocators and input before inflateInit2; in the
    // binding those are `Option`s and raw pointers except for the allocators, which are set here.
    let stream = unsafe {
        let stream = zeroed.as_mut_ptr();
        std::ptr::addr_of_mut!((*stream).zalloc).write(alloc);
        std::ptr::addr_of_mut!((*stream).zfree).write(free);
        &mut *stream
    };
    // SAFETY: the stream is set up as above and outlives all calls; inflateEnd is called once.
    unsafe {
        assert_eq!(
            z::inflateInit2_(
                stream,
                WINDOW_BITS,
                z::zlibVersion(),
                size_of::<z::z_stream>() as c_int
            ),
            z::Z_OK
        );
    }
    let result = run(stream, gzip, READ);
    // SAFETY: initialised above.
    unsafe { z::inflateEnd(stream) };
    result
}

fn run(stream: &mut z::z_stream, gzip: &[u8], read: usize) -> Inflated {
    let mut ring = vec![0; WINDOW_SIZE];
    let mut output = Vec::new();
    let mut stops = Vec::new();
    let mut ended = false;
    let mut consumed = 0;
    stream.avail_out = 0;
    for chunk in gzip.chunks(read) {
        stream.next_in = chunk.as_ptr().cast_mut();
        stream.avail_in = chunk.len() as u32;
        while stream.avail_in > 0 {
            if ended {
                // SAFETY: initialised by the caller.
                assert_eq!(unsafe { z::inflateReset(stream) }, z::Z_OK);
                ended = false;
            }
            if stream.avail_out == 0 {
                stream.next_out = ring.as_mut_ptr();
                stream.avail_out = WINDOW_SIZE as u32;
            }
            let (avail_in, from) = (stream.avail_in, WINDOW_SIZE - stream.avail_out as usize);
            // SAFETY: next_in and next_out point at avail_in and avail_out bytes of live buffers.
            let code = unsafe { z::inflate(stream, z::Z_BLOCK) };
            consumed += u64::from(avail_in - stream.avail_in);
            let to = WINDOW_SIZE - stream.avail_out as usize;
            output.extend_from_slice(&ring[from..to]);
            match code {
                z::Z_STREAM_END => ended = true,
                z::Z_OK | z::Z_BUF_ERROR => {}
                _ => {
                    let fault = Some(message(stream));
                    return Inflated { output, stops, fault };
                }
            }
            if stream.data_type & 128 != 0 && stream.data_type & 64 == 0 {
                let mut window = ring[to..].to_vec();
                window.extend_from_slice(&ring[..to]);
                stops.push(Stop {
                    compressed_offset: consumed,
                    bits: (stream.data_type & 7) as u8,
                    uncompressed_offset: output.len() as u64,
                    window,
                });
            }
        }
    }
    let mut fault = (!ended).then_some(Fault::Truncated);
    // After a stop in the last byte, its other bits have not been looked at: fewer than a block, but
    // enough for a block type.
    if !ended && stream.avail_out > 0 {
        // SAFETY: as above, without input.
        match unsafe { z::inflate(stream, z::Z_BLOCK) } {
            z::Z_OK | z::Z_BUF_ERROR => {}
            _ => fault = Some(message(stream)),
        }
    }
    Inflated { output, stops, fault }
}

fn message(stream: &z::z_stream) -> Fault {
    // SAFETY: zlib's messages are constant strings.
    let message = unsafe { CStr::from_ptr(stream.msg) };
    Fault::Message(message.to_string_lossy().into_owned())
}

extern "C" fn alloc(_: z::voidpf, items: z::uInt, size: z::uInt) -> z::voidpf {
    // The length goes in front of the block, because zfree is not told.
    let bytes = items as usize * size as usize + 16;
    let mut block = vec![0_u128; bytes.div_ceil(16)];
    block[0] = block.len() as u128;
    Box::leak(block.into_boxed_slice())[1..].as_mut_ptr().cast()
}

extern "C" fn free(_: z::voidpf, address: z::voidpf) {
    // SAFETY: zlib gives back what `alloc` returned, once.
    unsafe {
        let first = address.cast::<u128>().sub(1);
        let length = first.read() as usize;
        drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(first, length)));
    }
}
