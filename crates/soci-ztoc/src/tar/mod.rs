//! A tar walk with the semantics of Go's `archive/tar` (`docs/tar.md`).
//!
//! containerd unpacks layers with that package and the reference builds its tables of contents
//! with it, so what it accepts, refuses and overrides is what counts. [`Walker`] is fed an archive
//! in pieces of any size and tells a [`Visitor`] about every entry and its data; it keeps nothing
//! but the header at hand.
//!
//! ```
//! use soci_ztoc::tar::{Entry, Visitor, Walker};
//!
//! #[derive(Default)]
//! struct Names(Vec<String>);
//!
//! impl Visitor for Names {
//!     fn entry(&mut self, entry: &Entry<'_>) {
//!         self.0.push(String::from_utf8_lossy(entry.name).into_owned());
//!     }
//! }
//!
//! let mut walker = Walker::new();
//! let mut names = Names::default();
//! walker.push(&[0; 1024], &mut names)?;
//! assert_eq!(walker.finish()?, 1024);
//! assert!(names.0.is_empty());
//! # Ok::<(), soci_ztoc::Error>(())
//! ```

mod header;
mod number;
mod pax;
mod sparse;
mod time;
mod walk;

pub use time::{Rfc3339, Timestamp};
pub use walk::{Entry, PaxRecords, Visitor, Walker};
