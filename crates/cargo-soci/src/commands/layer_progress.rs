//! Progress of work on layers: a bar or line for each.

use std::collections::BTreeMap;
use std::sync::Mutex;

use soci_image::Digest;
use soci_store::workflow::Event;

use crate::context::Context;
use crate::progress::Task;

/// Takes the events of a workflow from any thread.
pub(crate) struct LayerProgress<'a> {
    context: &'a Context,
    indexed: &'static str,
    not_indexed: &'static str,
    tasks: Mutex<BTreeMap<Digest, Task<'a>>>,
}

impl<'a> LayerProgress<'a> {
    /// What is said of a layer that is done: with a zTOC, and without.
    pub(crate) fn new(context: &'a Context, indexed: &'static str, not_indexed: &'static str) -> Self {
        Self {
            context,
            indexed,
            not_indexed,
            tasks: Mutex::default(),
        }
    }

    /// Shows an event.
    pub(crate) fn event(&self, event: Event) {
        let Ok(mut tasks) = self.tasks.lock() else { return };
        match event {
            Event::LayerStarted { digest, size } => {
                let label = format!("{}:{}", digest.algorithm().name(), &digest.hex()[..12]);
                tasks.insert(digest, self.context.progress.begin(&label, Some(size)));
            }
            Event::LayerAdvanced { digest, bytes } => {
                if let Some(task) = tasks.get(&digest) {
                    task.advance(bytes);
                }
            }
            Event::LayerFinished { digest, indexed } => {
                if let Some(task) = tasks.remove(&digest) {
                    task.end(if indexed { self.indexed } else { self.not_indexed });
                }
            }
        }
    }
}
