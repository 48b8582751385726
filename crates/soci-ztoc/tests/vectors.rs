//! zTOCs of the reference: the same layers give the same bytes, or are refused for the same cause.
#![allow(clippy::disallowed_methods)] // The crate does no I/O, its tests do.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;
use sha2::{Digest, Sha256};
use soci_ztoc::Error;
use soci_ztoc::ztoc::{BuildOptions, BuildOutcome, Compression, Refusal, Unindexable, Ztoc, ZtocBuilder};

/// One line of `cases.json`.
struct Case {
    layer: String,
    bytes: Vec<u8>,
    options: BuildOptions,
    facts: Value,
}

impl Case {
    fn name(&self) -> String {
        format!("{} at span size {}", self.layer, self.options.span_size())
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.facts[key].as_str()
    }
}

fn cases() -> Vec<Case> {
    let folder = soci_tests::ztoc_vectors();
    let text = fs::read_to_string(folder.join("cases.json")).expect("the vectors have cases");
    let document: Value = serde_json::from_str(&text).expect("cases.json is JSON");
    let tool = document["build_tool_identifier"]
        .as_str()
        .expect("the cases name the tool");
    let mut layers = BTreeMap::new();
    document["cases"]
        .as_array()
        .expect("cases.json has a list of cases")
        .iter()
        .map(|facts| {
            let layer = facts["layer"]
                .as_str()
                .expect("a case names its layer")
                .to_string();
            let bytes = layers
                .entry(layer.clone())
                .or_insert_with(|| fs::read(folder.join("layers").join(&layer)).expect("the layer is there"))
                .clone();
            assert_eq!(hex(&Sha256::digest(&bytes)), facts["layer_sha256"], "{layer}");
            let compression = match facts["compression"].as_str() {
                Some("gzip") => Compression::Gzip,
                Some("uncompressed") => Compression::Uncompressed,
                other => panic!("{layer} has the compression {other:?}"),
            };
            let options = BuildOptions::new(compression, tool)
                .with_span_size(facts["span_size"].as_u64().expect("a case has a span size"));
            Case {
                layer,
                bytes,
                options,
                facts: facts.clone(),
            }
        })
        .collect()
}

fn build(case: &Case, mut sizes: impl FnMut() -> usize) -> Result<BuildOutcome, Error> {
    let mut builder = ZtocBuilder::new(case.options.clone())?;
    let mut rest = &case.bytes[..];
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(sizes().clamp(1, rest.len()));
        builder.push(piece)?;
        rest = behind;
    }
    builder.finish()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the reference's messages mean here.
fn same_cause(message: &str, outcome: &Result<BuildOutcome, Error>) -> bool {
    match outcome {
        Err(Error::Gzip(_)) => message == "could not generate gzip zinfo. gzip error: -3",
        Err(Error::TarHeader { .. }) => {
            message == "error while reading tar header: archive/tar: invalid tar header"
        }
        Err(Error::TarTruncated { .. }) => message == "error while reading tar header: unexpected EOF",
        Ok(BuildOutcome::Skipped(skipped)) => match skipped.reason {
            Unindexable::UnsupportedEntry { type_flag, .. } => {
                message == format!("unsupported input tar entry '{}'", type_flag as char)
            }
            Unindexable::LongGzipHeader => message == "gzip: invalid header",
            _ => false,
        },
        _ => false,
    }
}

fn check(case: &Case, sizes: impl FnMut() -> usize) {
    let outcome = build(case, sizes);
    if let Some(message) = case.text("error") {
        assert!(
            same_cause(message, &outcome),
            "{}: {message}, but here {outcome:?}",
            case.name()
        );
        return;
    }
    let built = match outcome {
        Ok(BuildOutcome::Indexed(built)) => built,
        other => panic!("{}: {other:?}", case.name()),
    };
    assert_eq!(
        hex(&built.layer_digest()),
        case.facts["layer_sha256"],
        "{}",
        case.name()
    );
    assert_eq!(
        built.encoded().size(),
        case.facts["ztoc_size"].as_u64().unwrap(),
        "{}",
        case.name()
    );
    let file = built.encoded().to_bytes();
    assert_eq!(
        hex(&Sha256::digest(&file)),
        case.facts["ztoc_sha256"],
        "{}",
        case.name()
    );
    assert_eq!(
        hex(&built.encoded().digest()),
        case.facts["ztoc_sha256"],
        "{}",
        case.name()
    );
    let ztoc = built.ztoc();
    assert_eq!(
        ztoc.span_count() as u64,
        case.facts["spans"].as_u64().unwrap(),
        "{}",
        case.name()
    );
    assert_eq!(
        ztoc.toc().len() as u64,
        case.facts["entries"].as_u64().unwrap(),
        "{}",
        case.name()
    );
    match case.text("reader") {
        // That reader looks at the table of contents; the client refuses these spans later, when it mounts.
        Some("accepts") if case.layer == "mix-emptyfirst.tar.gz" => assert!(
            matches!(built.refusal(), Some(Refusal::EmptySpan { span: 1, offset: 0 })),
            "{}",
            case.name()
        ),
        Some("accepts") => assert_eq!(built.refusal(), None, "{}", case.name()),
        Some("refuses") => assert!(built.refusal().is_some(), "{}", case.name()),
        Some("unchecked") => {}
        other => panic!("{}: the reader {other:?}", case.name()),
    }
    let read = Ztoc::from_bytes(&file).unwrap_or_else(|error| panic!("{}: {error}", case.name()));
    assert!(&read == ztoc, "{}: reading gives another zTOC", case.name());
    assert!(
        read.to_bytes().unwrap() == file,
        "{}: writing again gives other bytes",
        case.name()
    );
}

#[test]
fn layers_give_the_ztoc_of_the_reference_or_its_error() {
    let cases = cases();
    assert!(cases.len() > 80, "only {} cases", cases.len());
    for case in &cases {
        check(case, || usize::MAX);
    }
}

#[test]
fn pieces_of_any_size_give_the_same() {
    // A fixed sequence of sizes from 1 byte to some 60 KiB, most of them small.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for case in &cases() {
        for _ in 0..2 {
            check(case, || {
                let random = random();
                (random >> 8) as usize % (1 << (random % 17))
            });
        }
    }
}

#[test]
fn single_bytes_give_the_same() {
    for case in &cases() {
        check(case, || 1);
    }
}
