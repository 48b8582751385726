//! A layer without a zTOC: clients unpack it, so its bytes and what they inflate to must be right.

use soci_image::Digest;
use soci_image::media_type::LayerCompression;
use soci_image::skip::SkipReason;

use super::causes::BUILD_AGAIN;
use super::layers::Checked;
use super::{Consequence, Task};
use crate::Result;
use crate::store::AnySource;
use crate::workflow::options::{Observer, Options};
use crate::workflow::uncompress::{Fault, uncompress};
use crate::workflow::views::{Contents, Reading, View};

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
    let mut reading = Reading::new();
    let outcome = uncompress(source, &task.layer, &options.cancel, observer, &mut |bytes| {
        hasher.update(bytes);
        if is_tar {
            reading.push(bytes);
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
            if !is_tar {
                return Ok(());
            }
            match reading.finish() {
                Ok(Contents::Known(toc)) => checked.keep(task, View::unpacked(toc, &options.tables)),
                Ok(Contents::Odd(reason @ SkipReason::CannotBeUnpacked { .. })) => {
                    let message = format!("layer {layer}: {reason}");
                    checked.find(
                        task,
                        ("cannot-be-unpacked", Consequence::PullFails, BUILD_AGAIN),
                        layer,
                        message,
                    );
                }
                Ok(Contents::Odd(_) | Contents::Damaged) => {}
                Err(error) => {
                    let message = format!("layer {layer} is not a tar that can be unpacked: {error}");
                    checked.find(task, damaged, layer, message);
                }
            }
        }
    }
    Ok(())
}
