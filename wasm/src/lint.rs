//! Documents and options in, the linter's own texts out.
//!
//! Every function also works natively, which is how tests prove that both give the same bytes.

use std::collections::BTreeSet;

use soci_lint::{Acceptance, Beside, By, CheckImages, FailOn, Input, Options, RenderOptions, Report};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::Objection;
use crate::folders::{self, Folders, Searched};

/// The documents of one run.
#[wasm_bindgen]
#[derive(Default)]
pub struct Documents {
    inputs: Vec<Input>,
    /// Paths that a search or a glob found; they may turn out to be something else.
    not_named: BTreeSet<String>,
    /// Those of them that were found by their names alone.
    by_name: BTreeSet<String>,
    /// Where files beside them are read.
    folders: Option<Folders>,
    /// What makes the run fail, where the caller said it.
    fail_on: Option<FailOn>,
    report: Option<Report>,
}

impl Beside for Documents {
    fn file(&self, path: &str) -> Option<Vec<u8>> {
        self.folders.as_ref()?.beside(path)
    }

    fn folder(&self, path: &str) -> Vec<String> {
        let names = self.folders.as_ref().and_then(|folders| folders.neighbours(path));
        names.map(|names| folders::split(&names)).unwrap_or_default()
    }

    fn is_named(&self, path: &str) -> bool {
        !self.not_named.contains(path)
    }
}

#[wasm_bindgen]
impl Documents {
    /// None yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a document. `by_name` says that a folder was searched and its name looked right, so that
    /// nothing is said about it if it turns out to be something else.
    pub fn add(&mut self, path: String, bytes: Vec<u8>, by_name: bool) {
        if by_name {
            self.not_named.insert(path.clone());
            self.by_name.insert(path.clone());
        }
        self.inputs.push(Input { path, bytes });
    }

    /// Finds the documents that the words name, one a line, and adds them; files beside them are read from the
    /// same folders when the documents ask for them.
    pub fn find(&mut self, words: &str, folders: Folders) -> Result<(), Objection> {
        let words: Vec<String> = words.lines().map(str::to_owned).collect();
        for found in soci_lint::discover(&words, &Searched(&folders))? {
            let bytes = folders
                .document(&found.path)
                .ok_or_else(|| Objection(format!("cannot read {}: {}", found.path, folders.reason())))?;
            if found.by != By::Word {
                self.not_named.insert(found.path.clone());
            }
            if found.by == By::Name {
                self.by_name.insert(found.path.clone());
            }
            self.inputs.push(Input {
                path: found.path,
                bytes,
            });
        }
        self.folders = Some(folders);
        Ok(())
    }

    /// Checks the documents under `options`, JSON of `soci_lint::Options`; gives the report as JSON and
    /// keeps it for the calls below.
    pub fn lint(&mut self, options: &str) -> Result<String, Objection> {
        let options = Options::from_json(options)?;
        let mut report = soci_lint::lint_beside(&self.inputs, self, &options);
        report.leave_out_other_files(|path| self.by_name.contains(path));
        self.report = Some(report);
        self.render("json")
    }

    /// The images that are to be looked up before [`lint`](Self::lint) is called with what was found: one a line, its
    /// name in the documents, its registry and its whole name, with tabs between. `all` takes those in any registry and
    /// with any verdict; else those of private ECR registries that a verdict hangs on.
    pub fn wanted(&mut self, options: &str, all: bool) -> Result<String, Objection> {
        let check = if all { CheckImages::On } else { CheckImages::Auto };
        let options = Options::from_json(options)?;
        let report = soci_lint::lint_beside(&self.inputs, self, &options);
        let mut lines = String::new();
        for (image, reference) in check.wanted(&report, &options) {
            for (text, end) in [
                (image, '\t'),
                (reference.registry(), '\t'),
                (&reference.to_string(), '\n'),
            ] {
                lines.push_str(text);
                lines.push(end);
            }
        }
        Ok(lines)
    }

    /// The report in a form: `human`, `short`, `json`, `github`, `markdown`, `sarif`.
    pub fn render(&self, format: &str) -> Result<String, Objection> {
        let format = format.parse()?;
        let options = RenderOptions {
            sources: &self.inputs,
            fail_on: self.fail_on,
            ..RenderOptions::default()
        };
        Ok(soci_lint::render(self.report()?, format, &options))
    }

    /// Says what makes the run fail, so that reports for people end with what did.
    #[wasm_bindgen(js_name = failOn)]
    pub fn fail_on(&mut self, fail_on: &str) -> Result<(), Objection> {
        self.fail_on = Some(fail_on.parse()?);
        Ok(())
    }

    /// Whether the report fails under `fail_on`: `error`, `warning`, `not-lazy`, `unknown`, `never`.
    pub fn fails(&self, fail_on: &str) -> Result<bool, Objection> {
        let fail_on: FailOn = fail_on.parse()?;
        Ok(fail_on.is_met_by(&self.report()?.summary))
    }

    fn report(&self) -> Result<&Report, Objection> {
        self.report
            .as_ref()
            .ok_or_else(|| Objection("there is no report: call `lint` first".to_owned()))
    }
}

/// An entry of `accept` out of its line, as JSON: `container=NAME image=IMAGE -- reason`.
#[wasm_bindgen]
pub fn acceptance(line: &str) -> Result<String, Objection> {
    let entry: Acceptance = line.parse()?;
    Ok(serde_json::to_string(&entry).expect("an entry has string keys"))
}

/// Whether a file with this path is looked at when its folder is searched.
#[wasm_bindgen(js_name = isCommonName)]
pub fn is_common_name(path: &str) -> bool {
    soci_lint::is_common_name(path)
}

/// Every rule with its documentation, as JSON.
#[wasm_bindgen]
pub fn rules() -> String {
    serde_json::to_string(&soci_lint::rules()).expect("rules have string keys and no foreign serializer")
}

/// The version of the linter.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

impl From<soci_lint::Error> for Objection {
    fn from(error: soci_lint::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<soci_lint::DiscoverError> for Objection {
    fn from(error: soci_lint::DiscoverError) -> Self {
        match error.help() {
            Some(help) => Self(format!("{error}; {help}")),
            None => Self(error.to_string()),
        }
    }
}
