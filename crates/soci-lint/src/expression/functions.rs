//! Functions by their common names; both CloudFormation's and Terraform's are lowered to these.

use std::rc::Rc;

use super::access::MAX_ITEMS;
use super::eval::{MAX_CASES, too_many};
use super::form::{Access, Expr};
use super::text::{at, looked_up, product, texts};
use super::value::{Branch, Hole, Outcome, Piece};
use super::{Case, Cases, Evaluator, Member, Object, Scope, Symbolic, Thunk, Value};
use crate::source::Place;

/// Arguments that are looked at.
const MAX_ARGUMENTS: usize = 64;

/// The items of a list, each in each of its cases; `None` where what they are is not known.
type Items<'a> = Option<Vec<Cases<'a>>>;

impl<'a> Evaluator<'a> {
    pub(super) fn call(
        &self,
        name: &str,
        arguments: &[Expr<'a>],
        call: Expr<'a>,
        scope: &Scope<'a>,
    ) -> Cases<'a> {
        let place = call.place();
        let arguments = &arguments[..arguments.len().min(MAX_ARGUMENTS)];
        let one = |value: Value<'a>| vec![Case::plain(value, place)];
        let open = || {
            let shown = format!("{name}(…)");
            one(Hole::new(format!("${{{shown}}}"), format!("`{shown}` is not evaluated"), "").into())
        };
        match (name, arguments) {
            // The text that these make is read as what it was made of.
            (
                "jsonencode" | "jsondecode" | "yamldecode" | "nonsensitive" | "tolist" | "toset" | "tomap"
                | "tostring" | "tonumber" | "one" | "sort",
                [value],
            ) => {
                let thunk = Thunk::new(*value, scope);
                match name {
                    "jsondecode" => self.eval(&Thunk::Decoded(Rc::new(thunk))),
                    "one" => self.eval(&Thunk::Only(Rc::new(thunk))),
                    _ => at(self.eval(&thunk), place),
                }
            }
            ("sensitive", [_]) => one(Hole::new("(sensitive)", "it is a sensitive value", "").into()),
            ("join", [delimiter, lists @ ..]) => self.join(*delimiter, lists, scope, place),
            ("split", [delimiter, text]) => self.split(*delimiter, *text, scope, place),
            ("select", [index, list]) => self.walk(
                self.expr(*list, scope),
                &[Access::Index(*index)],
                scope,
                "Fn::Select",
            ),
            ("element", [list, index]) => self.walk(
                self.expr(*list, scope),
                &[Access::Index(*index)],
                scope,
                "element(…)",
            ),
            ("find_in_map", [map, keys @ ..]) => self.find_in_map(*map, keys, scope, place),
            ("import_value", [name]) => {
                let shown = texts(&self.expr(*name, scope));
                let name = shown
                    .first()
                    .map_or_else(|| "…".to_owned(), |case| case.value.display());
                let why = format!("`{name}` is imported from another stack");
                let help = "pass the image through a parameter, or lint the deployed task definition";
                one(Hole::new(format!("${{{name}}}"), why, help).into())
            }
            ("length", [list]) => self.map(*list, scope, place, |value| match value {
                Value::List(items) => Some(Value::text(items.len().to_string())),
                Value::Object(object) if object.more.is_none() => {
                    Some(Value::text(object.members.len().to_string()))
                }
                Value::Scalar { text, .. } => Some(Value::text(text.known()?.chars().count().to_string())),
                _ => None,
            }),
            ("format", [pattern, values @ ..]) => self.format(*pattern, values, scope, place),
            (
                "lower" | "upper" | "trimspace" | "trimprefix" | "trimsuffix" | "trim" | "replace" | "chomp"
                | "title",
                _,
            ) => self.edit(name, arguments, scope, place).unwrap_or_else(open),
            ("concat" | "flatten", _) => self.concat(name == "flatten", arguments, scope, place),
            ("merge", _) => self.merge(arguments, scope, place),
            ("compact" | "distinct", [list]) => self.map(*list, scope, place, |value| match value {
                Value::List(items) => {
                    let kept = items.iter().filter(|item| {
                        !self.eval(item).iter().all(|case| {
                            case.value.is_absent()
                                || name == "compact" && case.value.known().as_deref() == Some("")
                        })
                    });
                    Some(Value::list(kept.cloned().collect()))
                }
                _ => None,
            }),
            ("coalesce" | "try" | "coalescelist", _) => self.first_of(name, arguments, scope, place),
            ("can", [value]) => self.map(*value, scope, place, |value| match value {
                Value::Unknown(_) => None,
                value => Some(Value::bool(!value.is_absent())),
            }),
            ("lookup", [map, key, rest @ ..]) => {
                let found = self.walk(self.expr(*map, scope), &[Access::Index(*key)], scope, "lookup(…)");
                self.or_else(found, rest.first(), scope)
            }
            ("keys" | "values", [map]) => self.map(*map, scope, place, |value| match value {
                Value::Object(object) => {
                    let item = |member: &Member<'a>| match name {
                        "keys" => Thunk::ready(Value::text(&*member.key), member.key_place),
                        _ => member.value.clone(),
                    };
                    Some(Value::list(object.members.iter().map(item).collect()))
                }
                _ => None,
            }),
            ("contains", [list, wanted]) => self.contains(*list, *wanted, scope, place),
            ("file" | "templatefile", _) => self.file_call(name, arguments, scope, place),
            _ => open(),
        }
    }

    /// A function of one value; `None` leaves it open.
    fn map(
        &self,
        argument: Expr<'a>,
        scope: &Scope<'a>,
        place: Place,
        function: impl Fn(&Value<'a>) -> Option<Value<'a>>,
    ) -> Cases<'a> {
        let open = |value: &Value<'a>| match value {
            Value::Unknown(hole) => hole.clone().into(),
            _ => Hole::new("${…}", "the expression is not evaluated", "").into(),
        };
        let cases = self.expr(argument, scope);
        let mapped = cases
            .iter()
            .map(|case| case.with(function(&case.value).unwrap_or_else(|| open(&case.value))));
        at(mapped.collect(), place)
    }

    /// The items of a list in each case: each item in each of its cases, the absent ones left out.
    fn items(&self, list: &Thunk<'a>) -> Vec<Case<Items<'a>>> {
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

    fn join(&self, delimiter: Expr<'a>, lists: &[Expr<'a>], scope: &Scope<'a>, place: Place) -> Cases<'a> {
        let open = |hole: Option<Hole>| {
            let hole = hole.unwrap_or_else(|| Hole::new("${…}", "the list that is joined is not known", ""));
            vec![Case::plain(hole.into(), place)]
        };
        let [delimiter] = <[Case; 1]>::try_from(texts(&self.expr(delimiter, scope)))
            .unwrap_or_else(|_| [Case::plain(Symbolic::text(""), place)]);
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

    fn split(&self, delimiter: Expr<'a>, text: Expr<'a>, scope: &Scope<'a>, place: Place) -> Cases<'a> {
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
            for (index, part) in parts.iter().enumerate().take(MAX_ITEMS) {
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

    fn find_in_map(&self, map: Expr<'a>, keys: &[Expr<'a>], scope: &Scope<'a>, place: Place) -> Cases<'a> {
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
    fn keys_of(&self, mapping: Expr<'a>, key: Expr<'a>, scope: &Scope<'a>) -> Vec<Option<Case<String>>> {
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
                chosen.when.push(Branch {
                    condition: shown.into(),
                    outcome: Outcome::Is(member.key.clone()),
                    by_default: None,
                });
                out.push(Some(chosen));
            }
        }
        out
    }

    /// `format("%s-%d", a, b)`.
    fn format(&self, pattern: Expr<'a>, values: &[Expr<'a>], scope: &Scope<'a>, place: Place) -> Cases<'a> {
        let open = || {
            vec![Case::plain(
                Hole::new("${format(…)}", "`format(…)` is not evaluated", "").into(),
                place,
            )]
        };
        let patterns = texts(&self.expr(pattern, scope));
        let [pattern] = patterns.as_slice() else {
            return open();
        };
        let Some(text) = pattern.value.known() else {
            return open();
        };
        let mut cases = vec![pattern.with(Symbolic::default())];
        let mut values = values.iter();
        let mut rest = text.as_str();
        while let Some(at) = rest.find('%') {
            let literal = [Case::plain(Symbolic::text(&rest[..at]), place)];
            cases = product(&cases, &literal, place);
            let verb = rest[at + 1..].chars().next();
            rest = rest.get(at + 2..).unwrap_or("");
            let part = match verb {
                Some('%') => vec![Case::plain(Symbolic::text("%"), place)],
                Some('s' | 'd' | 'v' | 'q') => match values.next() {
                    Some(value) => texts(&self.expr(*value, scope)),
                    None => return open(),
                },
                _ => return open(),
            };
            cases = product(&cases, &part, place);
        }
        cases = product(&cases, &[Case::plain(Symbolic::text(rest), place)], place);
        cases
            .into_iter()
            .map(|case| case.with(Value::text(case.value.clone())))
            .collect()
    }

    /// Functions that change the literal pieces of a text and leave what is open as it is.
    fn edit(&self, name: &str, arguments: &[Expr<'a>], scope: &Scope<'a>, place: Place) -> Option<Cases<'a>> {
        let (text, rest) = arguments.split_first()?;
        let mut words = Vec::new();
        for argument in rest {
            match texts(&self.expr(*argument, scope)).as_slice() {
                [case] => words.push(case.value.known()?),
                _ => return None,
            }
        }
        let word = |at: usize| words.get(at).map(String::as_str);
        let cases = self.expr(*text, scope).into_iter().map(|case| {
            let Value::Scalar { text, .. } = &case.value else {
                return case;
            };
            let edited = match name {
                "lower" => each_literal(text, |literal| literal.to_lowercase()),
                "upper" => each_literal(text, |literal| literal.to_uppercase()),
                "trimprefix" => edges(text, |first| first.strip_prefix(word(0)?), |_| None),
                "trimsuffix" => edges(text, |_| None, |last| last.strip_suffix(word(0)?)),
                "trim" => {
                    let of = |c: char| word(0).is_some_and(|set| set.contains(c));
                    edges(
                        text,
                        |first| Some(first.trim_start_matches(of)),
                        |last| Some(last.trim_end_matches(of)),
                    )
                }
                "trimspace" | "chomp" => edges(
                    text,
                    |first| Some(first.trim_start()),
                    |last| Some(last.trim_end()),
                ),
                "replace" => match (word(0), word(1)) {
                    // Between slashes is a regular expression.
                    (Some(from), Some(to))
                        if !(from.len() > 1 && from.starts_with('/') && from.ends_with('/')) =>
                    {
                        each_literal(text, |literal| literal.replace(from, to))
                    }
                    _ => Hole::new("${replace(…)}", "`replace(…)` is not evaluated", "").into(),
                },
                _ => text.clone(),
            };
            case.with(Value::text(edited))
        });
        Some(at(cases.collect(), place))
    }

    fn concat(&self, flat: bool, arguments: &[Expr<'a>], scope: &Scope<'a>, place: Place) -> Cases<'a> {
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

    fn extend(&self, out: &mut Vec<Thunk<'a>>, case: &Case<Value<'a>>, flat: bool) {
        match &case.value {
            Value::List(items) => {
                for item in items.iter().take(MAX_ITEMS) {
                    let inner = if flat { self.eval(item) } else { Vec::new() };
                    match inner.as_slice() {
                        [nested] if matches!(nested.value, Value::List(_)) && out.len() < MAX_ITEMS => {
                            self.extend(out, nested, true);
                        }
                        _ => out.push(item.clone()),
                    }
                }
            }
            Value::Absent => {}
            // Something is in the list, and what is not known.
            _ => out.push(Thunk::Ready(Rc::new(vec![case.clone()]))),
        }
    }

    fn merge(&self, arguments: &[Expr<'a>], scope: &Scope<'a>, place: Place) -> Cases<'a> {
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
                let objects: Vec<Cases<'a>> =
                    items.iter().take(MAX_ITEMS).map(|item| self.eval(item)).collect();
                merged(&objects, place)
            }
            _ => at(lists, place),
        }
    }

    /// `try(a, b)`, `coalesce(a, b)`: the first that is there.
    fn first_of(&self, name: &str, arguments: &[Expr<'a>], scope: &Scope<'a>, place: Place) -> Cases<'a> {
        let mut open = None;
        for argument in arguments {
            let cases = self.expr(*argument, scope);
            let missing = cases.iter().all(|case| {
                case.value.is_absent()
                    || name == "coalesce" && case.value.known().as_deref() == Some("")
                    || name == "coalescelist" && matches!(&case.value, Value::List(items) if items.is_empty())
            });
            if missing {
                continue;
            }
            if cases.iter().any(|case| matches!(case.value, Value::Unknown(_))) {
                // It may be the one, and it may be absent: what comes behind it is no answer.
                open = open.or(Some(cases));
                break;
            }
            return cases;
        }
        open.unwrap_or_else(|| vec![Case::plain(Value::Absent, place)])
    }

    fn or_else(&self, found: Cases<'a>, default: Option<&Expr<'a>>, scope: &Scope<'a>) -> Cases<'a> {
        let Some(default) = default else {
            return found;
        };
        let mut out = Vec::new();
        for case in found {
            match case.value {
                Value::Absent => out.extend(
                    self.expr(*default, scope)
                        .into_iter()
                        .filter_map(|mut other| other.under(&case).then_some(other)),
                ),
                _ => out.push(case),
            }
        }
        out
    }

    fn contains(&self, list: Expr<'a>, wanted: Expr<'a>, scope: &Scope<'a>, place: Place) -> Cases<'a> {
        let wanted = match texts(&self.expr(wanted, scope)).as_slice() {
            [case] => case.value.known(),
            _ => None,
        };
        self.map(list, scope, place, |value| {
            let Value::List(items) = value else {
                return None;
            };
            let known: Option<Vec<String>> = items
                .iter()
                .take(MAX_ITEMS)
                .map(|item| match self.eval(item).as_slice() {
                    [case] => case.value.known(),
                    _ => None,
                })
                .collect();
            Some(Value::bool(known?.contains(wanted.as_ref()?)))
        })
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

fn each_literal(text: &Symbolic, edit: impl Fn(&str) -> String) -> Symbolic {
    let mut out = Symbolic::default();
    for piece in &text.pieces {
        let edited = match piece {
            Piece::Text(literal) => Symbolic::text(edit(literal)),
            piece => Symbolic {
                pieces: vec![piece.clone()],
            },
        };
        out.append(&edited);
    }
    out
}

/// Cuts at the beginning and the end of a text, where these are literal.
fn edges<'t>(
    text: &'t Symbolic,
    start: impl Fn(&'t str) -> Option<&'t str>,
    end: impl Fn(&str) -> Option<&str>,
) -> Symbolic {
    let mut pieces = text.pieces.clone();
    if let (Some(Piece::Text(first)), Some(Piece::Text(original))) = (pieces.first_mut(), text.pieces.first())
        && let Some(cut) = start(original)
    {
        *first = cut.to_owned();
    }
    if let Some(Piece::Text(last)) = pieces.last_mut()
        && let Some(cut) = end(last)
    {
        *last = cut.to_owned();
    }
    Symbolic { pieces }
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
                match &case.value {
                    Value::Object(object) => {
                        members.retain(|known| object.exact(&known.key).is_none());
                        members.extend(object.members.iter().cloned());
                        *more = more.take().or_else(|| object.more.clone());
                    }
                    Value::Absent => {}
                    Value::Unknown(hole) => *more = Some(hole.clone()),
                    _ => *more = Some(Hole::new("${merge(…)}", "what is merged in is not known", "")),
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
