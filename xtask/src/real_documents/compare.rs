//! One document against what its reader said about it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use serde_json::Value;
use soci_lint::{Input, Options, Report, Severity, Verdict};

use crate::run::Outcome;

/// Runs over the folder; fails if anything crashed, an error was false or a verdict differs.
pub(super) fn run(folder: &Path) -> Outcome {
    let index = folder.join("index.json");
    let text = std::fs::read_to_string(&index)
        .map_err(|error| format!("cannot read {}: {error}", index.display()))?;
    let entries: Vec<Value> =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", index.display()))?;
    if entries.is_empty() {
        return Err(format!("{} names no documents", index.display()));
    }
    let mut tally = Tally::default();
    for entry in &entries {
        let file = word(entry, "file")?;
        let bytes =
            std::fs::read(folder.join(file)).map_err(|error| format!("cannot read {file}: {error}"))?;
        let input = Input {
            path: file.to_owned(),
            bytes,
        };
        let linted = catch_unwind(AssertUnwindSafe(|| {
            soci_lint::lint(std::slice::from_ref(&input), &Options::default())
        }));
        match linted {
            Err(_) => tally.trouble(file, "crashed"),
            Ok(report) => compare(&mut tally, file, entry, &report)?,
        }
    }
    tally.conclude(entries.len())
}

#[derive(Default)]
struct Tally {
    equal: usize,
    troubles: BTreeMap<String, Vec<String>>,
}

impl Tally {
    fn trouble(&mut self, file: &str, text: &str) {
        self.troubles
            .entry(file.to_owned())
            .or_default()
            .push(text.to_owned());
    }

    fn conclude(self, files: usize) -> Outcome {
        for (file, troubles) in &self.troubles {
            for trouble in troubles {
                println!("{file}: {trouble}");
            }
        }
        let count: usize = self.troubles.values().map(Vec::len).sum();
        println!(
            "{files} documents, {} verdicts as expected, {count} differences",
            self.equal
        );
        if count == 0 {
            Ok(())
        } else {
            Err(format!(
                "{count} differences in {} documents",
                self.troubles.len()
            ))
        }
    }
}

fn compare(tally: &mut Tally, file: &str, entry: &Value, report: &Report) -> Outcome {
    let expected: Vec<&Value> = list(entry, "task_definitions")
        .iter()
        .flat_map(|task| list(task, "containers"))
        .collect();
    let broken = entry.get("broken").is_some_and(|broken| !broken.is_null());
    let Some(read) = report.files.first() else {
        tally.trouble(file, "the report has no file");
        return Ok(());
    };
    if !read.kind.is_read() {
        // A kind that comes later, or none at all: said clearly, and nothing else.
        if report.findings.is_empty() {
            tally.trouble(file, &format!("nothing is said about {}", read.kind.as_str()));
        }
        for finding in report
            .findings
            .iter()
            .filter(|finding| !finding.code.starts_with("SOCI9"))
        {
            tally.trouble(file, &format!("{} about a file that is not read", finding.code));
        }
        let readable = [
            "register-json-wrapped",
            "cfn-",
            "cdk-",
            "container-array",
            "describe-",
            "register-yaml",
        ];
        let kind = word(entry, "kind")?;
        let is_readable = kind == "register-json" || readable.iter().any(|prefix| kind.starts_with(prefix));
        if !broken && !expected.is_empty() && is_readable {
            tally.trouble(
                file,
                &format!("taken for {}, but it is {kind}", read.kind.as_str()),
            );
        }
        return Ok(());
    }
    let containers: Vec<_> = read.tasks.iter().flat_map(|task| &task.containers).collect();
    for wanted in &expected {
        let name = word(wanted, "name")?;
        let line = wanted.get("line").and_then(Value::as_u64).unwrap_or(0);
        let accepted = accepted(wanted)?;
        let found = containers
            .iter()
            .find(|found| u64::from(found.location.start.line) == line)
            .or_else(|| containers.iter().find(|found| found.name == name));
        match found {
            Some(found) if accepted.contains(&found.verdict.as_str()) => tally.equal += 1,
            None if accepted.contains(&"no-verdict") => tally.equal += 1,
            // A resource of a kind that comes later, which the report names.
            None if report.findings.iter().any(|finding| finding.code == NOT_READ) => {}
            Some(found) => tally.trouble(
                file,
                &format!(
                    "line {line}, container {name}: {} ({}), expected {}",
                    found.verdict.as_str(),
                    found.headline,
                    accepted.join(" or ")
                ),
            ),
            None => tally.trouble(
                file,
                &format!(
                    "line {line}, container {name}: missing, expected {}",
                    accepted.join(" or ")
                ),
            ),
        }
    }
    if containers.len() > expected.len() {
        let text = format!("{} containers, expected {}", containers.len(), expected.len());
        tally.trouble(file, &text);
    }
    false_errors(tally, file, &expected, broken, report);
    Ok(())
}

/// An error is right about a container that is not lazy, or about a file that is broken.
fn false_errors(tally: &mut Tally, file: &str, expected: &[&Value], broken: bool, report: &Report) {
    let not_lazy: Vec<(&str, u64)> = expected
        .iter()
        .filter(|wanted| accepted(wanted).is_ok_and(|words| words.contains(&Verdict::NotLazy.as_str())))
        .filter_map(|wanted| {
            let line = wanted.get("line").and_then(Value::as_u64).unwrap_or(0);
            Some((wanted.get("name")?.as_str()?, line))
        })
        .collect();
    for finding in report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
    {
        let right = match &finding.container {
            // A name may be an expression that the report shows resolved; the line is the same.
            Some(container) => not_lazy.iter().any(|(name, line)| {
                name == container
                    || finding
                        .location
                        .is_some_and(|found| u64::from(found.start.line) == *line)
            }),
            None => broken || !not_lazy.is_empty(),
        };
        if !right && !broken {
            let line = finding.location.map_or(0, |location| location.start.line);
            tally.trouble(
                file,
                &format!("false error, line {line}: {} {}", finding.code, finding.message),
            );
        }
    }
}

/// The finding that a kind comes later.
const NOT_READ: &str = "SOCI902";

fn accepted(wanted: &Value) -> Result<Vec<&str>, String> {
    let mut words = vec![word(wanted, "verdict")?];
    words.extend(list(wanted, "alt").iter().filter_map(Value::as_str));
    Ok(words)
}

fn word<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    value
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| format!("index.json: an entry without {name}: {value}"))
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}
