//! Functions that pick out of lists and objects, or order them.

use std::rc::Rc;

use super::access::{MAX_ITEMS, few};
use super::form::Expr;
use super::text::texts;
use super::value::Hole;
use super::{Case, Cases, Evaluator, Keys, Member, Object, Scope, Thunk, Value};
use crate::source::Place;
use crate::table::sorted;

impl<'a> Evaluator<'a> {
    /// A number that is written out or comes to one.
    fn number(&self, expr: Option<&Expr<'a>>, scope: &Scope<'a>) -> Option<i64> {
        match texts(&self.expr(*expr?, scope)).as_slice() {
            [case] => case.value.known()?.parse().ok(),
            _ => None,
        }
    }

    /// `element(list, index)`, which begins anew behind the end.
    pub(super) fn element(
        &self,
        list: Expr<'a>,
        index: Expr<'a>,
        scope: &Scope<'a>,
        place: Place,
    ) -> Cases<'a> {
        let index = self.number(Some(&index), scope);
        let mut out = Vec::new();
        for case in self.expr(list, scope) {
            match (&case.value, index) {
                (Value::List(items), Some(index)) if !items.is_empty() => {
                    let at = index.rem_euclid(items.len() as i64) as usize;
                    out.extend(self.under(&case, &items[at]));
                }
                (Value::Unknown(_), _) => out.push(case),
                (Value::List(items), None) if items.len() == 1 => out.extend(self.under(&case, &items[0])),
                _ => {
                    let hole = Hole::new("${element(…)}", "which item of the list it is, is not known", "");
                    out.push(case.with(hole.into()));
                }
            }
        }
        super::text::at(out, place)
    }

    /// `slice(list, from, to)`, `reverse(list)`, `sort(list)`: the same items in another order.
    pub(super) fn rearranged(
        &self,
        name: &str,
        arguments: &[Expr<'a>],
        scope: &Scope<'a>,
        place: Place,
    ) -> Cases<'a> {
        let bound = |at: usize| {
            self.number(arguments.get(at), scope)
                .and_then(|at| usize::try_from(at).ok())
        };
        let bounds = (bound(1), bound(2));
        let Some(list) = arguments.first() else {
            return Vec::new();
        };
        self.map(*list, scope, place, |value| {
            let Value::List(items) = value else {
                return None;
            };
            let mut items = items.as_ref().clone();
            match name {
                "reverse" => items.reverse(),
                "slice" => items = items.get(bounds.0?..bounds.1?)?.to_vec(),
                _ => {
                    few(&items)?;
                    let keyed: Vec<(String, Thunk<'a>)> = items
                        .into_iter()
                        .map(|item| Some((self.eval(&item).first()?.value.known()?, item)))
                        .collect::<Option<_>>()?;
                    items = sorted(keyed, |a, b| a.0.cmp(&b.0))
                        .into_iter()
                        .map(|(_, item)| item)
                        .collect();
                }
            }
            Some(Value::list(items))
        })
    }

    /// `keys(map)` and `values(map)`, in the order of the keys.
    pub(super) fn keys_or_values(
        &self,
        keys: bool,
        map: Expr<'a>,
        scope: &Scope<'a>,
        place: Place,
    ) -> Cases<'a> {
        self.map(map, scope, place, |value| {
            let Value::Object(object) = value else {
                return None;
            };
            let members: Vec<&Member<'a>> = object.members.iter().collect();
            let members = sorted(members, |a, b| a.key.cmp(&b.key));
            let item = |member: &Member<'a>| match keys {
                true => Thunk::ready(Value::text(&*member.key), member.key_place),
                false => member.value.clone(),
            };
            Some(Value::list(members.into_iter().map(item).collect()))
        })
    }

    /// `zipmap(keys, values)`.
    pub(super) fn zipmap(
        &self,
        keys: Expr<'a>,
        values: Expr<'a>,
        scope: &Scope<'a>,
        place: Place,
    ) -> Cases<'a> {
        let values = self.expr(values, scope);
        self.map(keys, scope, place, |keys| {
            let (
                Value::List(keys),
                [
                    Case {
                        value: Value::List(values),
                        ..
                    },
                ],
            ) = (keys, values.as_slice())
            else {
                return None;
            };
            let members: Option<Vec<Member<'a>>> = few(keys)?
                .iter()
                .zip(values.iter())
                .map(|(key, value)| {
                    Some(Member {
                        key: self.eval(key).first()?.value.known()?.into(),
                        key_place: key.place(),
                        value: value.clone(),
                    })
                })
                .collect();
            Some(Value::Object(Rc::new(Object {
                members: members?,
                keys: Keys::Snake,
                more: None,
            })))
        })
    }

    /// `range(n)`, `range(from, to)`.
    pub(super) fn range(&self, arguments: &[Expr<'a>], scope: &Scope<'a>, place: Place) -> Option<Cases<'a>> {
        let first = self.number(arguments.first(), scope)?;
        let (from, to) = match arguments.len() {
            1 => (0, first),
            2 => (first, self.number(arguments.get(1), scope)?),
            _ => return None,
        };
        let item = |at: i64| Some(Thunk::ready(Value::number(usize::try_from(at).ok()?), place));
        if to.checked_sub(from)? > MAX_ITEMS as i64 {
            return None;
        }
        let items: Option<Vec<Thunk<'a>>> = (from..to).map(item).collect();
        Some(vec![Case::plain(Value::list(items?), place)])
    }

    /// `startswith`, `endswith`, `strcontains`: decided where the literal pieces decide.
    pub(super) fn has_part(
        &self,
        name: &str,
        text: Expr<'a>,
        part: Expr<'a>,
        scope: &Scope<'a>,
        place: Place,
    ) -> Cases<'a> {
        let part = match texts(&self.expr(part, scope)).as_slice() {
            [case] => case.value.known(),
            _ => None,
        };
        self.map(text, scope, place, |value| {
            let (text, part) = (value.known()?, part.as_deref()?);
            Some(Value::bool(match name {
                "startswith" => text.starts_with(part),
                "endswith" => text.ends_with(part),
                _ => text.contains(part),
            }))
        })
    }

    /// `substr(text, from, length)`.
    pub(super) fn substr(&self, arguments: &[Expr<'a>], scope: &Scope<'a>, place: Place) -> Cases<'a> {
        let from = self.number(arguments.get(1), scope);
        let length = self.number(arguments.get(2), scope);
        let Some(text) = arguments.first() else {
            return Vec::new();
        };
        self.map(*text, scope, place, |value| {
            let letters: Vec<char> = value.known()?.chars().collect();
            let count = letters.len() as i64;
            let from = from.map(|from| if from < 0 { from + count } else { from })?;
            let to = length.map(|length| {
                if length < 0 {
                    count
                } else {
                    (from + length).min(count)
                }
            })?;
            let cut = letters.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)?;
            Some(Value::text(cut.iter().collect::<String>()))
        })
    }
}
