//! One document against what its reader said about it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde_json::Value;
use soci_lint::{Beside, ContainerReport, Input, Options, Reason, Report, Severity, Verdict};

use crate::run::Outcome;

/// Runs over the folder; fails if anything crashed, an error was false or a verdict differs.
pub(super) fn run(folder: &Path) -> Outcome {
    let entries = entries(folder)?;
    let mut tally = Tally::default();
    for entry in &entries {
        let case = entry.get("file").or_else(|| entry.get("case"));
        let file = case
            .and_then(Value::as_str)
            .ok_or_else(|| format!("an entry without a file: {entry}"))?;
        let beside = OnDisk(folder.to_owned());
        let inputs: Vec<Input> = match folder.join(file).is_dir() {
            true => beside
                .folder(file)
                .iter()
                .map(|name| format!("{file}/{name}"))
                .collect(),
            false => vec![file.to_owned()],
        }
        .into_iter()
        .filter(|path| !folder.join(file).is_dir() || path.ends_with(".tf"))
        .map(|path| {
            let bytes = std::fs::read(folder.join(&path));
            let bytes = bytes.map_err(|error| format!("cannot read {path}: {error}"))?;
            Ok(Input { path, bytes })
        })
        .collect::<Result<_, String>>()?;
        let linted = catch_unwind(AssertUnwindSafe(|| match inputs.as_slice() {
            // A file by itself has no neighbours.
            [input] if !folder.join(file).is_dir() => {
                soci_lint::lint(std::slice::from_ref(input), &Options::default())
            }
            inputs => soci_lint::lint_beside(inputs, &beside, &Options::default()),
        }));
        match linted {
            Err(_) => tally.trouble(file, "crashed"),
            Ok(report) => compare(&mut tally, file, entry, &report)?,
        }
    }
    tally.conclude(entries.len())
}

/// The list in `index.json`, or that of cases in `expected.json`.
fn entries(folder: &Path) -> Result<Vec<Value>, String> {
    let names = ["index.json", "expected.json"];
    let found = names
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file());
    let path = found.ok_or_else(|| format!("{} has neither {}", folder.display(), names.join(" nor ")))?;
    let text =
        std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let entries = value.as_array().or_else(|| value.get("cases")?.as_array());
    match entries {
        Some(entries) if !entries.is_empty() => Ok(entries.clone()),
        _ => Err(format!("{} names no documents", path.display())),
    }
}

/// What lies beside the documents.
struct OnDisk(PathBuf);

impl Beside for OnDisk {
    fn file(&self, path: &str) -> Option<Vec<u8>> {
        std::fs::read(self.0.join(path)).ok()
    }

    fn folder(&self, path: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.join(path))
            .into_iter()
            .flatten()
            .flatten();
        let files = entries.filter(|entry| entry.path().is_file());
        let mut names: Vec<String> = files
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }
}

#[derive(Default)]
struct Tally {
    equal: usize,
    troubles: BTreeMap<String, Vec<String>>,
    /// Containers that were not compared, by why.
    not_compared: BTreeMap<String, usize>,
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
        let left: usize = self.not_compared.values().sum();
        let why: Vec<String> = self
            .not_compared
            .iter()
            .map(|(why, count)| format!("{count} in {why}"))
            .collect();
        println!("{left} containers were not compared: {}", why.join(", "));
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
    let read = report
        .files
        .iter()
        .find(|read| read.kind.is_read())
        .or(report.files.first());
    let Some(read) = read else {
        tally.trouble(file, "the report has no file");
        return Ok(());
    };
    if !read.kind.is_read() {
        if !expected.is_empty() {
            *tally
                .not_compared
                .entry(read.kind.as_str().to_owned())
                .or_default() += expected.len();
        }
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
            "terraform",
            "terragrunt",
            "batch",
            "copilot",
        ];
        let kind = entry
            .get("kind")
            .and_then(Value::as_str)
            .unwrap_or("terraform-hcl");
        let is_readable = kind == "register-json" || readable.iter().any(|prefix| kind.starts_with(prefix));
        if !broken && !expected.is_empty() && is_readable {
            tally.trouble(
                file,
                &format!("taken for {}, but it is {kind}", read.kind.as_str()),
            );
        }
        return Ok(());
    }
    let tasks = report.files.iter().flat_map(|file| &file.tasks);
    let containers: Vec<_> = tasks.flat_map(|task| &task.containers).collect();
    let mut taken = vec![false; containers.len()];
    for wanted in &expected {
        let name = word(wanted, "name")?;
        let line = wanted.get("line").and_then(Value::as_u64).unwrap_or(0);
        let own = wanted.get("file").and_then(Value::as_str);
        let accepted = accepted(wanted)?;
        // Of several in one place, each is one.
        let place = |found: &ContainerReport| {
            u64::from(found.location.start.line) == line && own.is_none_or(|own| found.file == own)
        };
        let ways: [&dyn Fn(&ContainerReport) -> bool; 3] =
            [&|found| place(found) && found.name == name, &place, &|found| {
                found.name == name
            }];
        let at = ways
            .iter()
            .find_map(|way| (0..containers.len()).find(|at| !taken[*at] && way(containers[*at])));
        if let Some(at) = at {
            taken[at] = true;
        }
        let found = at.map(|at| containers[at]);
        if let (Some(found), Some(_)) = (found, own) {
            reason(tally, file, wanted, found);
        }
        match found {
            Some(found) if accepted.contains(&found.verdict.as_str()) => tally.equal += 1,
            None if accepted.contains(&"no-verdict") => tally.equal += 1,
            // A resource of a kind that comes later, which the report names.
            None if report.findings.iter().any(|finding| finding.code == NOT_READ) => {
                *tally
                    .not_compared
                    .entry("a resource that is not read".to_owned())
                    .or_default() += 1;
            }
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

/// The deciding reason stands where its reader saw it.
fn reason(tally: &mut Tally, file: &str, wanted: &Value, found: &ContainerReport) {
    let Some(first) = list(wanted, "reasons").first() else {
        return;
    };
    let path = first.get("file").and_then(Value::as_str).unwrap_or(file);
    let line = first.get("line").and_then(Value::as_u64).unwrap_or(0);
    let same = |reason: &Reason| reason.file == path && u64::from(reason.location.start.line) == line;
    if !found.reasons.iter().any(same) {
        let places: Vec<String> = found
            .reasons
            .iter()
            .map(|reason| {
                format!(
                    "{} at {}:{}",
                    reason.code, reason.file, reason.location.start.line
                )
            })
            .collect();
        let text = format!(
            "container {}: {}, expected {path}:{line}",
            found.name,
            places.join(", ")
        );
        tally.trouble(file, &text);
    }
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
        // A file that is named and holds nothing is told so.
        .filter(|finding| !(expected.is_empty() && finding.code == HOLDS_NOTHING))
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

/// The finding that nothing in a file runs containers.
const HOLDS_NOTHING: &str = "SOCI901";
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
