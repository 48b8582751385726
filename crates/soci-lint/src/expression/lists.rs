//! Functions that make lists and objects, and texts of lists.

use std::rc::Rc;

use super::access::{MAX_ITEMS, few, others};
use super::eval::{MAX_CASES, too_many};
use super::form::{Access, Expr};
use super::text::{at, looked_up, product, texts};
use super::value::{Branch, Hole, Piece};
use super::{Case, Cases, Evaluator, Object, Scope, Symbolic, Thunk, Value};
use crate::source::Place;

/// The items of a list, each in each of its cases; `None` where what they are is not known.
type Items<'a> = Option<Vec<Cases<'a>>>;

impl<'a> Evaluator<'a> {
    /// The items of a list in each case: each item in each of its cases, the absent ones left out.
    pub(super) fn items(&self, list: &Thunk<'a>) -> Vec<Case<Items<'a>>> {
        self.eval(list)
            .iter()
            .map(|case| {
                let items = match &case.value {
                    Value::List(items) if items.len() <= MAX_ITEMS => {
                        Some(items.iter().map(|item| self.under(case, item)).collect())
                    }
                    Value::Absent => Some(Vec::new()),
                    _ => None,
                };
                case.with(items)
            })
            .collect()
    }

    pub(super) fn join(
        &self,
        delimiter: Expr<'a>,
        lists: &[Expr<'a>],
        scope: &Scope<'a>,
        place: Place,
    ) -> Cases<'a> {
        let open = |hole: Option<Hole>| {
            let hole = hole.unwrap_or_else(|| Hole::new("${…}", "the list that is joined is not known", ""));
            vec![Case::plain(hole.into(), place)]
        };
        let [delimiter] = <[Case; 1]>::try_from(texts(&self.expr(delimiter, scope)))
            .unwrap_or_else(|_| [Case::plain(Symbolic::text(""), place)]);
        // Objects in JSON with commas between them are items of the list around them.
        let is_document = |case: &Case<Value<'a>>| match &case.value {
            Value::Object(_) => true,
            Value::Scalar { raw: Some(raw), .. } => self.holds_document(raw),
            _ => false,
        };
        if delimiter.value.known().is_some_and(|text| text.trim() == ",")
            && let Some(list) = lists.first()
            && let Some(Case {
                value: Some(items), ..
            }) = self.items(&Thunk::new(*list, scope)).first()
            && items.iter().flatten().next().is_some_and(is_document)
        {
            return self.concat(true, lists, scope, place);
        }
        // Texts so far, and whether an item came before.
        let mut acc: Vec<(Case, bool)> = vec![(Case::plain(Symbolic::default(), place), false)];
        for list in lists {
            let thunk = Thunk::new(*list, scope);
            let cases = self.items(&thunk);
            let mut next = Vec::new();
            for case in &cases {
                let Some(items) = &case.value else {
                    let hole = self.eval(&thunk).into_iter().find_map(|case| match case.value {
                        Value::Unknown(hole) => Some(hole),
                        _ => None,
                    });
                    return open(hole);
                };
                let mut here: Vec<(Case, bool)> = acc
                    .iter()
                    .filter_map(|(so_far, any)| {
                        let mut so_far = so_far.clone();
                        so_far.under(case).then_some((so_far, *any))
                    })
                    .collect();
                for item in items {
                    here = joined(&here, item, &delimiter.value, place);
                    if here.len() > MAX_CASES {
                        return open(Some(too_many()));
                    }
                }
                next.extend(here);
            }
            acc = next;
        }
        acc.into_iter()
            .map(|(case, _)| {
                let text = looked_up(&case.value);
                case.with(Value::text(text))
            })
            .collect()
    }

    pub(super) fn split(
        &self,
        delimiter: Expr<'a>,
        text: Expr<'a>,
        scope: &Scope<'a>,
        place: Place,
    ) -> Cases<'a> {
        let delimiters = texts(&self.expr(delimiter, scope));
        let [delimiter] = delimiters.as_slice() else {
            return vec![Case::plain(too_many().into(), place)];
        };
        let delimiter = delimiter.value.known().filter(|text| !text.is_empty());
        self.map(text, scope, place, |value| {
            let text = match value {
                Value::Scalar { text, .. } => text.clone(),
                _ => return None,
            };
            let parts = text.split(delimiter.as_deref()?);
            // Where a hole may hold the delimiter, what stands behind it has no certain index.
            let open = parts.iter().position(|part| part.holes().next().is_some());
            let mut items: Vec<Thunk<'a>> = Vec::new();
            for (index, part) in few(&parts)?.iter().enumerate() {
                let certain = open.is_none_or(|at| index < at || at == 0 && index == 0);
                let value = match certain {
                    true => Value::text(part.clone()),
                    false => match part.holes().next().or_else(|| text.holes().next()) {
                        Some(hole) => hole.clone().into(),
                        None => Value::text(part.clone()),
                    },
                };
                items.push(Thunk::ready(value, place));
            }
            Some(Value::list(items))
        })
    }

    pub(super) fn find_in_map(
        &self,
        map: Expr<'a>,
        keys: &[Expr<'a>],
        scope: &Scope<'a>,
        place: Place,
    ) -> Cases<'a> {
        let shown = texts(&self.expr(map, scope));
        let name = match shown.as_slice() {
            [case] => case.value.known(),
            _ => None,
        };
        let shown = name.clone().unwrap_or_else(|| "?".to_owned());
        let open = || {
            let why = format!("the entry of the mapping `{shown}` is chosen when the stack is deployed");
            let help = "pass the parameters that choose it, such as `--param AWS::Region=…`";
            vec![Case::plain(
                Hole::new(format!("${{Fn::FindInMap {shown}}}"), why, help).into(),
                place,
            )]
        };
        let ([top, second, rest @ ..], Some(template), Some(name)) = (keys, scope.template(), name) else {
            return open();
        };
        let default = rest.first().map(|options| {
            let path = [Access::Attribute("DefaultValue".into())];
            self.walk(self.expr(*options, scope), &path, scope, "DefaultValue")
        });
        let default = default.filter(|cases| cases.iter().any(|case| !case.value.is_absent()));
        let fallback = || default.clone().unwrap_or_else(open);
        let Some(node) = template.mappings.get(&*name) else {
            return fallback();
        };
        let mapping = Expr::node(template.file, *node, super::Dialect::Cloudformation);
        let tops = self.keys_of(mapping, *top, scope);
        let mut out = Vec::new();
        for top in tops {
            let Some(top) = top else {
                return fallback();
            };
            for entry in self.walk(
                self.expr(mapping, scope),
                &[Access::Attribute(top.value.clone().into())],
                scope,
                &name,
            ) {
                let found = match &entry.value {
                    Value::Object(_) => {
                        let second = [Access::Index(*second)];
                        self.walk(vec![entry.clone()], &second, scope, &name)
                    }
                    _ => Vec::new(),
                };
                let known = found.iter().any(|case| !case.value.is_absent());
                let found = if known { found } else { fallback() };
                for mut case in found {
                    if matches!(&case.value, Value::Unknown(_)) {
                        return fallback();
                    }
                    if case.under(&top) {
                        out.push(case);
                    }
                }
            }
            if out.len() > MAX_CASES {
                return open();
            }
        }
        match out.is_empty() {
            true => fallback(),
            false => at(out, place),
        }
    }

    /// The keys of a mapping that an expression may come to: the one that is known, or each of them.
    pub(super) fn keys_of(
        &self,
        mapping: Expr<'a>,
        key: Expr<'a>,
        scope: &Scope<'a>,
    ) -> Vec<Option<Case<String>>> {
        let mut out = Vec::new();
        for case in texts(&self.expr(key, scope)) {
            if let Some(known) = case.value.known() {
                out.push(Some(case.with(known)));
                continue;
            }
            let cases = self.expr(mapping, scope);
            let [
                Case {
                    value: Value::Object(object),
                    ..
                },
            ] = cases.as_slice()
            else {
                return vec![None];
            };
            if object.members.is_empty() || object.members.len() > MAX_CASES {
                return vec![None];
            }
            let shown = case.value.display();
            let shown = shown
                .strip_prefix("${")
                .and_then(|rest| rest.strip_suffix('}'))
                .unwrap_or(&shown);
            for member in &object.members {
                let mut chosen = case.with(member.key.to_string());
                let help = case.value.holes().next().map_or("", |hole| &hole.help);
                let help = match (help, case.value.pieces.as_slice()) {
                    ("", [Piece::Pseudo(_)]) => format!("pass `--param {shown}=…`"),
                    (help, _) => help.to_owned(),
                };
                chosen.when.push(Branch::is(shown, member.key.clone(), help));
                out.push(Some(chosen));
            }
        }
        out
    }

    pub(super) fn concat(
        &self,
        flat: bool,
        arguments: &[Expr<'a>],
        scope: &Scope<'a>,
        place: Place,
    ) -> Cases<'a> {
        let mut acc: Vec<Case<Vec<Thunk<'a>>>> = vec![Case::plain(Vec::new(), place)];
        for argument in arguments {
            let cases = self.expr(*argument, scope);
            let mut next = Vec::new();
            for so_far in &acc {
                for case in &cases {
                    let mut joined = so_far.clone();
                    if !joined.under(case) {
                        continue;
                    }
                    if next.len() >= MAX_CASES {
                        return vec![Case::plain(too_many().into(), place)];
                    }
                    self.extend(&mut joined.value, case, flat);
                    next.push(joined);
                }
            }
            acc = next;
        }
        acc.into_iter()
            .map(|case| case.with(Value::list(case.value.clone())))
            .collect()
    }

    pub(super) fn extend(&self, out: &mut Vec<Thunk<'a>>, case: &Case<Value<'a>>, flat: bool) {
        match &case.value {
            Value::List(items) => {
                for item in items.iter().take(MAX_ITEMS) {
                    if !flat {
                        out.push(item.clone());
                        continue;
                    }
                    if out.len() >= MAX_ITEMS {
                        break;
                    }
                    let inner = self.eval(item);
                    if !inner.iter().any(|case| matches!(case.value, Value::List(_))) {
                        out.push(item.clone());
                        continue;
                    }
                    // What is a list in some cases has its items in these.
                    for nested in &inner {
                        let before = out.len();
                        self.extend(out, nested, true);
                        if nested.when.is_empty() {
                            continue;
                        }
                        for item in &mut out[before..] {
                            *item = Thunk::Ready(Rc::new(self.under(nested, item)));
                        }
                    }
                }
                if items.len() > MAX_ITEMS || flat && out.len() >= MAX_ITEMS {
                    out.push(Thunk::ready(others().into(), case.place));
                }
            }
            Value::Absent => {}
            // Something is in the list, and what is not known.
            _ => out.push(Thunk::Ready(Rc::new(vec![case.clone()]))),
        }
    }

    pub(super) fn merge(&self, arguments: &[Expr<'a>], scope: &Scope<'a>, place: Place) -> Cases<'a> {
        let objects: Vec<Cases<'a>> = arguments
            .iter()
            .map(|argument| self.expr(*argument, scope))
            .collect();
        merged(&objects, place)
    }

    /// `merge(list...)`.
    pub(super) fn spread_merge(&self, arguments: &[Expr<'a>], scope: &Scope<'a>, place: Place) -> Cases<'a> {
        let lists = arguments
            .first()
            .map(|list| self.expr(*list, scope))
            .unwrap_or_default();
        match lists.as_slice() {
            [
                Case {
                    value: Value::List(items),
                    ..
                },
            ] => {
                let Some(items) = few(items) else {
                    return vec![Case::plain(others().into(), place)];
                };
                let objects: Vec<Cases<'a>> = items.iter().map(|item| self.eval(item)).collect();
                merged(&objects, place)
            }
            _ => at(lists, place),
        }
    }
}

/// Each text so far with each case of the next item behind it.
fn joined(
    so_far: &[(Case, bool)],
    item: &[Case<Value<'_>>],
    delimiter: &Symbolic,
    place: Place,
) -> Vec<(Case, bool)> {
    let mut out = Vec::new();
    for (text, any) in so_far {
        for case in item {
            let Some(next) = case.value.to_text() else {
                let mut text = text.clone();
                if text.under(case) {
                    out.push((text, *any));
                }
                continue;
            };
            let mut behind = Symbolic::default();
            if *any {
                behind.append(delimiter);
            }
            behind.append(&next);
            let both = product(std::slice::from_ref(text), &[case.with(behind)], place);
            out.extend(both.into_iter().map(|case| (case, true)));
        }
    }
    out
}

/// One object of all: later members count for more, and what is not known may hold any.
fn merged<'a>(objects: &[Cases<'a>], place: Place) -> Cases<'a> {
    let empty = Object {
        members: Vec::new(),
        keys: super::Keys::Snake,
        more: None,
    };
    let mut acc: Vec<Case<Object<'a>>> = vec![Case::plain(empty, place)];
    for cases in objects {
        let mut next = Vec::new();
        for so_far in &acc {
            for case in cases {
                let mut merged = so_far.with(Object {
                    members: so_far.value.members.clone(),
                    keys: so_far.value.keys,
                    more: so_far.value.more.clone(),
                });
                if !merged.under(case) || next.len() >= MAX_CASES {
                    continue;
                }
                let (members, more) = (&mut merged.value.members, &mut merged.value.more);
                let unknown = match &case.value {
                    Value::Object(object) => object.more.clone(),
                    Value::Absent => None,
                    Value::Unknown(hole) => Some(hole.clone()),
                    _ => Some(Hole::new("${merge(…)}", "what is merged in is not known", "")),
                };
                // What is not known may say anything instead of what came before it.
                if unknown.is_some() {
                    members.clear();
                    *more = unknown;
                }
                if let Value::Object(object) = &case.value {
                    members.retain(|known| object.exact(&known.key).is_none());
                    members.extend(object.members.iter().cloned());
                }
                next.push(merged);
            }
        }
        acc = next;
    }
    let value = |case: Case<Object<'a>>| Case {
        when: case.when,
        way: case.way,
        place: case.place,
        value: Value::Object(Rc::new(case.value)),
    };
    acc.into_iter().map(value).collect()
}
