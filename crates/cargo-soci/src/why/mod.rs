//! Why a container is loaded lazily or not: what runs, joined with what its image is in the registry.
//!
//! Tasks that run the same are one [`groups::Group`]. Each is judged by the linter's rules, on a task definition that
//! says how it runs, with the facts of the image that runs ([`judge`]); [`report`] is what comes out.

pub mod commands;
mod definition;
pub mod groups;
pub mod html;
pub mod human;
pub mod judge;
pub mod markdown;
pub mod pull;
pub mod report;
mod steps;
pub mod version_one;
