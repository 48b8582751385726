//! The JavaScript boundary: documents and options in, the linter's own texts out. It decides nothing.
//!
//! Every function also works natively, which is how tests prove that both give the same bytes.

use std::collections::BTreeSet;
use std::fmt::{Display, Formatter};

use soci_lint::{Beside, FailOn, Input, Options, RenderOptions, Report};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

/// The documents of one run.
#[wasm_bindgen]
#[derive(Default)]
pub struct Documents {
    inputs: Vec<Input>,
    /// Paths that were found by their names alone.
    by_name: BTreeSet<String>,
    /// What makes the run fail, where the caller said it.
    fail_on: Option<FailOn>,
    report: Option<Report>,
}

/// The documents and nothing beside them; those that were found by their names were not named themselves.
struct Found<'d>(&'d BTreeSet<String>);

impl Beside for Found<'_> {
    fn file(&self, _path: &str) -> Option<Vec<u8>> {
        None
    }

    fn folder(&self, _path: &str) -> Vec<String> {
        Vec::new()
    }

    fn is_named(&self, path: &str) -> bool {
        !self.0.contains(path)
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
            self.by_name.insert(path.clone());
        }
        self.inputs.push(Input { path, bytes });
    }

    /// Checks the documents under `options`, JSON of `soci_lint::Options`; gives the report as JSON and
    /// keeps it for the calls below.
    pub fn lint(&mut self, options: &str) -> Result<String, Objection> {
        let options = Options::from_json(options)?;
        let mut report = soci_lint::lint_beside(&self.inputs, &Found(&self.by_name), &options);
        report.leave_out_other_files(|path| self.by_name.contains(path));
        self.report = Some(report);
        self.render("json")
    }

    /// The report in a form: `human`, `short`, `json`, `github`, `markdown`.
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
        let fail_on: soci_lint::FailOn = fail_on.parse()?;
        Ok(fail_on.is_met_by(&self.report()?.summary))
    }

    fn report(&self) -> Result<&Report, Objection> {
        self.report
            .as_ref()
            .ok_or_else(|| Objection("there is no report: call `lint` first".to_owned()))
    }
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

/// Why a call cannot be carried out; JavaScript gets an `Error` with this text.
#[derive(Debug)]
pub struct Objection(String);

impl Display for Objection {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Objection {}

impl From<soci_lint::Error> for Objection {
    fn from(error: soci_lint::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<Objection> for JsValue {
    fn from(objection: Objection) -> Self {
        JsError::new(&objection.0).into()
    }
}
