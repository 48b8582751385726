//! Facts about AWS and registries, each table with its source and the day it was checked.

pub(crate) mod consumers;
pub(crate) mod registries;
pub(crate) mod sidecars;
pub(crate) mod urls;
