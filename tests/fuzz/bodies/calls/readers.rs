//! Calls of what reads archives and of what reads layers through zTOCs.

use soci_ztoc::Error;
use soci_ztoc::tar::Walker;
use soci_ztoc::ztoc::{Compression, Extractor, Verifier};

use super::given::{Choices, FILES, Patience, Used, layers, letters, pick, ztocs};

#[derive(Default)]
pub(super) struct Readers {
    walkers: Vec<Used<Walker>>,
    verifiers: Vec<Used<Verifier<'static>>>,
    extractions: Vec<Used<Extraction>>,
}

struct Extraction {
    extractor: Extractor<'static>,
    ztoc: usize,
    entry: usize,
    contents: Vec<u8>,
}

impl Readers {
    pub(super) fn walker(&mut self, choices: &mut Choices<'_>) {
        let Some(at) = pick(&self.walkers, choices) else {
            self.walkers.push(Used::new(Walker::new(), choices.layer()));
            return;
        };
        let used = &mut self.walkers[at];
        if choices.below(4) > 0 {
            let piece = choices.piece(used.layer, used.at);
            used.at += piece.len();
            let pushed = used.value.push(piece, &mut Patience(0));
            used.told(pushed);
            let _ = used.value.ended();
        } else {
            let used = self.walkers.swap_remove(at);
            let finished = used.value.finish();
            assert!(!used.failed || finished.is_err(), "it ended well after an error");
        }
    }

    pub(super) fn verifier(&mut self, choices: &mut Choices<'_>) {
        let Some(at) = pick(&self.verifiers, choices) else {
            let verifier = Verifier::new(&ztocs()[choices.below(ztocs().len())]);
            self.verifiers.push(Used::new(verifier, choices.layer()));
            return;
        };
        let used = &mut self.verifiers[at];
        if choices.below(4) > 0 {
            let piece = choices.piece(used.layer, used.at);
            used.at += piece.len();
            let pushed = used.value.push(piece);
            used.told(pushed);
        } else {
            let used = self.verifiers.swap_remove(at);
            let finished = used.value.finish();
            assert!(!used.failed || finished.is_err(), "it ended well after an error");
        }
    }

    pub(super) fn extractor(&mut self, choices: &mut Choices<'_>) {
        let Some(at) = pick(&self.extractions, choices) else {
            // The entry can be that of another zTOC.
            let (ztoc, other) = (choices.below(ztocs().len()), choices.below(ztocs().len()));
            let other = if choices.below(4) == 0 { other } else { ztoc };
            let entry = choices.below(FILES.len());
            let Some(found) = ztocs()[other].toc().get(entry) else {
                return;
            };
            if let Ok(extractor) = Extractor::new(&ztocs()[ztoc], &found) {
                let extraction = Extraction {
                    extractor,
                    ztoc,
                    entry,
                    contents: Vec::new(),
                };
                // The layer of the zTOC, or another one.
                let layer = match choices.below(8) {
                    0 => choices.layer(),
                    _ if ztocs()[ztoc].compression() == Compression::Gzip => &layers()[0],
                    _ => &layers()[2],
                };
                self.extractions.push(Used::new(extraction, layer));
            }
            return;
        };
        let used = &mut self.extractions[at];
        let wanted = used.value.extractor.wanted();
        assert!(wanted.is_none() || !used.failed, "it goes on after an error");
        let start = wanted.map_or(0, |wanted| usize::try_from(wanted.start).unwrap_or(usize::MAX));
        let piece = choices.piece(used.layer, start);
        let refuse = choices.below(32) == 0;
        let Extraction {
            extractor, contents, ..
        } = &mut used.value;
        let pushed = extractor.push(piece, &mut |bytes: &[u8]| {
            contents.extend_from_slice(bytes);
            if refuse { Err(Error::Stopped) } else { Ok(()) }
        });
        used.told(pushed);
        let Extraction {
            extractor,
            ztoc,
            entry,
            contents,
        } = &used.value;
        assert!(!extractor.is_complete() || !used.failed);
        if extractor.is_complete() {
            // Entries lie in all of these zTOCs where they lie in the good ones.
            assert!(
                *contents == letters(FILES[*entry]),
                "file {entry} of zTOC {ztoc} is complete and wrong"
            );
            self.extractions.swap_remove(at);
        }
    }
}

/// Everything a zTOC can be asked, with any number.
pub(super) fn ask(choices: &mut Choices<'_>) {
    let ztoc = &ztocs()[choices.below(ztocs().len())];
    let other = &ztocs()[choices.below(ztocs().len())];
    let (first, second) = (choices.number(), choices.number());
    if let Some(span) = ztoc.span(first as usize) {
        assert!(
            span.compressed_start <= span.compressed_end && span.compressed_end <= ztoc.compressed_size()
        );
    }
    let _ = ztoc.span_of(second);
    for mut entry in other.toc().iter() {
        entry.offset = entry.offset.wrapping_add(first);
        entry.size = second as i64;
        let _ = ztoc.span_range(&entry);
        let _ = Extractor::new(ztoc, &entry).map(|extractor| extractor.wanted());
    }
    let _ = (ztoc.refusal(), ztoc.multi_span_files(), ztoc.needs_xattrs());
    let paths = ztoc.toc().paths();
    let layer = choices.layer();
    let path = choices.piece(layer, 0);
    let _ = (paths.find(path), paths.resolve(path));
}
