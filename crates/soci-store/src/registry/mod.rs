//! A repository of a registry as a place of the workflow.

mod destination;
mod kept;
mod source;

/// What stands below the client of every registry: natively our own HTTP, elsewhere what the door brings along.
#[cfg(feature = "native")]
pub type Wire = soci_registry::UreqTransport;
/// What stands below the client of every registry: natively our own HTTP, elsewhere what the door brings along.
#[cfg(not(feature = "native"))]
pub type Wire = soci_registry::ForeignTransport;

pub use self::destination::{RegistryDestination, RegistrySink};
#[cfg(feature = "native")]
pub(crate) use self::source::stated_type;
pub use self::source::{RegistryBlob, RegistrySource};
