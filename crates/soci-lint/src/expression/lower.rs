//! From nodes of JSON and YAML to the one form.

use std::borrow::Cow;
use std::rc::Rc;

use hcl_edit::template::{Directive, Element};

use super::form::{Dialect, Entry, Expr, ExprKind, Form, Item, Key, Loop, Part};
use super::text::RENDERED;
use super::value::Branch;
use super::{ScalarKind, cloudformation, hcl, words};
use crate::source::{Node, Place, TextRange};

impl<'a> super::Evaluator<'a> {
    /// What an expression is, one level deep.
    pub(super) fn lower(&self, expr: Expr<'a>) -> Form<'a> {
        let (node, dialect, bare) = match expr.kind {
            ExprKind::Hcl(inner) => return hcl::lower(expr.file, inner),
            ExprKind::Node { node, dialect, bare } => (node, dialect, bare),
        };
        if dialect == Dialect::Cloudformation
            && let Some(form) = cloudformation::lower(expr.file, node, bare, self.params())
        {
            return form;
        }
        if node.is_sequence() {
            return Form::List(self.listed(expr.file, node, dialect));
        }
        if node.is_mapping() {
            return Form::Object(entries(expr.file, node, dialect), dialect.keys());
        }
        let Some(text) = node.scalar() else {
            return Form::Absent;
        };
        let kind = match (node.as_str(), text) {
            (Some(_), _) => ScalarKind::String,
            (None, "true" | "false") => ScalarKind::Bool,
            (None, _) => ScalarKind::Number,
        };
        match dialect {
            Dialect::Plain | Dialect::Cloudformation if kind == ScalarKind::String => {
                let outside_quotes = !node.written().starts_with(['"', '\'']);
                match words::parts(text, self.params(), outside_quotes) {
                    Some(parts) => Form::Text(parts),
                    None => Form::Scalar(kind, Cow::Borrowed(text)),
                }
            }
            Dialect::Rendered | Dialect::TerraformJson if kind == ScalarKind::String => {
                match text.contains("${") || text.contains("%{") {
                    true => self.template_text(expr, node, text),
                    false => Form::Scalar(kind, Cow::Borrowed(text)),
                }
            }
            _ => Form::Scalar(kind, Cow::Borrowed(text)),
        }
    }

    /// A text with `${…}` of Terraform in it.
    fn template_text(&self, expr: Expr<'a>, node: Node<'a>, text: &'a str) -> Form<'a> {
        // Where the text is what is written, parts have places of their own.
        let (base, fixed) = match node.text_start() {
            Some(start) => (start, None),
            None => (0, Some(node.range())),
        };
        match self.store().template(text) {
            Some(template) => Form::Text(hcl::parts(
                expr.file,
                template,
                hcl::Context { text, base, fixed },
                [false; 2],
            )),
            None => Form::Text(vec![Part::Text(Cow::Borrowed(text))]),
        }
    }

    fn listed(&self, file: usize, node: Node<'a>, dialect: Dialect) -> Vec<Item<'a>> {
        let item = |item: Node<'a>| Item {
            expr: Expr::node(file, item, dialect),
            guards: guards(node, item.range().start),
            loops: match dialect {
                Dialect::Rendered => self.loops(file, node, item.range().start),
                _ => Vec::new(),
            },
        };
        node.items().map(item).collect()
    }

    /// The loops of a template that something in `outer` stands in, the outermost first.
    fn loops(&self, file: usize, outer: Node<'a>, offset: usize) -> Vec<Loop<'a>> {
        let mut loops = Vec::new();
        for (around, head) in outer.loops() {
            if !around.touches(offset) || encloses(around, outer.range()) {
                continue;
            }
            // What cannot be read is looped over what nobody knows.
            let Some((text, template)) = self.store().loop_head(head) else {
                continue;
            };
            let context = hcl::Context {
                text,
                base: 0,
                fixed: Some(TextRange::new(around.start, around.start)),
            };
            if let Some(Element::Directive(directive)) = template.iter().next()
                && let Directive::For(inner) = directive.as_ref()
            {
                loops.push(hcl::loop_of(file, &inner.for_expr, context));
            }
        }
        loops.reverse();
        loops
    }
}

/// Whether tags stand around all of something: they are its own, and not those of one of its parts.
fn encloses(around: TextRange, inner: TextRange) -> bool {
    around.touches(inner.start) && around.touches(inner.end.saturating_sub(1))
}

fn entries<'a>(file: usize, node: Node<'a>, dialect: Dialect) -> Vec<Entry<'a>> {
    node.merged_members()
        .into_iter()
        .map(|member| Entry {
            key: Key::Text(Cow::Borrowed(member.key)),
            key_place: Place::new(file, member.key_range),
            value: Expr::node(file, member.value, dialect),
            guards: guards(node, member.key_range.start),
        })
        .collect()
}

/// The branches of a template language that something in `outer` stands in.
fn guards(outer: Node<'_>, offset: usize) -> Option<Rc<[Branch]>> {
    let arms = outer.arms();
    if arms.is_empty() {
        return None;
    }
    let range = outer.range();
    let branches: Vec<Branch> = arms
        .iter()
        .filter(|arm| arm.range.touches(offset) && !encloses(arm.range, range))
        .flat_map(|arm| &arm.when)
        .map(|(condition, holds)| Branch::holds(condition.as_str(), *holds, None).answered_by(RENDERED))
        .collect();
    (!branches.is_empty()).then(|| branches.into())
}
