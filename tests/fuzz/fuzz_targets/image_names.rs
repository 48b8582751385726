//! Any text as a digest, a reference, a platform or an ECR host: what is read is shown, and reads back
//! the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use soci_image::{Digest, EcrHost, Platform, Reference};

fuzz_target!(|text: &str| {
    if let Ok(digest) = Digest::parse(text) {
        assert_eq!(digest.to_string(), text);
    }
    if let Ok(reference) = Reference::parse(text) {
        let shown = reference.to_string();
        assert_eq!(Reference::parse(&shown).expect("the normal form").to_string(), shown);
        let _ = EcrHost::parse(reference.registry());
    }
    if let Ok(platform) = Platform::parse(text) {
        assert_eq!(Platform::parse(&platform.to_string()).as_ref(), Ok(&platform));
        assert_eq!(platform.normalised().normalised(), platform.normalised());
        assert!(platform.matches(&platform));
    }
    if let Some(host) = EcrHost::parse(text) {
        assert_eq!(EcrHost::parse(&host.to_string()), Some(host));
    }
});
