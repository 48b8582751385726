//! The JavaScript boundary. It translates and decides nothing.
//!
//! ```text
//! feature lint    documents and options in, the linter's own texts out      the lint Action, the page, the npm package
//! feature image   layers in, zTOCs out; an image of a registry converted     the Action `convert`
//! feature look    the name of an image in a registry in, its facts out      the lint Action, where it may ask registries
//! feature local   files of the host's in, images, facts and file systems out     the page
//! ```
//!
//! Each feature makes a module of its own.

#[cfg(feature = "lint")]
mod folders;
// Calls of the host's functions are there in WASM alone.
#[cfg(all(any(feature = "image", feature = "look"), target_family = "wasm"))]
pub mod image;
#[cfg(feature = "lint")]
mod lint;
#[cfg(all(feature = "local", target_family = "wasm"))]
pub mod local;

use std::fmt::{Display, Formatter};

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::JsError;

#[cfg(feature = "lint")]
pub use lint::{Documents, acceptance, is_common_name, rules, version};

/// Why a call cannot be carried out; JavaScript gets an `Error` with this text.
#[derive(Debug)]
pub struct Objection(pub(crate) String);

impl Display for Objection {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Objection {}

#[cfg(all(
    any(feature = "image", feature = "look", feature = "local"),
    target_family = "wasm"
))]
impl From<soci_store::Error> for Objection {
    fn from(error: soci_store::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<Objection> for JsValue {
    fn from(objection: Objection) -> Self {
        JsError::new(&objection.0).into()
    }
}
