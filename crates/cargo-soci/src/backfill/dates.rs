//! When images were made, and which of them are new enough.

use soci_aws::moment::Moment;
use soci_image::Reference;
use soci_store::{block_on, workflow};

use crate::at_once::each;
use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::places;

/// What the command line says about dates.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dates {
    /// Images made before it are left out.
    pub since: Option<Moment>,
    /// Of each repository only so many, the newest.
    pub newest: Option<usize>,
}

/// What [`Dates::choose`] leaves.
#[derive(Debug, Default)]
pub(super) struct Dated {
    /// The images that are new enough, or say no date, sorted by name.
    pub(super) images: Vec<Reference>,
    /// How many are older.
    pub(super) older: usize,
    /// Those of the chosen that say no date; they count as older than all others.
    pub(super) undated: Vec<Reference>,
}

impl Dates {
    /// Chooses among the images of one repository.
    pub(super) fn choose(
        self,
        images: Vec<Reference>,
        at_once: usize,
        context: &Context,
    ) -> Result<Dated, CommandError> {
        if self.since.is_none() && self.newest.is_none() {
            return Ok(Dated {
                images,
                ..Dated::default()
            });
        }
        let made = each(&images, at_once, |image| {
            context.cancel.check()?;
            made(image, context)
        })?;
        Ok(self.among(images.into_iter().zip(made).collect()))
    }

    fn among(self, images: Vec<(Reference, Option<Moment>)>) -> Dated {
        let all = images.len();
        let mut kept: Vec<_> = images
            .into_iter()
            .filter(|(_, made)| match (self.since, made) {
                (Some(since), Some(made)) => *made >= since,
                _ => true,
            })
            .collect();
        if let Some(newest) = self.newest {
            // `None` is less than any date.
            kept.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.tag().cmp(&other.0.tag())));
            kept.truncate(newest);
        }
        kept.sort_by(|one, other| one.0.tag().cmp(&other.0.tag()));
        let undated = kept.iter().filter(|(_, made)| made.is_none());
        Dated {
            older: all - kept.len(),
            undated: undated.map(|(image, _)| image.clone()).collect(),
            images: kept.into_iter().map(|(image, _)| image).collect(),
        }
    }
}

/// When an image was made. What cannot be read says no date here and is told when it is its turn.
fn made(image: &Reference, context: &Context) -> Result<Option<Moment>, CommandError> {
    let source = match places::image(image, context) {
        Ok(source) => source,
        Err(error) if error.exit() == Exit::Interrupted => return Err(error),
        Err(_) => return Ok(None),
    };
    match block_on(workflow::created(&source)) {
        Ok(text) => Ok(text
            .and_then(|text| Moment::parse(&text))
            .filter(|made| *made > Moment::EPOCH)),
        Err(error @ soci_store::Error::Interrupted) => Err(places::failed(&error)),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(tag: &str) -> Reference {
        Reference::parse(&format!("registry.example/web:{tag}")).expect("a name")
    }

    fn day(day: u32) -> Option<Moment> {
        Moment::parse(&format!("2026-11-{day:02}T00:00:00Z"))
    }

    fn tags(dated: &Dated) -> Vec<&str> {
        dated.images.iter().filter_map(Reference::tag).collect()
    }

    fn images() -> Vec<(Reference, Option<Moment>)> {
        vec![
            (image("a"), day(3)),
            (image("b"), None),
            (image("c"), day(9)),
            (image("d"), day(1)),
        ]
    }

    #[test]
    fn the_newest_are_kept_and_what_says_no_date_is_the_oldest() {
        let newest = |number| Dates {
            since: None,
            newest: Some(number),
        };
        assert_eq!(tags(&newest(2).among(images())), ["a", "c"]);
        let all = newest(9).among(images());
        assert_eq!(tags(&all), ["a", "b", "c", "d"]);
        assert_eq!((all.older, all.undated.len()), (0, 1));
    }

    #[test]
    fn what_is_older_is_left_out_and_what_says_no_date_is_not_taken_for_old() {
        let dates = Dates {
            since: day(3),
            newest: None,
        };
        let dated = dates.among(images());
        assert_eq!(tags(&dated), ["a", "b", "c"]);
        assert_eq!((dated.older, dated.undated.len()), (1, 1));
    }
}
