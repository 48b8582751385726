//! From HCL to the one form.

use std::borrow::Cow;

use hcl_edit::Span;
use hcl_edit::expr::{BinaryOperator, Expression, ForExpr, ObjectKey, TraversalOperator, UnaryOperator};
use hcl_edit::template::{Directive, Element, ForTemplateExpr, Strip, Template};

use super::form::{
    Access, Arithmetic, Entry, Escapes, Expr, ExprKind, Form, Item, Key, Loop, Operation, Ordering, Part,
    Reference, Test,
};
use super::value::Hole;
use super::{Keys, ScalarKind};
use crate::source::{Place, TextRange};

/// An expression of HCL, and how its places become places in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HclExpr<'a> {
    expr: &'a Expression,
    context: Context<'a>,
}

/// The text that places are of, and where it is in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) text: &'a str,
    pub(crate) base: usize,
    /// The one place of everything, where the text is not written as it is.
    pub(crate) fixed: Option<TextRange>,
}

/// `for` as HCL has it.
#[derive(Clone, Copy)]
pub(crate) struct HclFor<'a> {
    pub(crate) file: usize,
    pub(crate) inner: &'a ForExpr,
    pub(crate) context: Context<'a>,
}

impl<'a> Context<'a> {
    pub(crate) fn place(self, span: Option<std::ops::Range<usize>>) -> TextRange {
        match (self.fixed, span) {
            (Some(fixed), _) => fixed,
            (None, Some(span)) => TextRange::new(self.base + span.start, self.base + span.end),
            (None, None) => TextRange::new(self.base, self.base),
        }
    }

    pub(crate) fn expr(self, file: usize, expr: &'a Expression) -> Expr<'a> {
        let context = self;
        Expr {
            file,
            kind: ExprKind::Hcl(HclExpr { expr, context }),
        }
    }

    fn written(self, span: Option<std::ops::Range<usize>>) -> Cow<'a, str> {
        let text = span.and_then(|span| self.text.get(span)).unwrap_or("…");
        match text.contains(['\n', '\t']) {
            true => Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" ")),
            false => Cow::Borrowed(text),
        }
    }
}

impl<'a> HclExpr<'a> {
    pub(crate) fn range(self) -> TextRange {
        self.context.place(self.expr.span())
    }

    /// What is between the marks of a string or a heredoc, and how it is escaped.
    pub(crate) fn inner_range(self) -> Option<(TextRange, Escapes)> {
        let context = self.context;
        if context.fixed.is_some() {
            return None;
        }
        let range = self.range();
        match self.expr {
            Expression::String(_) | Expression::StringTemplate(_) if range.end - range.start >= 2 => {
                Some((TextRange::new(range.start + 1, range.end - 1), Escapes::Json))
            }
            Expression::HeredocTemplate(_) => {
                let text = context
                    .text
                    .get(range.start - context.base..range.end - context.base)?;
                let first = text.find('\n')? + 1;
                let last = text.trim_end().rfind('\n').map_or(first, |at| at.max(first));
                Some((
                    TextRange::new(range.start + first, range.start + last),
                    Escapes::None,
                ))
            }
            _ => None,
        }
    }
}

/// What an expression is, one level deep.
pub(super) fn lower(file: usize, hcl: HclExpr<'_>) -> Form<'_> {
    let HclExpr { expr, context } = hcl;
    let child = |expr| context.expr(file, expr);
    let unknown = |what: &str| {
        let written = context.written(expr.span());
        Form::Hole(Hole::new(
            format!("${{{written}}}"),
            format!("{what} is not evaluated"),
            "",
        ))
    };
    match expr {
        Expression::Null(_) => Form::Absent,
        Expression::Bool(value) => Form::Scalar(ScalarKind::Bool, value.value().to_string().into()),
        Expression::Number(_) => Form::Scalar(ScalarKind::Number, context.written(expr.span())),
        Expression::String(value) => Form::Scalar(ScalarKind::String, value.value().as_str().into()),
        Expression::Array(array) => Form::List(
            array
                .iter()
                .map(|item| Item {
                    expr: child(item),
                    guards: None,
                    loops: Vec::new(),
                })
                .collect(),
        ),
        Expression::Object(object) => {
            let mut entries = Vec::new();
            for (key, value) in object {
                let (name, span) = match key {
                    ObjectKey::Ident(ident) => (Key::Text(ident.as_str().into()), ident.span()),
                    ObjectKey::Expression(Expression::String(text)) => {
                        (Key::Text(text.value().as_str().into()), text.span())
                    }
                    ObjectKey::Expression(expr) => (Key::Expr(child(expr)), expr.span()),
                };
                entries.push(Entry {
                    key: name,
                    key_place: Place::new(file, context.place(span)),
                    value: child(value.expr()),
                    guards: None,
                });
            }
            Form::Object(entries, Keys::Snake)
        }
        Expression::StringTemplate(template) => Form::Text(parts(file, template, context, [false; 2])),
        Expression::HeredocTemplate(_) => match hcl.inner_range() {
            Some((range, escapes)) => Form::Document(range, escapes),
            None => unknown("the heredoc"),
        },
        Expression::Parenthesis(inner) => lower(
            file,
            HclExpr {
                expr: inner.inner(),
                context,
            },
        ),
        Expression::Variable(name) => Form::Reference(Reference {
            root: name.as_str().into(),
            path: Vec::new(),
            written: name.as_str().into(),
        }),
        Expression::Traversal(traversal) => {
            let path = traversal.operators.iter().map(|operator| match operator.value() {
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => Access::Each,
                TraversalOperator::GetAttr(name) => Access::Attribute(name.as_str().into()),
                TraversalOperator::Index(index) => Access::Index(child(index)),
                TraversalOperator::LegacyIndex(index) => Access::Attribute(index.value().to_string().into()),
            });
            let path: Vec<Access<'_>> = path.collect();
            match &traversal.expr {
                Expression::Variable(name) => Form::Reference(Reference {
                    root: name.as_str().into(),
                    path,
                    written: context.written(expr.span()),
                }),
                inner => Form::Walk(child(inner), path),
            }
        }
        Expression::FuncCall(call) => {
            let arguments = call.args.iter().map(child).collect();
            match (call.name.is_namespaced(), call.args.expand_final()) {
                (true, _) => unknown("a provider's function"),
                (false, true) => Form::Spread(call.name.name.as_str(), arguments),
                (false, false) => Form::Call(call.name.name.as_str(), arguments),
            }
        }
        Expression::Conditional(conditional) => Form::Conditional {
            label: context.written(conditional.cond_expr.span()),
            test: Test::Expr(child(&conditional.cond_expr)),
            yes: Some(child(&conditional.true_expr)),
            no: Some(child(&conditional.false_expr)),
        },
        Expression::UnaryOp(unary) => {
            let operation = match unary.operator.value() {
                UnaryOperator::Not => Operation::Not,
                UnaryOperator::Neg => Operation::Arithmetic(Arithmetic::Minus),
            };
            Form::Operation(operation, vec![child(&unary.expr)])
        }
        Expression::BinaryOp(binary) => {
            let operation = match binary.operator.value() {
                BinaryOperator::Eq => Operation::Equal,
                BinaryOperator::NotEq => Operation::NotEqual,
                BinaryOperator::And => Operation::And,
                BinaryOperator::Or => Operation::Or,
                BinaryOperator::Less => Operation::Compare(Ordering::Less),
                BinaryOperator::LessEq => Operation::Compare(Ordering::LessOrEqual),
                BinaryOperator::Greater => Operation::Compare(Ordering::Greater),
                BinaryOperator::GreaterEq => Operation::Compare(Ordering::GreaterOrEqual),
                BinaryOperator::Plus => Operation::Arithmetic(Arithmetic::Plus),
                BinaryOperator::Minus => Operation::Arithmetic(Arithmetic::Minus),
                BinaryOperator::Mul => Operation::Arithmetic(Arithmetic::Times),
                BinaryOperator::Div => Operation::Arithmetic(Arithmetic::Divide),
                BinaryOperator::Mod => Operation::Arithmetic(Arithmetic::Remainder),
            };
            Form::Operation(operation, vec![child(&binary.lhs_expr), child(&binary.rhs_expr)])
        }
        Expression::ForExpr(inner) => Form::For(HclFor { file, inner, context }),
    }
}

/// The parts of a template. `cut` says whether the tags around it take away the white space at its beginning and its end.
pub(super) fn parts<'a>(
    file: usize,
    template: &'a Template,
    context: Context<'a>,
    cut: [bool; 2],
) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    let mut elements = template.iter().peekable();
    let mut cut_start = cut[0];
    while let Some(element) = elements.next() {
        let after = match elements.peek() {
            Some(next) => strips(next)[0],
            None => cut[1],
        };
        parts.push(match element {
            Element::Literal(text) => {
                let mut text = text.as_str();
                if cut_start {
                    text = text.trim_start();
                }
                if after {
                    text = text.trim_end();
                }
                Part::Text(text.into())
            }
            Element::Interpolation(inner) => Part::Expr(context.expr(file, &inner.expr)),
            Element::Directive(directive) => match directive.as_ref() {
                Directive::If(inner) => {
                    let [end, own] = [inner.endif_expr.strip, inner.if_expr.strip];
                    let otherwise = inner.else_expr.as_ref();
                    let middle = otherwise.map_or(end, |inner| inner.strip);
                    Part::If {
                        label: context.written(inner.if_expr.cond_expr.span()),
                        test: context.expr(file, &inner.if_expr.cond_expr),
                        yes: parts_between(file, &inner.if_expr.template, context, own, middle),
                        no: otherwise
                            .map(|inner| parts_between(file, &inner.template, context, inner.strip, end))
                            .unwrap_or_default(),
                    }
                }
                Directive::For(inner) => {
                    let (own, end) = (&inner.for_expr, inner.endfor_expr.strip);
                    let body = parts_between(file, &own.template, context, own.strip, end);
                    Part::Loop(loop_of(file, own, context), body)
                }
            },
        });
        cut_start = strips(element)[1];
    }
    parts
}

fn parts_between<'a>(
    file: usize,
    template: &'a Template,
    context: Context<'a>,
    before: Strip,
    after: Strip,
) -> Vec<Part<'a>> {
    parts(
        file,
        template,
        context,
        [takes_after(before), takes_before(after)],
    )
}

/// The head of a loop.
pub(super) fn loop_of<'a>(file: usize, inner: &'a ForTemplateExpr, context: Context<'a>) -> Loop<'a> {
    Loop {
        key: inner.key_var.as_ref().map(|name| name.as_str()),
        value: inner.value_var.as_str(),
        collection: context.expr(file, &inner.collection_expr),
    }
}

/// Whether the first and the last tag of an element take away the white space before and behind it: `~`.
fn strips(element: &Element) -> [bool; 2] {
    let (first, last) = match element {
        Element::Literal(_) => return [false; 2],
        Element::Interpolation(inner) => (inner.strip, inner.strip),
        Element::Directive(directive) => match directive.as_ref() {
            Directive::If(inner) => (inner.if_expr.strip, inner.endif_expr.strip),
            Directive::For(inner) => (inner.for_expr.strip, inner.endfor_expr.strip),
        },
    };
    [takes_before(first), takes_after(last)]
}

fn takes_before(strip: Strip) -> bool {
    matches!(strip, Strip::Start | Strip::Both)
}

fn takes_after(strip: Strip) -> bool {
    matches!(strip, Strip::End | Strip::Both)
}
