//! SARIF 2.1.0, which code scanning takes.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html> (2026-11-28); what GitHub makes of
//! it: <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>
//! (2026-11-28)

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::{Finding, RenderOptions, Report, terminal};
use crate::rules::{RULES, Rule};
use crate::source::Location;
use crate::terms::Severity;

/// Writes one run. Results need a place, so that findings about the call itself, and what would answer an
/// open verdict, are notifications of the run.
pub(super) fn render(report: &Report, options: &RenderOptions<'_>) -> String {
    let used: Vec<&Rule> = RULES
        .iter()
        .copied()
        .filter(|rule| report.findings.iter().any(|finding| finding.code == rule.code))
        .collect();
    let mut seen = Vec::new();
    let (placed, about_call): (Vec<&Finding>, Vec<&Finding>) = report
        .findings
        .iter()
        .partition(|finding| !finding.file.is_empty());
    let results: Vec<Value> = placed
        .into_iter()
        .map(|finding| result(finding, &used, &mut seen))
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "soci-lint",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": "https://github.com/cargo-soci/cargo-soci",
                "rules": used.iter().map(rule).collect::<Vec<_>>(),
            } },
            "columnKind": "utf16CodeUnits",
            "invocations": [invocation(report, &about_call, options)],
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&log).expect("a log has string keys");
    text.push('\n');
    text
}

fn rule(rule: &&Rule) -> Value {
    let mut help = json!({ "text": format!("{}\n{}", rule.summary(), rule.url()) });
    if !rule.docs.is_empty() {
        // Doc comments have one space between the slashes and the text.
        let lines = rule
            .docs
            .trim()
            .lines()
            .map(|line| line.strip_prefix(' ').unwrap_or(line));
        help["markdown"] = json!(lines.collect::<Vec<_>>().join("\n"));
    }
    json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": { "text": rule.summary() },
        "helpUri": rule.url(),
        "help": help,
        "defaultConfiguration": { "level": level(rule.severity) },
    })
}

fn result(finding: &Finding, used: &[&Rule], seen: &mut Vec<(u64, u32)>) -> Value {
    let mut result = json!({
        "ruleId": finding.code,
        "level": level(finding.severity),
        "message": { "text": text(&finding.message, finding.help.as_deref()) },
        "locations": [{ "physicalLocation": physical(&finding.file, finding.location.as_ref()) }],
        "partialFingerprints": { "primaryLocationLineHash": fingerprint(finding, seen) },
    });
    if let Some(at) = used.iter().position(|rule| rule.code == finding.code) {
        result["ruleIndex"] = json!(at);
    }
    if !finding.related.is_empty() {
        let related = finding.related.iter().enumerate().map(|(at, related)| {
            json!({
                "id": at + 1,
                "message": { "text": text(&related.message, None) },
                "physicalLocation": physical(&related.file, Some(&related.location)),
            })
        });
        result["relatedLocations"] = related.collect();
    }
    if let Some(fix) = &finding.fix {
        let physical = physical(&fix.file, Some(&fix.location));
        result["fixes"] = json!([{
            "description": { "text": text(&fix.description, None) },
            "artifactChanges": [{
                "artifactLocation": physical["artifactLocation"],
                "replacements": [{
                    "deletedRegion": physical["region"],
                    "insertedContent": { "text": fix.replacement },
                }],
            }],
        }]);
    }
    result
}

/// What the run as a whole says.
fn invocation(report: &Report, about_call: &[&Finding], options: &RenderOptions<'_>) -> Value {
    let mut invocation = Map::new();
    invocation.insert("executionSuccessful".to_owned(), json!(true));
    if options.fail_on.is_some() {
        let failure = report.failure(options);
        invocation.insert("exitCode".to_owned(), json!(i32::from(failure.is_some())));
        if let Some(failure) = failure {
            invocation.insert("exitCodeDescription".to_owned(), json!(failure));
        }
    }
    let call: Vec<Value> = about_call
        .iter()
        .map(|finding| {
            json!({
                "level": level(finding.severity),
                "message": { "text": text(&finding.message, finding.help.as_deref()) },
                "associatedRule": { "id": finding.code },
            })
        })
        .collect();
    if !call.is_empty() {
        invocation.insert("toolConfigurationNotifications".to_owned(), json!(call));
    }
    let tasks = report.files.iter().flat_map(|file| &file.tasks);
    let open: Vec<Value> = tasks
        .flat_map(|task| task.containers.iter().map(move |container| (task, container)))
        .filter_map(|(task, container)| {
            let answer = container.answer()?;
            let said = format!("{}/{}: unknown, {}", task.id, container.name, container.headline);
            Some(json!({
                "level": "note",
                "message": { "text": text(&said, Some(answer)) },
                "locations": [{ "physicalLocation": physical(&container.file, Some(&container.location)) }],
            }))
        })
        .collect();
    if !open.is_empty() {
        invocation.insert("toolExecutionNotifications".to_owned(), json!(open));
    }
    Value::Object(invocation)
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
        Severity::Off => "none",
    }
}

/// A message and what to do. `[text](1)` would be a link to a related place.
fn text(message: &str, help: Option<&str>) -> String {
    let mut text = terminal(message);
    if let Some(help) = help {
        text.push('\n');
        text.push_str(&terminal(help));
    }
    text.replace("](", "] (")
}

fn physical(file: &str, location: Option<&Location>) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(file) } });
    if let Some(Location { start, end }) = location {
        physical["region"] = json!({
            "startLine": start.line,
            "startColumn": start.column_utf16,
            "endLine": end.line,
            "endColumn": end.column_utf16,
        });
    }
    physical
}

/// A path as a URI reference: relative to the root of the checkout where the path is relative.
fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let mut uri = String::new();
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

/// The same finding on another line has the same fingerprint: it is about what is written, and where in the
/// document's structure. Equal ones are counted.
fn fingerprint(finding: &Finding, seen: &mut Vec<(u64, u32)>) -> String {
    let task = finding.task.as_deref().unwrap_or("");
    let container = finding.container.as_deref().unwrap_or("");
    let mut hash = OFFSET;
    for part in [&finding.code, &finding.file, task, container, &finding.message] {
        // A byte that no text holds keeps the parts apart.
        for byte in part.bytes().chain([0xFF]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }
    let at = seen.partition_point(|(known, _)| *known < hash);
    if seen.get(at).is_none_or(|(known, _)| *known != hash) {
        seen.insert(at, (hash, 0));
    }
    seen[at].1 += 1;
    format!("{hash:016x}:{}", seen[at].1)
}

/// FNV-1a with 64 bits: <https://www.rfc-editor.org/rfc/rfc9923> (2026-11-28)
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;
