//! Images that are in registries already, made SOCI-enabled one after the other or several at once.
//!
//! ```text
//! chosen   which tags of a repository are meant
//! dates    when their images were made, where that is asked for
//! layers   who indexes a layer that several images have, and where its zTOC is then
//! image    one image, from looking at it to its new tag
//! queue    an image, handed to the function of AWS Lambda instead
//! run      all of them
//! report   what became of each
//! ```
//!
//! The registry is the only memory: a run that was stopped is gone on with by running it again, because what is done
//! needs a few requests and no layer.

mod chosen;
mod dates;
mod image;
mod layers;
mod queue;
mod report;
mod run;

pub use chosen::{Chosen, Filter, Shard, TagGlob};
pub use dates::Dates;
pub use queue::Queue;
pub use report::{LeftOut, Outcome, Report, Row};
pub use run::{Settings, run};
