//! A layer without a zTOC: clients unpack it, so its bytes and what they inflate to must be right.

use soci_image::Digest;
use soci_image::media_type::LayerCompression;
use soci_ztoc::tar::{Entry, Visitor, Walker};

use super::causes::BUILD_AGAIN;
use super::layers::Checked;
use super::{Consequence, Task};
use crate::Result;
use crate::store::AnySource;
use crate::workflow::options::{Observer, Options};
use crate::workflow::uncompress::{Fault, uncompress};

/// Reads the layer whole.
pub(super) fn check_whole(
    source: &AnySource,
    task: &Task,
    options: &Options,
    observer: Observer<'_>,
    checked: &mut Checked,
) -> Result<()> {
    let layer = &task.layer.digest;
    let is_tar = LayerCompression::of(&task.layer.media_type) != LayerCompression::NotALayer;
    let mut hasher = Digest::hasher();
    let mut walker = Walker::new();
    let mut tar_fault = None;
    let outcome = uncompress(source, &task.layer, &options.cancel, observer, &mut |bytes| {
        hasher.update(bytes);
        if is_tar && tar_fault.is_none() {
            tar_fault = walker.push(bytes, &mut Nothing).err();
        }
        Ok(())
    })?;
    checked.was_read = true;
    let damaged = ("damaged-layer", Consequence::PullFails, BUILD_AGAIN);
    match outcome {
        Err(Fault::Bytes(mismatch)) => checked.damaged(task, &mismatch),
        Err(Fault::Content(problem)) => {
            let message = format!("layer {layer} is damaged, although its digest is right: {problem}");
            checked.find(task, damaged, layer, message);
        }
        Ok(_) => {
            checked.compare_diff_id(task, &hasher.finish());
            let ended = match (tar_fault, is_tar) {
                (Some(error), _) => Err(error),
                (None, true) => walker.finish().map(|_| ()),
                (None, false) => Ok(()),
            };
            if let Err(error) = ended {
                let message = format!("layer {layer} is not a tar that can be unpacked: {error}");
                checked.find(task, damaged, layer, message);
            }
        }
    }
    Ok(())
}

/// Only whether it can be walked is of interest.
struct Nothing;

impl Visitor for Nothing {
    fn entry(&mut self, _: &Entry<'_>) {}
}
