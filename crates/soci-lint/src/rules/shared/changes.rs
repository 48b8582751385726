//! What rules write in the place of a value, where that is safe.

use crate::expression::Case;
use crate::facts::{Chosen, about, choose};
use crate::model::{Located, Tag, Task};
use crate::rules::shared::known::is_taken;
use crate::rules::{Change, Run};
use crate::source::{Place, TextRange};

/// Where a value is written as it is, without the quotes around it: neither escaped, nor put together, nor
/// somewhere else.
fn literal(run: &Run<'_>, place: Place, value: &str) -> Option<Place> {
    let token = place.range.of(run.files[place.file].text);
    let inner = ['"', '\'']
        .into_iter()
        .find_map(|quote| token.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(token);
    if inner != value || value.is_empty() {
        return None;
    }
    let start = place.range.start + (token.len() - inner.len()) / 2;
    Some(Place::new(place.file, TextRange::new(start, start + inner.len())))
}

/// The platform version that loads lazily, in the place of another. Of a task that may run on Windows, where the
/// same number means another version, nothing is changed.
pub(in crate::rules) fn platform_version(
    run: &Run<'_>,
    task: &Task,
    place: Place,
    version: &str,
) -> Option<Change> {
    let is_linux = task.os.is_absent() || task.os.known().is_some();
    Some(Change {
        place: literal(run, place, version).filter(|_| is_linux)?,
        replacement: super::versions::LAZY.to_owned(),
        description: format!("write {} for {version}", super::versions::LAZY),
    })
}

/// The tag of the conversion, in the place of the tag before it, if facts show that it is the same image with a SOCI
/// index that is taken.
pub(in crate::rules) fn converted_tag(
    run: &Run<'_>,
    task: &Task,
    located: &Located,
    case: &Case,
) -> Option<Change> {
    // A default is for other deployments too.
    if !case.way.is_empty() || case.uses_default() {
        return None;
    }
    let written = case.value.known()?;
    let converted = match &located.tag {
        Tag::Named(_) if located.tag.is_soci() => return None,
        Tag::Named(_) | Tag::Latest { written: true } => format!("{written}-soci"),
        Tag::Latest { written: false } => format!("{written}:latest-soci"),
        Tag::Digest | Tag::Open => return None,
    };
    let entry = run
        .options
        .image_facts
        .iter()
        .find(|entry| entry.image == converted)?;
    let (Chosen::Platform(before), Chosen::Platform(after)) = (
        choose(task, about(run.options, case)?),
        choose(task, &entry.facts),
    ) else {
        return None;
    };
    let layers = |platform: &soci_image::facts::PlatformFacts| -> Vec<soci_image::Digest> {
        let layers = platform.layers.iter();
        layers.map(|layer| layer.digest.clone()).collect()
    };
    if before.config.digest != after.config.digest
        || layers(before) != layers(after)
        || !is_taken(&entry.facts, after)
    {
        return None;
    }
    Some(Change {
        place: literal(run, case.place, &written)?,
        description: format!("name `{converted}`, the same image with a SOCI index"),
        replacement: converted,
    })
}
