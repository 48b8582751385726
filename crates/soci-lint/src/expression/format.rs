//! `format` and `formatlist`.

use super::access::MAX_ITEMS;
use super::eval::MAX_CASES;
use super::form::Expr;
use super::text::{product, texts};
use super::value::Hole;
use super::{Case, Cases, Evaluator, Scope, Symbolic, Thunk, Value};
use crate::source::Place;

impl<'a> Evaluator<'a> {
    /// `format("%s-%03d", a, b)`, and of lists item by item.
    pub(super) fn format(
        &self,
        each: bool,
        arguments: &[Expr<'a>],
        scope: &Scope<'a>,
        place: Place,
    ) -> Cases<'a> {
        let open = || {
            let name = if each { "formatlist" } else { "format" };
            let hole = Hole::new(
                format!("${{{name}(…)}}"),
                format!("`{name}(…)` is not evaluated"),
                "",
            );
            vec![Case::plain(hole.into(), place)]
        };
        let Some((pattern, values)) = arguments.split_first() else {
            return open();
        };
        let patterns = texts(&self.expr(*pattern, scope));
        let [pattern] = patterns.as_slice() else {
            return open();
        };
        let Some(text) = pattern.value.known() else {
            return open();
        };
        let values: Vec<Cases<'a>> = values.iter().map(|value| self.expr(*value, scope)).collect();
        // `[%s]` of a list of JSON objects that were joined is that list.
        if let ("[%s]", [value]) = (text.replace(' ', "").as_str(), values.as_slice())
            && value.iter().all(|case| matches!(case.value, Value::List(_)))
        {
            return values.into_iter().next().unwrap_or_default();
        }
        if !each {
            let values: Vec<Vec<Case>> = values.iter().map(texts).collect();
            return formatted(pattern, &text, &values, place).unwrap_or_else(open);
        }
        let list = |cases: &Cases<'a>| match cases.as_slice() {
            [
                Case {
                    value: Value::List(items),
                    ..
                },
            ] => Some(items.clone()),
            _ => None,
        };
        let longest = values.iter().filter_map(list).map(|items| items.len()).max();
        let Some(longest) = longest.filter(|longest| *longest <= MAX_ITEMS) else {
            return open();
        };
        let items: Option<Vec<Thunk<'a>>> = (0..longest)
            .map(|at| {
                let values: Vec<Vec<Case>> = values
                    .iter()
                    .map(|cases| match list(cases) {
                        Some(items) => items.get(at).map(|item| texts(&self.eval(item))),
                        None => Some(texts(cases)),
                    })
                    .collect::<Option<_>>()?;
                Some(Thunk::Ready(formatted(pattern, &text, &values, place)?.into()))
            })
            .collect();
        items.map_or_else(open, |items| vec![pattern.with(Value::list(items))])
    }
}

/// The text with its verbs replaced; `None` for verbs that are not known.
/// <https://developer.hashicorp.com/terraform/language/functions/format> (2026-11-29)
fn formatted<'a>(pattern: &Case, text: &str, values: &[Vec<Case>], place: Place) -> Option<Cases<'a>> {
    let mut cases = vec![pattern.with(Symbolic::default())];
    let mut next = 0;
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        cases = product(&cases, &[Case::plain(Symbolic::text(&rest[..at]), place)], place);
        let end = at + 1 + rest[at + 1..].find(|c: char| c.is_ascii_alphabetic() || c == '%')?;
        let (flags, verb) = (&rest[at + 1..end], rest.as_bytes()[end]);
        rest = &rest[end + 1..];
        if verb == b'%' {
            cases = product(&cases, &[Case::plain(Symbolic::text("%"), place)], place);
            continue;
        }
        let width = match flags.split_once('[') {
            Some((width, number)) => {
                next = number.strip_suffix(']')?.parse::<usize>().ok()?.checked_sub(1)?;
                width
            }
            None => flags,
        };
        let value = values.get(next)?;
        next += 1;
        let part: Vec<Case> = match (verb, width) {
            (b's' | b'd' | b'v', "") => value.clone(),
            (b'd', width) => {
                let width: usize = width
                    .strip_prefix('0')?
                    .parse()
                    .ok()
                    .filter(|width| *width < 64)?;
                let padded = value.iter().map(|case| {
                    let number: i64 = case.value.known()?.parse().ok()?;
                    Some(case.with(Symbolic::text(format!("{number:0width$}"))))
                });
                padded.collect::<Option<_>>()?
            }
            _ => return None,
        };
        cases = product(&cases, &part, place);
    }
    cases = product(&cases, &[Case::plain(Symbolic::text(rest), place)], place);
    cases.truncate(MAX_CASES);
    let value = |case: &Case| case.with(Value::text(case.value.clone()));
    Some(cases.iter().map(value).collect())
}
