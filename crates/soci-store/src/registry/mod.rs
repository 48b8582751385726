//! A repository of a registry as a place of the workflow.

mod destination;
mod kept;
mod source;

pub use self::destination::{RegistryDestination, RegistrySink};
pub use self::source::{RegistryBlob, RegistrySource};
