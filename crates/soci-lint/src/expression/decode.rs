//! Documents inside texts: JSON in heredocs, strings, templates and files.

use std::rc::Rc;

use hcl_edit::template::Element;

use super::form::{Dialect, Escapes, Expr, ExprKind, Raw};
use super::hcl::Context;
use super::text::texts;
use super::value::{Hole, StepKind};
use super::{Case, Cases, Evaluator, Scope, Symbolic, Thunk, Value};
use crate::source::{Node, Place, ProblemKind, TextRange, join, parent};

impl<'a> Evaluator<'a> {
    /// Where a text is written, if it may hold a document.
    pub(super) fn raw_of(&self, expr: Expr<'a>, scope: &Scope<'a>) -> Option<Raw<'a>> {
        let (range, escapes, is_template) = match expr.kind {
            ExprKind::Hcl(hcl) => {
                let (range, escapes) = hcl.inner_range()?;
                (range, escapes, true)
            }
            ExprKind::Node { node, dialect, .. } => {
                let text = node.as_str()?;
                if !text.trim_start().starts_with(['[', '{']) {
                    return None;
                }
                let range = node.range();
                (
                    TextRange::new(range.start + 1, range.end.saturating_sub(1)),
                    Escapes::Json,
                    matches!(dialect, Dialect::Rendered | Dialect::TerraformJson),
                )
            }
        };
        Some(Raw {
            file: expr.file,
            range,
            escapes,
            scope: scope.clone(),
            is_template,
        })
    }

    /// A heredoc: its text as far as that is short, and where it stands.
    pub(super) fn document(
        &self,
        expr: Expr<'a>,
        range: TextRange,
        escapes: Escapes,
        scope: &Scope<'a>,
    ) -> Cases<'a> {
        let raw = Raw {
            file: expr.file,
            range,
            escapes,
            scope: scope.clone(),
            is_template: true,
        };
        vec![Case::plain(self.raw_text(raw), expr.place())]
    }

    /// A text by its place in a file.
    fn raw_text(&self, raw: Raw<'a>) -> Value<'a> {
        let written = raw.range.of(self.store().source(raw.file).text);
        let plain = !raw.is_template || !written.contains("${") && !written.contains("%{");
        let text = match plain && written.len() < MAX_PLAIN {
            true => Symbolic::text(written),
            false => Hole::new("(a document)", "a document stands in its place", "").into(),
        };
        Value::Scalar {
            kind: super::ScalarKind::String,
            text,
            raw: Some(raw),
        }
    }

    /// What a text of JSON stands for; what is none already stays what it is.
    pub(super) fn decoded(&self, thunk: &Thunk<'a>) -> Cases<'a> {
        let mut out = Vec::new();
        for case in self.eval(thunk) {
            let Value::Scalar { raw, text, .. } = &case.value else {
                let mut case = case;
                // Where it comes from says more than where it is used.
                let first = case.way.first().filter(|step| step.kind == StepKind::Set);
                if let (Value::Unknown(_), Some(step)) = (&case.value, first) {
                    case.place = step.place;
                }
                out.push(case);
                continue;
            };
            match raw {
                Some(raw) => {
                    let found = Thunk::Ready(Rc::new(self.document_in(raw, text, case.place)));
                    out.extend(self.under(&case, &found));
                }
                None if text.known().is_some_and(|text| text.trim().is_empty()) => {
                    out.push(case.with(Value::Absent));
                }
                None => {
                    let hole = text.holes().next().cloned().unwrap_or_else(|| {
                        Hole::new(text.display(), "it is a text that is not written out here", "")
                    });
                    out.push(case.with(hole.into()));
                }
            }
        }
        out
    }

    /// Whether a text begins as documents do.
    pub(super) fn holds_document(&self, raw: &Raw<'a>) -> bool {
        let written = raw.range.of(self.store().source(raw.file).text);
        written.trim_start().starts_with(['[', '{', '$'])
    }

    /// Texts that hold documents as what they stand for; all others as they are.
    pub(crate) fn spliced(&self, cases: Cases<'a>) -> Cases<'a> {
        let mut out = Vec::new();
        for case in cases {
            let document = match &case.value {
                Value::Scalar {
                    raw: Some(raw), text, ..
                } if self.holds_document(raw) => self.deeper(|| self.document_in(raw, text, case.place)),
                _ => None,
            };
            match document {
                Some(found) => out.extend(self.under(&case, &Thunk::Ready(Rc::new(found)))),
                None => out.push(case),
            }
        }
        out
    }

    /// What a template that is one expression and no more comes to: `${jsonencode(…)}`.
    fn only_expression(&self, raw: &Raw<'a>, written: &'a str) -> Option<Cases<'a>> {
        let text = written.trim();
        if !raw.is_template || raw.escapes != Escapes::None || !text.starts_with("${") {
            return None;
        }
        let template = self.store().template(text)?;
        let mut elements = template.iter();
        let (Some(Element::Interpolation(inner)), None) = (elements.next(), elements.next()) else {
            return None;
        };
        let context = Context {
            text,
            base: raw.range.start + (written.len() - written.trim_start().len()),
            fixed: None,
        };
        let cases = self.deeper(|| self.expr(context.expr(raw.file, &inner.expr), &raw.scope))?;
        Some(self.spliced(cases))
    }

    /// The tree of a file that is a document of its own, in YAML.
    fn own_tree(&self, raw: &Raw<'a>) -> Option<Node<'a>> {
        let source = self.store().source(raw.file);
        if raw.escapes != Escapes::None || raw.range.start > 3 || raw.range.end != source.text.len() {
            return None;
        }
        let root = source.tree.as_ref()?.root_nodes().next()?;
        (root.is_mapping() || root.is_sequence()).then_some(root)
    }

    fn document_in(&self, raw: &Raw<'a>, text: &Symbolic, place: Place) -> Cases<'a> {
        let written = raw.range.of(self.store().source(raw.file).text);
        if let Some(cases) = self.only_expression(raw, written) {
            return cases;
        }
        let dialect = match raw.is_template {
            true => Dialect::Rendered,
            false => Dialect::Literal,
        };
        // `"${local.containers}"`: not a document, but where one comes from.
        if !written.trim_start().starts_with(['[', '{', '%', '/']) {
            if let Some(root) = self.own_tree(raw) {
                return self.expr(Expr::node(raw.file, root, dialect), &raw.scope);
            }
            let hole = text.holes().next().cloned();
            let hole = hole.unwrap_or_else(|| Hole::new(text.display(), "it is no JSON", ""));
            return vec![Case::plain(hole.into(), place)];
        }
        let escaped = raw.escapes == Escapes::Json && written.contains('\\');
        let tree = self.store().decode(raw.file, raw.range, escaped, |problem| {
            let problem = crate::source::Problem {
                kind: ProblemKind::Syntax,
                ..problem
            };
            self.problem(raw.file, problem);
        });
        match tree.and_then(|tree| tree.root_nodes().next()) {
            Some(root) => self.expr(Expr::node(raw.file, root, dialect), &raw.scope),
            None => {
                let hole = Hole::new(
                    "(…)",
                    "the JSON in it cannot be read",
                    "mend it, or lint the plan",
                );
                vec![Case::plain(hole.into(), place)]
            }
        }
    }

    /// `file(path)` and `templatefile(path, names)`.
    pub(super) fn file_call(
        &self,
        name: &str,
        arguments: &[Expr<'a>],
        scope: &Scope<'a>,
        place: Place,
    ) -> Cases<'a> {
        let names = arguments.get(1).map(|names| Thunk::new(*names, scope));
        let Some(path) = arguments.first() else {
            return vec![Case::plain(
                Hole::new("(…)", format!("`{name}` names no file"), "").into(),
                place,
            )];
        };
        texts(&self.expr(*path, scope))
            .iter()
            .map(|case| {
                let value = match case.value.known() {
                    Some(path) => self.text_of_file(&path, name, names.as_ref(), place),
                    None => {
                        let shown = case.value.display();
                        Hole::new(
                            format!("${{{name}(…)}}"),
                            format!("which file `{shown}` is, is not known"),
                            "",
                        )
                        .into()
                    }
                };
                let mut case = case.with(value);
                case.place = place;
                case
            })
            .collect()
    }

    /// The text of a file beside the configuration.
    fn text_of_file(&self, path: &str, function: &str, names: Option<&Thunk<'a>>, place: Place) -> Value<'a> {
        let beside = |path: &str| {
            let folder = parent(&self.store().input(place.file).path);
            self.store().file(&join(folder, path))
        };
        let found = match path.starts_with('/') {
            true => None,
            false => self.store().file(path).or_else(|| beside(path)),
        };
        let Some(file) = found else {
            let why = format!("the file {path} is not there");
            return Hole::new(
                format!("${{{function}(…)}}"),
                why,
                "lint the folder that has it, or the plan",
            )
            .into();
        };
        let text = self.store().source(file).text;
        let start = if text.starts_with('\u{FEFF}') { 3 } else { 0 };
        self.raw_text(Raw {
            file,
            range: TextRange::new(start, text.len()),
            escapes: Escapes::None,
            scope: match names {
                Some(names) => Scope::Only(Rc::new(names.clone())),
                None => Scope::Plain,
            },
            is_template: names.is_some(),
        })
    }

    /// What `template_file` renders: `template` is a text, `names` an object.
    pub(super) fn rendered(&self, template: &Thunk<'a>, names: Thunk<'a>) -> Cases<'a> {
        let names = Rc::new(names);
        self.eval(template)
            .into_iter()
            .map(|case| match &case.value {
                Value::Scalar { raw: Some(raw), .. } => {
                    let value = self.raw_text(Raw {
                        scope: Scope::Only(names.clone()),
                        is_template: true,
                        ..raw.clone()
                    });
                    case.with(value)
                }
                _ => case,
            })
            .collect()
    }
}

/// Longer documents are no texts that a function would change.
const MAX_PLAIN: usize = 4096;
