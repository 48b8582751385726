//! Layers against their zTOCs, several at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use soci_image::{Descriptor, Digest};
use soci_ztoc::ztoc::{Fault, Verifier, Ztoc};

use super::causes::{BUILD_AGAIN, CONVERT, of_fault};
use super::whole::check_whole;
use super::{Consequence, Finding, Ranges, Task, Unknown, ZtocTask};
use crate::checked::{self, Check, Mismatch};
use crate::store::{AnySource, Blob, Source, Stored};
use crate::workflow::index_layer::sha256;
use crate::workflow::options::{Event, Observer, Options};
use crate::workflow::sample::{self, Sample, SpanSource};
use crate::workflow::tables::Tables;
use crate::workflow::views::View;
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
    pub(super) unknown: Vec<Unknown>,
    /// Entries whose owners its zTOC does not hold.
    pub(super) cut_owners: Vec<usize>,
    /// How it looks to a container, if that is known.
    pub(super) view: Option<View>,
}

impl Checked {
    pub(super) fn find(
        &mut self,
        task: &Task,
        (cause, consequence, help): (&'static str, Consequence, &'static str),
        subject: &Digest,
        message: String,
    ) {
        self.findings.push(Finding {
            cause,
            consequence,
            platform: task.platform.clone(),
            subject: subject.clone(),
            message,
            help,
        });
    }

    /// Keeps how the layer looks; without room that stays unknown.
    pub(super) fn keep(&mut self, task: &Task, view: Option<View>) {
        if view.is_none() {
            let layer = &task.layer.digest;
            self.unknown.push(Unknown {
                subject: layer.clone(),
                message: format!(
                    "whether layer {layer} looks the same lazily as unpacked: {}",
                    Tables::NO_ROOM
                ),
                asked_for: false,
            });
        }
        self.view = view;
    }

    /// What is wrong with the layer's own bytes.
    pub(super) fn damaged(&mut self, task: &Task, mismatch: &Mismatch) {
        let layer = &task.layer.digest;
        let (cause, message) = match mismatch {
            Mismatch::Digest(found) => (
                "wrong-layer-digest",
                format!("layer {layer} has the digest {found}: its bytes were changed or damaged"),
            ),
            Mismatch::Size(_) => (
                "wrong-layer-size",
                format!(
                    "layer {layer} has another size than the manifest says ({} bytes)",
                    task.layer.size
                ),
            ),
        };
        self.find(task, (cause, Consequence::PullFails, BUILD_AGAIN), layer, message);
    }

    /// Compares what came out of the layer with what its config says.
    pub(super) fn compare_diff_id(&mut self, task: &Task, found: &Digest) {
        let layer = &task.layer.digest;
        match &task.diff_id {
            Some(told) if told.algorithm() != found.algorithm() => self.unknown.push(Unknown {
                subject: layer.clone(),
                message: format!("the diff_id of layer {layer} is no SHA-256 and was not compared"),
                asked_for: false,
            }),
            Some(told) if told != found => {
                let message = format!("layer {layer} inflates to {found}, the config says {told}");
                let wrong = ("wrong-diff-id", Consequence::PullFails, BUILD_AGAIN);
                self.find(task, wrong, layer, message);
            }
            // Without a good config there is nothing to compare with, which was told.
            Some(_) | None => {}
        }
    }
}

/// Checks layers on several threads; the results are in the order of the tasks.
pub(super) fn check_layers(
    source: &AnySource,
    tasks: Vec<Task>,
    ranges: Ranges,
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
                    let checked = block_on(check_layer(source, &tasks[task], ranges, options, observer));
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
    ranges: Ranges,
    options: &Options,
    observer: Observer<'_>,
) -> Result<Checked> {
    let mut checked = Checked::default();
    let Some(told) = &task.ztoc else {
        check_without(source, task, options, observer, &mut checked)?;
        return Ok(checked);
    };
    let Some(ztoc) = ztoc_of(source, task, told, &mut checked).await? else {
        check_without(source, task, options, observer, &mut checked)?;
        return Ok(checked);
    };
    check_against_index(task, told, &ztoc, &mut checked);
    if ztoc.compressed_size() != task.layer.size {
        let message = format!("the zTOC is for another layer than {}", task.layer.digest);
        let misplaced = ("misplaced-ztoc", Consequence::ReadsFail, CONVERT);
        checked.find(task, misplaced, &told.descriptor.digest, message);
        check_without(source, task, options, observer, &mut checked)?;
        return Ok(checked);
    }
    match options.sample {
        Some(sample) => {
            check_sample(source, task, told, &ztoc, sample, ranges, options, &mut checked).await?
        }
        None => check_all(source, task, told, &ztoc, options, observer, &mut checked).await?,
    }
    if checked.view.is_none() {
        let view = View::mounted(ztoc, told.disable_xattrs, &checked.cut_owners, &options.tables);
        checked.keep(task, view);
    }
    Ok(checked)
}

/// A layer without a zTOC, or with one that is of no use: it is unpacked, so it must be right as a whole.
fn check_without(
    source: &AnySource,
    task: &Task,
    options: &Options,
    observer: Observer<'_>,
    checked: &mut Checked,
) -> Result<()> {
    if options.sample.is_some() {
        let layer = &task.layer.digest;
        checked.unknown.push(Unknown {
            subject: layer.clone(),
            message: format!("layer {layer} has no zTOC to sample it by and was not read"),
            asked_for: true,
        });
        return Ok(());
    }
    check_whole(source, task, options, observer, checked)
}

/// The zTOC, if a client would take it; what is wrong with it is told.
async fn ztoc_of(
    source: &AnySource,
    task: &Task,
    told: &ZtocTask,
    checked: &mut Checked,
) -> Result<Option<Ztoc>> {
    let (layer, digest) = (&task.layer.digest, &told.descriptor.digest);
    let bytes = match read_ztoc(source, &told.descriptor).await? {
        Ok(bytes) => bytes,
        Err((cause, message)) => {
            // One zTOC that cannot be fetched makes the client give up the whole index.
            checked.find(task, (cause, Consequence::ImageNotLazy, CONVERT), digest, message);
            return Ok(None);
        }
    };
    match Ztoc::from_bytes(&bytes) {
        Ok(ztoc) => Ok(Some(ztoc)),
        Err(error) => {
            let (cause, consequence) = match error {
                // Clients read digests as text, and compare them when a file is read.
                soci_ztoc::Error::SpanDigestForm { .. } => ("wrong-span-digest", Consequence::ReadsFail),
                _ => ("unreadable-ztoc", Consequence::LayerNotLazy),
            };
            let message = format!("the zTOC of layer {layer} cannot be read: {error}");
            checked.find(task, (cause, consequence, CONVERT), digest, message);
            Ok(None)
        }
    }
}

/// What the SOCI index says about the zTOC, against the zTOC.
fn check_against_index(task: &Task, told: &ZtocTask, ztoc: &Ztoc, checked: &mut Checked) {
    let (layer, digest) = (&task.layer.digest, &told.descriptor.digest);
    if let Some(size) = span_size_told(&told.descriptor)
        && size != ztoc.span_size()
    {
        let message = format!(
            "the SOCI index states a span size of {size}, the zTOC has {}",
            ztoc.span_size()
        );
        checked.find(
            task,
            ("other-span-size", Consequence::None, CONVERT),
            digest,
            message,
        );
    }
    if told.disable_xattrs && ztoc.needs_xattrs() {
        let message = format!(
            "the SOCI index says that layer {layer} has no extended attributes and no opaque directories, and it has: \
             clients do not show them"
        );
        let wrong = ("disabled-xattrs", Consequence::WrongContents, CONVERT);
        checked.find(task, wrong, digest, message);
    }
    if let Some((list, ranges)) = &told.prefetch {
        // The reference's lists reach to the span of the byte behind a file: of a plain tar that can be one more.
        let spans = ztoc.span_count() as u64;
        let last = spans - u64::from(spans > 0 && ztoc.compression() == soci_ztoc::ztoc::Compression::Gzip);
        if let Some(range) = ranges
            .iter()
            .find(|range| range.start > range.end || range.end > last)
        {
            let message = format!(
                "the prefetch list of layer {layer} names spans {} to {}, the layer has {spans}",
                range.start, range.end
            );
            let wrong = ("wrong-prefetch-list", Consequence::NotPrefetched, CONVERT);
            checked.find(task, wrong, list, message);
        }
    }
}

#[allow(clippy::too_many_arguments)] // one call, and a struct of borrowed things would say no more
async fn check_sample(
    source: &AnySource,
    task: &Task,
    told: &ZtocTask,
    ztoc: &Ztoc,
    sample: Sample,
    ranges: Ranges,
    options: &Options,
    checked: &mut Checked,
) -> Result<()> {
    let (layer, digest) = (&task.layer.digest, &told.descriptor.digest);
    let mut unknown = |message| {
        checked.unknown.push(Unknown {
            subject: layer.clone(),
            message,
            asked_for: true,
        });
    };
    unknown(format!(
        "the digest and the diff_id of layer {layer} need all of it, and so do its files"
    ));
    let all = ztoc.span_count();
    if ranges == Ranges::Ignored {
        unknown(format!(
            "no span of layer {layer} was read: the registry ignores ranges"
        ));
        return Ok(());
    }
    let chosen = sample.choose(all);
    if chosen.len() < all {
        unknown(format!(
            "{} of the {all} spans of layer {layer} were not read",
            all - chosen.len()
        ));
    }
    if let Some(refusal) = ztoc.refusal() {
        let fault = Fault::Refused(refusal);
        checked.find(task, of_fault(&fault), digest, format!("layer {layer}: {fault}"));
        return Ok(());
    }
    let mut spans = SpanSource::new(source, &task.layer, ztoc);
    for id in &chosen {
        if options.cancel.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        if let Some((cause, consequence, message)) = sample::check_span(&mut spans, *id).await? {
            checked.find(task, (cause, consequence, CONVERT), digest, message);
        }
    }
    checked.was_read = true;
    checked.spans = chosen.len();
    Ok(())
}

async fn check_all(
    source: &AnySource,
    task: &Task,
    told: &ZtocTask,
    ztoc: &Ztoc,
    options: &Options,
    observer: Observer<'_>,
    checked: &mut Checked,
) -> Result<()> {
    let layer = &task.layer.digest;
    let mut verifier = Verifier::new(ztoc);
    let mut blob = source.open(&task.layer).await?;
    observer(Event::LayerStarted {
        digest: layer.clone(),
        size: task.layer.size,
    });
    let mut buffer = vec![0; 256 << 10];
    let mut check = Check::new(&task.layer);
    let mut damage = None;
    let outcome = loop {
        if options.cancel.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        let count = blob.read(&mut buffer).await?;
        if count == 0 {
            break check.finish();
        }
        if let Err(mismatch) = check.take(&buffer[..count]) {
            break Err(mismatch);
        }
        if damage.is_none() {
            damage = verifier.push(&buffer[..count]).err();
        }
        observer(Event::LayerAdvanced {
            digest: layer.clone(),
            bytes: count as u64,
        });
    };
    observer(Event::LayerFinished {
        digest: layer.clone(),
        indexed: true,
    });
    checked.was_read = true;
    if let Err(mismatch) = outcome {
        checked.damaged(task, &mismatch);
        return Ok(());
    }
    let verification = match damage {
        Some(error) => Err(error),
        None => verifier.finish(),
    };
    let Ok(verification) = verification else {
        // Not as the zTOC says that it is stored; as what it is it may be good.
        let before = checked.findings.len();
        check_whole(source, task, options, observer, checked)?;
        if checked.findings.len() == before {
            let message = format!(
                "the zTOC is for another layer than {layer}: that is not stored as {}",
                ztoc.compression().as_str()
            );
            let misplaced = ("misplaced-ztoc", Consequence::ReadsFail, CONVERT);
            checked.find(task, misplaced, &told.descriptor.digest, message);
        }
        return Ok(());
    };
    checked.compare_diff_id(task, &sha256(verification.uncompressed_digest));
    let faults = verification.faults.iter();
    for fault in faults {
        let message = format!("layer {layer}: {fault}");
        checked.find(task, of_fault(fault), &told.descriptor.digest, message);
    }
    let untold = verification.fault_count.saturating_sub(verification.faults.len());
    if untold > 0 {
        let message = format!("layer {layer}: {untold} more faults of this zTOC are not listed");
        let more = ("more-faults", Consequence::ReadsFail, CONVERT);
        checked.find(task, more, &told.descriptor.digest, message);
    }
    checked.cut_owners = verification.cut_owners;
    checked.spans = verification.spans;
    checked.files = verification.files;
    Ok(())
}

/// The bytes of a zTOC, or why there are none that a client would take.
async fn read_ztoc(
    source: &AnySource,
    descriptor: &Descriptor,
) -> Result<std::result::Result<Vec<u8>, (&'static str, String)>> {
    let digest = &descriptor.digest;
    let wrong_size = |found: u64| {
        let message = format!(
            "zTOC {digest} has {found} bytes, the SOCI index says {}",
            descriptor.size
        );
        Ok(Err(("wrong-ztoc-size", message)))
    };
    match source.stored(descriptor).await? {
        Stored::Missing => return Ok(Err(("missing-ztoc", format!("zTOC {digest} is missing")))),
        Stored::There(Some(size)) if size != descriptor.size => return wrong_size(size),
        Stored::There(_) => {}
    }
    if descriptor.size > ZTOC_LIMIT {
        let size = descriptor.size;
        let message = format!("zTOC {digest} has {size} bytes, more than the format can hold");
        return Ok(Err(("too-large-ztoc", message)));
    }
    match checked::read(source, descriptor).await? {
        Ok(bytes) => Ok(Ok(bytes)),
        Err(Mismatch::Size(found)) => wrong_size(found),
        Err(Mismatch::Digest(found)) => {
            let message = format!("zTOC {digest} has the digest {found}");
            Ok(Err(("wrong-ztoc-digest", message)))
        }
    }
}

fn span_size_told(ztoc: &Descriptor) -> Option<u64> {
    ztoc.annotation(soci_image::annotation::SPAN_SIZE)?.parse().ok()
}
