//! A task definition as the rules see it, whatever it was written in: every value with its place in
//! the file, with the conditions it depends on, and with a word on where a default decided.

mod build;
mod build_service;
mod connect;
mod image;
mod placement;
mod service;
mod task;

pub(crate) use build::{Document, documents};
pub(crate) use image::{Image, Located, Registry, Tag};
pub(crate) use task::{Container, ImageField, Task};
