//! A lazy mount on this machine, and a container in it: what `mount` and `trace` share. Linux only.

mod opened;
pub(crate) mod report;
pub(crate) mod text;

pub(crate) use opened::{Opened, cannot};
