//! What a registry says about an image that somebody wants to know about: its facts, or why there are none.

use soci_image::facts::ImageFacts;
use soci_registry::RegistryError;

use super::examine::Examined;
use crate::{Error, Result};

/// What looking at an image brought.
#[derive(Debug)]
pub enum Answer {
    /// What it is.
    Known(Box<ImageFacts>),
    /// There is no such image.
    Missing,
    /// It is there, or may be, and cannot be looked at: why.
    Odd(String),
    /// The registry does not tell.
    Refused {
        /// Why.
        problem: Box<RegistryError>,
        /// Whether it holds for the registry as a whole, or for this repository alone.
        is_whole: bool,
    },
}

impl Answer {
    /// Sorts what an examination brought; an error only if it was interrupted.
    pub fn of(examined: Result<Vec<Examined>>) -> Result<Self> {
        use RegistryError as Problem;
        let problem = match examined {
            Ok(images) => return Ok(Self::first(images).map_or_else(Self::Odd, Self::Known)),
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(Error::Registry(problem)) => problem,
            Err(other) => return Ok(Self::Odd(other.to_string())),
        };
        Ok(match *problem {
            _ if problem.is_interrupted() => return Err(Error::Registry(problem)),
            _ if problem.is_not_found() => Self::Missing,
            // What is about one repository or one document of the registry.
            Problem::Denied { .. } => Self::Refused {
                problem,
                is_whole: false,
            },
            Problem::Digest { .. } | Problem::TooLarge { .. } | Problem::Protocol { .. } => {
                Self::Odd(problem.to_string())
            }
            _ => Self::Refused {
                problem,
                is_whole: true,
            },
        })
    }

    /// The facts of the image that a name stands for, or why there are none.
    pub fn first(images: Vec<Examined>) -> std::result::Result<Box<ImageFacts>, String> {
        let image = images.into_iter().next();
        image
            .map(|image| Box::new(image.facts))
            .ok_or_else(|| "the registry lists no image under this name".to_owned())
    }
}
