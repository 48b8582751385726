//! Images in files of the host's: what they are, what they are once converted, and what is in them.
//!
//! ```text
//! Images.open     the documents, and the layers to read         in one worker
//! LayerReader     one layer: its zTOC                           in a worker each
//! contentsOf      one layer: what is in it
//! Images.keep     what came of it
//! Images.settle   the facts now, and once converted
//! Images.files    a file system, to be walked and searched
//! ```
//!
//! Nothing here can reach a network: there is no client in the module.

mod files;
mod host;
mod images;
mod layer;

pub use images::Images;
pub use layer::{LayerReader, ReadLayer, contents_of};
