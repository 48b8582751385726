//! Layers against their zTOCs, several at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use soci_image::{Descriptor, Digest};
use soci_ztoc::ztoc::{Fault, Verifier, Ztoc};

use super::causes::{BUILD_AGAIN, CONVERT, of_fault};
use super::sample::check_span;
use super::{Consequence, Finding, Task};
use crate::store::{AnySource, Blob, Source};
use crate::workflow::options::{Event, Observer, Options};
use crate::{Error, Result, block_on};

/// zTOCs larger than this are refused: the format ends at 2 GiB.
const ZTOC_LIMIT: u64 = 2 << 30;

/// What reading one layer showed.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) was_read: bool,
    pub(super) spans: usize,
    pub(super) files: usize,
    pub(super) findings: Vec<Finding>,
}

/// Checks layers on several threads; the results are in the order of the tasks.
pub(super) fn check_layers(
    source: &AnySource,
    tasks: Vec<Task>,
    options: &Options,
    observer: Observer<'_>,
) -> Result<Vec<Checked>> {
    let jobs = options.jobs.get().min(tasks.len());
    let results: Vec<Mutex<Option<Result<Checked>>>> = tasks.iter().map(|_| Mutex::new(None)).collect();
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by_key(|task| tasks[*task].layer.size);
    let open = Mutex::new(order);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(task) = open.lock().unwrap_or_else(PoisonError::into_inner).pop() {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let checked = block_on(check_layer(source, &tasks[task], options, observer));
                    if checked.is_err() {
                        stop.store(true, Ordering::Relaxed);
                    }
                    *results[task].lock().unwrap_or_else(PoisonError::into_inner) = Some(checked);
                }
            });
        }
    });
    let results = results
        .into_iter()
        .filter_map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner));
    results.collect()
}

async fn check_layer(
    source: &AnySource,
    task: &Task,
    options: &Options,
    observer: Observer<'_>,
) -> Result<Checked> {
    let mut checked = Checked::default();
    let mut find = |cause, consequence, subject: &Digest, message: String, help| {
        checked.findings.push(Finding {
            cause,
            consequence,
            platform: task.platform.clone(),
            subject: subject.clone(),
            message,
            help,
        });
    };
    let bytes = match read_ztoc(source, &task.ztoc).await? {
        Ok(bytes) => bytes,
        Err((cause, message)) => {
            // One zTOC that cannot be fetched makes the client give up the whole index.
            find(
                cause,
                Consequence::ImageNotLazy,
                &task.ztoc.digest,
                message,
                CONVERT,
            );
            return Ok(checked);
        }
    };
    let ztoc = match Ztoc::from_bytes(&bytes) {
        Ok(ztoc) => ztoc,
        Err(error) => {
            let message = format!("the zTOC of layer {} cannot be read: {error}", task.layer.digest);
            find(
                "unreadable-ztoc",
                Consequence::LayerNotLazy,
                &task.ztoc.digest,
                message,
                CONVERT,
            );
            return Ok(checked);
        }
    };
    drop(bytes);
    if !source.contains(&task.layer).await? {
        return Ok(checked);
    }
    if let Some(sample) = options.sample {
        if ztoc.compressed_size() != task.layer.size {
            let message = format!("the zTOC is for another layer than {}", task.layer.digest);
            find(
                "misplaced-ztoc",
                Consequence::ReadsFail,
                &task.ztoc.digest,
                message,
                CONVERT,
            );
            return Ok(checked);
        }
        let chosen = sample.choose(ztoc.span_count());
        for id in &chosen {
            if options.cancel.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            if let Some((cause, consequence, message)) = check_span(source, &task.layer, &ztoc, *id).await? {
                find(cause, consequence, &task.ztoc.digest, message, CONVERT);
            }
        }
        checked.was_read = true;
        checked.spans = chosen.len();
        return Ok(checked);
    }
    let mut verifier = Verifier::new(&ztoc);
    let mut blob = source.open(&task.layer).await?;
    observer(Event::LayerStarted {
        digest: task.layer.digest.clone(),
        size: task.layer.size,
    });
    let mut buffer = vec![0; 256 << 10];
    let mut hasher = task.layer.digest.algorithm().hasher();
    let mut damage = None;
    loop {
        if options.cancel.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        let count = blob.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        if damage.is_none() {
            damage = verifier.push(&buffer[..count]).err();
        }
        observer(Event::LayerAdvanced {
            digest: task.layer.digest.clone(),
            bytes: count as u64,
        });
    }
    observer(Event::LayerFinished {
        digest: task.layer.digest.clone(),
        indexed: true,
    });
    let layer = &task.layer.digest;
    let found = hasher.finish();
    if found != *layer {
        let message = format!("layer {layer} has the digest {found}: its bytes were changed or damaged");
        find(
            "wrong-layer-digest",
            Consequence::PullFails,
            layer,
            message,
            BUILD_AGAIN,
        );
        return Ok(checked);
    }
    let verification = match damage {
        Some(error) => Err(error),
        None => verifier.finish(),
    };
    let verification = match verification {
        Ok(verification) => verification,
        Err(error) => {
            let message = format!("layer {layer} is damaged, although its digest is right: {error}");
            find(
                "damaged-layer",
                Consequence::PullFails,
                layer,
                message,
                BUILD_AGAIN,
            );
            return Ok(checked);
        }
    };
    let misplaced = verification
        .faults
        .iter()
        .any(|fault| matches!(fault, Fault::LayerSize { .. }));
    if misplaced {
        let message = format!("the zTOC is for another layer than {layer}");
        find(
            "misplaced-ztoc",
            Consequence::ReadsFail,
            &task.ztoc.digest,
            message,
            CONVERT,
        );
    } else {
        for fault in &verification.faults {
            let (cause, consequence) = of_fault(fault);
            find(
                cause,
                consequence,
                &task.ztoc.digest,
                format!("layer {layer}: {fault}"),
                CONVERT,
            );
        }
        let untold = verification.fault_count.saturating_sub(verification.faults.len());
        if untold > 0 {
            let message = format!("layer {layer}: {untold} more faults of this zTOC are not listed");
            find(
                "more-faults",
                Consequence::ReadsFail,
                &task.ztoc.digest,
                message,
                CONVERT,
            );
        }
    }
    if let Some(told) = span_size_told(&task.ztoc)
        && told != ztoc.span_size()
    {
        let message = format!(
            "the SOCI index tells a span size of {told}, the zTOC has {}",
            ztoc.span_size()
        );
        find(
            "other-span-size",
            Consequence::None,
            &task.ztoc.digest,
            message,
            CONVERT,
        );
    }
    checked.was_read = true;
    checked.spans = verification.spans;
    checked.files = verification.files;
    Ok(checked)
}

/// The bytes of a zTOC, or why there are none that a client would take.
async fn read_ztoc(
    source: &AnySource,
    descriptor: &Descriptor,
) -> Result<std::result::Result<Vec<u8>, (&'static str, String)>> {
    let digest = &descriptor.digest;
    if !source.contains(descriptor).await? {
        return Ok(Err(("missing-ztoc", format!("zTOC {digest} is missing"))));
    }
    if descriptor.size > ZTOC_LIMIT {
        let message = format!(
            "zTOC {digest} has {} bytes, more than the format can hold",
            descriptor.size
        );
        return Ok(Err(("too-large-ztoc", message)));
    }
    let mut blob = source.open(descriptor).await?;
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = blob.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        bytes.extend_from_slice(&buffer[..count]);
        if bytes.len() as u64 > descriptor.size {
            break;
        }
    }
    if bytes.len() as u64 != descriptor.size {
        let message = format!(
            "zTOC {digest} has another size than the SOCI index says ({} bytes)",
            descriptor.size
        );
        return Ok(Err(("wrong-ztoc-size", message)));
    }
    let found = Digest::sha256(&bytes);
    if found != *digest {
        return Ok(Err((
            "wrong-ztoc-digest",
            format!("zTOC {digest} has the digest {found}"),
        )));
    }
    Ok(Ok(bytes))
}

fn span_size_told(ztoc: &Descriptor) -> Option<u64> {
    ztoc.annotation(soci_image::annotation::SPAN_SIZE)?.parse().ok()
}
