//! What is wrong with the settings ends the function before its first call.

use crate::bootstrap::program;

#[test]
fn wrong_settings_end_it_at_the_start_and_are_all_named() {
    let wrong = [
        ("SOCI_TAG_MODEL", "both"),
        ("SOCI_SPAN_SIZE", "1"),
        ("SOCI_TAG", "v*"),
    ];
    // Nobody listens there: it must not come so far.
    let output = program("127.0.0.1:1", &wrong)
        .output()
        .expect("our program starts");
    assert_eq!(output.status.code(), Some(1));
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    assert_eq!(line["outcome"], "not-started");
    let reason = line["reason"].as_str().expect("a text");
    for (name, value) in wrong {
        assert!(reason.contains(&format!("{name}={value:?}: ")), "{reason}");
    }
    assert!(reason.contains("must be replace or sibling"), "{reason}");
}

#[test]
fn certificates_that_cannot_be_read_end_it_at_the_start() {
    let missing = [("SOCI_CA_FILE", "/nonexistent/ca.pem")];
    let output = program("127.0.0.1:1", &missing)
        .output()
        .expect("our program starts");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("/nonexistent/ca.pem"), "{said}");
}
