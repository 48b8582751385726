//! Texts made of parts.

use super::eval::{MAX_CASES, too_many};
use super::form::{Loop, Part};
use super::value::{Branch, Hole, Piece};
use super::{Case, Cases, Evaluator, Scope, Symbolic, Value};
use crate::source::Place;

/// Longer texts are open: an expression of a few lines can name its own parts again and again.
const MAX_TEXT: usize = 16 << 10;
const MAX_PIECES: usize = 256;

impl<'a> Evaluator<'a> {
    /// The text of all parts; of a single part its value, whatever that is.
    pub(super) fn text(&self, parts: &[Part<'a>], scope: &Scope<'a>, place: Place) -> Cases<'a> {
        if let [Part::Expr(expr)] = parts {
            return at(self.expr(*expr, scope), place);
        }
        if let [Part::Reference(reference)] = parts {
            return self.reference(reference, scope, place);
        }
        let mut cases = vec![Case::plain(Symbolic::default(), place)];
        for part in parts {
            let texts = self.part(part, scope, place);
            cases = product(&cases, &texts, place);
        }
        let value = |case: Case<Symbolic>| {
            let text = looked_up(&case.value);
            case.with(Value::text(text))
        };
        cases.into_iter().map(value).collect()
    }

    fn part(&self, part: &Part<'a>, scope: &Scope<'a>, place: Place) -> Vec<Case> {
        match part {
            Part::Text(text) => vec![Case::plain(Symbolic::text(&**text), place)],
            Part::Word(word) => vec![Case::plain(word.clone(), place)],
            Part::Expr(expr) => texts(&self.expr(*expr, scope)),
            Part::Reference(reference) => texts(&self.reference(reference, scope, place)),
            Part::Choice { label, yes, no } => [(true, yes), (false, no)]
                .into_iter()
                .flat_map(|(holds, parts)| {
                    let branch = [Branch::holds(&**label, holds, None).answered_by(RENDERED)];
                    let mut cases = texts(&self.text(&closed(parts), scope, place));
                    cases.retain_mut(|case| case.under_branches(&branch));
                    cases
                })
                .collect(),
            Part::If { label, test, yes, no } => {
                let tests = self.expr(*test, scope);
                let way = |holds| self.text(&closed(if holds { yes } else { no }), scope, place);
                texts(&self.choose(&scope.qualified(label), &tests, place, way))
            }
            Part::Loop(inner, parts) => self.repeated(inner, &closed(parts), scope, place),
        }
    }

    /// The text of a loop: of all turns, one behind the other.
    fn repeated(&self, inner: &Loop<'a>, parts: &[Part<'a>], scope: &Scope<'a>, place: Place) -> Vec<Case> {
        let mut out = Vec::new();
        for case in self.turns(inner, scope) {
            let mut texts_so_far = match &case.value {
                Ok(_) => vec![Case::plain(Symbolic::default(), place)],
                Err(hole) => vec![Case::plain(hole.clone().into(), place)],
            };
            for scope in case.value.iter().flatten() {
                let turn = texts(&self.text(parts, scope, place));
                texts_so_far = product(&texts_so_far, &turn, place);
            }
            texts_so_far.retain_mut(|text| text.under(&case));
            out.append(&mut texts_so_far);
        }
        out
    }
}

/// What decides the conditions of a template.
pub(super) const RENDERED: &str = "lint the rendered file";

/// Parts that make a text even where there is one only.
fn closed<'a>(parts: &[Part<'a>]) -> Vec<Part<'a>> {
    let mut closed = parts.to_vec();
    closed.push(Part::Text("".into()));
    closed
}

/// The cases as texts; what is absent is left out.
pub(crate) fn texts(cases: &Cases<'_>) -> Vec<Case> {
    cases
        .iter()
        .filter_map(|case| Some(case.with(case.value.to_text()?)))
        .collect()
}

/// The cases with another place: where a scalar is used, rather than where it comes from.
pub(super) fn at<'a>(mut cases: Cases<'a>, place: Place) -> Cases<'a> {
    for case in &mut cases {
        if !matches!(case.value, Value::List(_) | Value::Object(_)) {
            case.place = place;
        }
    }
    cases
}

/// Every case of `left` followed by every case of `right` that can hold with it.
pub(super) fn product(left: &[Case], right: &[Case], place: Place) -> Vec<Case> {
    let mut out = Vec::new();
    for a in left {
        for b in right {
            let mut case = a.clone();
            case.place = place;
            if !case.under(b) {
                continue;
            }
            if out.len() >= MAX_CASES {
                return vec![Case::plain(too_many().into(), place)];
            }
            if a.value.text_len() + b.value.text_len() > MAX_TEXT
                || a.value.pieces.len() + b.value.pieces.len() > MAX_PIECES
            {
                case.value = Hole::new("${…}", "the text is too long to be evaluated", "").into();
            } else {
                case.value.append(&b.value);
            }
            out.push(case);
        }
    }
    out
}

/// The text with CloudFormation's dynamic references as holes, over whichever parts they were written.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html> (2026-11-28)
pub(super) fn looked_up(text: &Symbolic) -> Symbolic {
    const OPEN: &str = "{{resolve:";
    let has = |piece: &Piece| matches!(piece, Piece::Text(text) if text.contains(OPEN));
    if !text.pieces.iter().any(has) {
        return text.clone();
    }
    let mut out = Symbolic::default();
    let mut inside: Option<String> = None;
    for piece in &text.pieces {
        let Piece::Text(literal) = piece else {
            let one = Symbolic {
                pieces: vec![piece.clone()],
            };
            match &mut inside {
                Some(written) => written.push_str(&one.display()),
                None => out.append(&one),
            }
            continue;
        };
        let mut rest = literal.as_str();
        loop {
            match &mut inside {
                None => {
                    let Some(start) = rest.find(OPEN) else {
                        out.append(&Symbolic::text(rest));
                        break;
                    };
                    out.append(&Symbolic::text(&rest[..start]));
                    inside = Some(OPEN.to_owned());
                    rest = &rest[start + OPEN.len()..];
                }
                Some(written) => {
                    let Some(end) = rest.find("}}") else {
                        written.push_str(rest);
                        break;
                    };
                    written.push_str(&rest[..end + 2]);
                    out.append(&dynamic(written).into());
                    inside = None;
                    rest = &rest[end + 2..];
                }
            }
        }
    }
    if let Some(written) = inside {
        out.append(&Symbolic::text(written));
    }
    out
}

fn dynamic(written: &str) -> Hole {
    Hole::new(
        written,
        format!("`{written}` is looked up when the stack is deployed"),
        "pass the image through a parameter to have it judged here",
    )
}
