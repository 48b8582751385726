//! Neither memory nor the disk grows with a layer.

use std::fs;

use serde_json::json;
use soci_tests::generated::GeneratedImage;
use soci_tests::registry::{Behaviour, TestRegistry};

use crate::{bootstrap, direct};

/// Stored sizes of the layers: unpacked, they are three times as large.
const LAYERS: [u64; 2] = [160 << 20, 80 << 20];

/// Peak resident memory in KiB: less than half of the larger layer, whose zTOC has 4 MiB.
const BOUND: u64 = 64 << 10;

#[test]
fn large_layers_are_streamed_through_little_memory_and_nothing_is_written_to_a_disk() {
    let image = GeneratedImage::new(&LAYERS);
    let registry = TestRegistry::start(Behaviour::default());
    registry.with("app", |content| image.store(content, "1"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = folder.path().display().to_string();
    let function = bootstrap::start(&[("SOCI_SPAN_SIZE", "4MiB"), ("TMPDIR", &place)]);
    let call = direct(&registry, "app:1");
    assert_eq!(function.call(&call), Ok(json!({"outcome": "converted"})));

    let number = |file: &str, name: &str| -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/{file}", function.id())).expect("it runs");
        let found = text.lines().find_map(|line| line.strip_prefix(name));
        let word = found.and_then(|rest| rest.split_whitespace().next());
        word.and_then(|word| word.parse().ok())
            .unwrap_or_else(|| panic!("no {name} in {text}"))
    };
    let peak = number("status", "VmHWM:");
    assert!(peak < BOUND, "{peak} KiB of {BOUND}");
    assert_eq!(number("io", "write_bytes:"), 0);
    assert_eq!(fs::read_dir(&place).expect("it is there").count(), 0);

    let lines = function.end();
    assert_eq!(lines[0]["LayersIndexed"], 2);
    let received = lines[0]["BytesReceived"].as_u64().expect("a number");
    assert!(received >= image.size(), "{received} of {}", image.size());
    assert_eq!(registry.broken_tags(), Vec::<String>::new());
}
