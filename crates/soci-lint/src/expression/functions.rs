//! Functions by their common names; both CloudFormation's and Terraform's are lowered to these.

use std::rc::Rc;

use super::access::few;
use super::form::{Access, Expr};
use super::text::{at, texts};
use super::value::{Hole, Piece};
use super::{Case, Cases, Evaluator, Scope, Symbolic, Thunk, Value};
use crate::source::Place;

/// Arguments that are looked at.
const MAX_ARGUMENTS: usize = 64;

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
            let why = match name {
                "regex" | "regexall" => "regular expressions are not evaluated".to_owned(),
                _ => format!("`{shown}` is not evaluated"),
            };
            let mut hole = Hole::new(format!("${{{shown}}}"), why, "");
            // What is made of a resource's name or ARN still names the resource.
            let of = |argument: &Expr<'a>| {
                self.expr(*argument, scope)
                    .iter()
                    .find_map(|case| case.value.resource())
            };
            hole.resource = arguments.iter().find_map(of);
            one(hole.into())
        };
        match (name, arguments) {
            // The text that these make is read as what it was made of.
            (
                "jsonencode" | "yamlencode" | "jsondecode" | "yamldecode" | "nonsensitive" | "tolist"
                | "toset" | "tomap" | "tostring" | "tonumber" | "tobool" | "one" | "abspath",
                [value],
            ) => {
                let thunk = Thunk::new(*value, scope);
                match name {
                    "jsondecode" | "yamldecode" => self.eval(&Thunk::Decoded(Rc::new(thunk))),
                    "one" => self.eval(&Thunk::Only(Rc::new(thunk))),
                    _ => at(self.eval(&thunk), place),
                }
            }
            ("sensitive", [value]) => {
                self.hide(value.place());
                one(Hole::new("(sensitive)", "it is a sensitive value", "").into())
            }
            ("join", [delimiter, lists @ ..]) => self.join(*delimiter, lists, scope, place),
            ("split", [delimiter, text]) => self.split(*delimiter, *text, scope, place),
            ("select", [index, list]) => self.walk(
                self.expr(*list, scope),
                &[Access::Index(*index)],
                scope,
                "Fn::Select",
            ),
            ("element", [list, index]) => self.element(*list, *index, scope, place),
            ("slice" | "reverse" | "sort", [_, ..]) => self.rearranged(name, arguments, scope, place),
            ("zipmap", [keys, values]) => self.zipmap(*keys, *values, scope, place),
            ("range", _) => self.range(arguments, scope, place).unwrap_or_else(open),
            ("startswith" | "endswith" | "strcontains", [text, part]) => {
                self.has_part(name, *text, *part, scope, place)
            }
            ("substr", [_, _, _]) => self.substr(arguments, scope, place),
            // Of Terraform before 0.12.
            ("list", items) => {
                let items = items.iter().map(|item| Thunk::new(*item, scope));
                one(Value::list(items.collect()))
            }
            ("indent", [_, text]) => self.expr(*text, scope),
            ("ref", [name, path @ ..]) => self.made_name(*name, path, scope, place).unwrap_or_else(open),
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
            ("format" | "formatlist", _) => self.format(name == "formatlist", arguments, scope, place),
            (
                "lower" | "upper" | "trimspace" | "trimprefix" | "trimsuffix" | "trim" | "replace" | "chomp",
                _,
            ) => self.edit(name, arguments, scope, place).unwrap_or_else(open),
            ("concat" | "flatten", _) => self.concat(name == "flatten", arguments, scope, place),
            ("merge", _) => self.merge(arguments, scope, place),
            ("compact" | "distinct", [list]) => self.map(*list, scope, place, |value| match value {
                Value::List(items) => {
                    let kept = few(items)?.iter().filter_map(|item| {
                        let mut cases = self.eval(item);
                        let before = cases.len();
                        cases.retain(|case| {
                            let is_empty = name == "compact" && case.value.known().as_deref() == Some("");
                            !case.value.is_absent() && !is_empty
                        });
                        match cases.len() {
                            0 => None,
                            left if left == before => Some(item.clone()),
                            _ => Some(Thunk::Ready(Rc::new(cases))),
                        }
                    });
                    Some(Value::list(kept.collect()))
                }
                _ => None,
            }),
            ("coalesce" | "try" | "coalescelist", _) => self.first_of(name, arguments, scope, place),
            ("can", [value]) => match self.attempt(|| self.expr(*value, scope)) {
                (_, true) => one(Value::bool(false)),
                (cases, false) => {
                    let answer = |case: &Case<Value<'a>>| match &case.value {
                        Value::Unknown(hole) => case.with(hole.clone().into()),
                        _ => case.with(Value::bool(true)),
                    };
                    at(cases.iter().map(answer).collect(), place)
                }
            },
            ("lookup", [map, key, rest @ ..]) => {
                let path = [Access::Index(*key)];
                let walk = || self.walk(self.expr(*map, scope), &path, scope, "lookup(…)");
                let (found, failed) = self.attempt(walk);
                if failed && rest.is_empty() {
                    self.fail();
                }
                self.or_else(found, rest.first(), scope)
            }
            ("keys" | "values", [map]) => self.keys_or_values(name == "keys", *map, scope, place),
            ("contains", [list, wanted]) => self.contains(*list, *wanted, scope, place),
            ("file" | "templatefile", _) => self.file_call(name, arguments, scope, place),
            _ => open(),
        }
    }

    /// A function of one value; `None` leaves it open.
    pub(super) fn map(
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
            let Value::Scalar { text, raw, .. } = &case.value else {
                return case;
            };
            // A document stays one, whatever stands around it.
            if raw.is_some() && matches!(name, "trimspace" | "chomp") {
                return case;
            }
            let edited = match name {
                // Nothing that is read has other letters, and the tables of all would be a tenth of the page.
                "lower" | "upper" if !is_ascii(text) => {
                    let why = format!("`{name}(…)` of letters beyond ASCII is not evaluated");
                    Hole::new(format!("${{{name}(…)}}"), why, "").into()
                }
                "lower" => each_literal(text, |literal| literal.to_ascii_lowercase()),
                "upper" => each_literal(text, |literal| literal.to_ascii_uppercase()),
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
                    (Some(pattern), Some("")) if is_scheme(pattern) => edges(
                        text,
                        |first| {
                            first
                                .strip_prefix("https://")
                                .or_else(|| first.strip_prefix("http://"))
                        },
                        |_| None,
                    ),
                    _ => {
                        let mut hole = Hole::new(
                            "${replace(…)}",
                            "`replace(…)` with a regular expression is not evaluated",
                            "",
                        );
                        hole.resource = case.value.resource();
                        hole.into()
                    }
                },
                _ => text.clone(),
            };
            case.with(Value::text(edited))
        });
        Some(at(cases.collect(), place))
    }

    /// `try(a, b)`, `coalesce(a, b)`: the first that is there.
    fn first_of(&self, name: &str, arguments: &[Expr<'a>], scope: &Scope<'a>, place: Place) -> Cases<'a> {
        let mut open = None;
        for argument in arguments {
            let (cases, failed) = self.attempt(|| self.expr(*argument, scope));
            if name == "try" && failed {
                continue;
            }
            let missing = cases.iter().all(|case| {
                case.value.is_absent() && name != "try"
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
        open.unwrap_or_else(|| {
            self.fail();
            vec![Case::plain(Value::Absent, place)]
        })
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
            let known: Option<Vec<String>> = few(items)?
                .iter()
                .map(|item| match self.eval(item).as_slice() {
                    [case] => case.value.known(),
                    _ => None,
                })
                .collect();
            Some(Value::bool(known?.contains(wanted.as_ref()?)))
        })
    }
}

/// A regular expression that takes `https://` away.
fn is_scheme(pattern: &str) -> bool {
    let plain = pattern.replace('\\', "");
    matches!(
        plain.as_str(),
        "/^https?:///" | "/https?:///" | "/^https:///" | "/(^w+:|^)///"
    )
}

fn is_ascii(text: &Symbolic) -> bool {
    let literal = |piece: &Piece| !matches!(piece, Piece::Text(literal) if !literal.is_ascii());
    text.pieces.iter().all(literal)
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
