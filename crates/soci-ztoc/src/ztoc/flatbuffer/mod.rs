//! FlatBuffers, as much as a zTOC needs: a writer with the byte layout of Go's builder and a
//! checked reader of tables, strings and vectors (`docs/flatbuffers.md`).

mod reader;
mod writer;

pub(super) use reader::{Table, Vector, root};
pub(super) use writer::{VTables, Writer};
