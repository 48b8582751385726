//! Asking values for fields by the API's names.

use std::rc::Rc;

use super::value::{Branch, StepKind, against_default, compatible, missing_way};
use super::{Case, Cases, Evaluator, Hole, Symbolic, Thunk, Value, texts};
use crate::source::Place;

/// A scalar setting.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setting {
    pub(crate) cases: Vec<Case>,
    /// Conditions under which it is not there.
    pub(crate) absent: Vec<Vec<Branch>>,
    /// The value, where there is one.
    pub(crate) place: Option<Place>,
}

impl Setting {
    /// Whether it is not there, whatever the conditions are or while defaults decide them.
    pub(crate) fn is_absent(&self) -> bool {
        let possible = self.cases.iter().any(|case| !case.is_against_default());
        self.cases.is_empty() || !possible && self.may_be_absent()
    }

    /// Whether it may not be there, as far as defaults say.
    fn may_be_absent(&self) -> bool {
        self.absent.iter().any(|when| !against_default(when))
    }

    /// The one case that counts: the only one, or the one that defaults choose.
    pub(crate) fn case(&self) -> Option<&Case> {
        let mut possible = self.cases.iter().filter(|case| !case.is_against_default());
        let first = possible.next()?;
        (possible.next().is_none() && !self.may_be_absent()).then_some(first)
    }

    /// Its text, where one case counts and nothing in it is open.
    pub(crate) fn known(&self) -> Option<String> {
        self.case()?.value.known()
    }

    /// The hole that keeps the text from being known.
    pub(crate) fn hole(&self) -> Option<&Hole> {
        self.cases.iter().find_map(|case| case.value.holes().next())
    }

    /// Its text as far as known, for messages.
    pub(crate) fn display(&self) -> String {
        let texts: Vec<String> = self.cases.iter().map(|case| case.value.display()).collect();
        texts.join(" or ")
    }
}

/// A member of an object that is there.
pub(crate) struct Field<'a> {
    /// As the file spells it.
    pub(crate) key: Rc<str>,
    pub(crate) key_place: Place,
    /// The value.
    pub(crate) place: Place,
    pub(crate) cases: Cases<'a>,
}

/// The field `name` of an object; `None` where it is absent or null whatever the conditions are.
pub(crate) fn field<'a>(evaluator: &Evaluator<'a>, object: &Value<'a>, name: &str) -> Option<Field<'a>> {
    let Value::Object(object) = object else {
        return None;
    };
    let members: Vec<_> = object.named(name).collect();
    let last = *members.last()?;
    let is_guarded = |thunk: &Thunk<'_>| matches!(thunk, Thunk::Expr { guards: Some(_), .. });
    let counting: Vec<_> = match members.iter().any(|member| is_guarded(&member.value)) {
        // Branches of a template language: each of them, and what stands outside.
        true => members,
        false => vec![last],
    };
    let mut cases: Cases<'a> = counting
        .iter()
        .flat_map(|member| evaluator.eval(&member.value))
        .collect();
    if is_guarded(&counting[0].value) {
        // In the other way of the branches it is not there.
        let whens: Vec<&[Branch]> = cases.iter().map(|case| case.when.as_slice()).collect();
        let other = missing_way(&whens).and_then(Branch::other_way);
        if let Some(other) = other {
            let mut case = Case::plain(Value::Absent, last.key_place);
            case.when.push(other);
            cases.push(case);
        }
    }
    let absent = cases.iter().all(|case| case.value.is_absent());
    (!absent).then(|| Field {
        key: last.key.clone(),
        key_place: last.key_place,
        place: counting[0].value.place(),
        cases,
    })
}

impl<'a> Field<'a> {
    /// As a scalar setting; an empty text is none.
    pub(crate) fn setting(&self) -> Setting {
        setting_of(&self.cases, self.place)
    }

    /// The setting `name` of the object that this field is.
    pub(crate) fn inner(&self, evaluator: &Evaluator<'a>, name: &str) -> Setting {
        let mut cases = Vec::new();
        let mut place = None;
        for outer in &self.cases {
            match field(evaluator, &outer.value, name) {
                Some(found) => {
                    place = place.or(Some(found.place));
                    cases.extend(
                        found
                            .cases
                            .into_iter()
                            .filter_map(|mut case| case.under(outer).then_some(case)),
                    );
                }
                None if matches!(outer.value, Value::Unknown(_)) => cases.push(outer.clone()),
                None => cases.push(outer.with(Value::Absent)),
            }
        }
        match cases.iter().all(|case| case.value.is_absent()) {
            true => Setting::default(),
            false => setting_of(&cases, place.unwrap_or(self.place)),
        }
    }
}

/// A field of an object as a setting.
pub(crate) fn setting<'a>(evaluator: &Evaluator<'a>, object: &Value<'a>, name: &str) -> Setting {
    field(evaluator, object, name).map_or_else(Setting::default, |field| field.setting())
}

fn setting_of(cases: &Cases<'_>, place: Place) -> Setting {
    let mut setting = Setting {
        cases: Vec::new(),
        absent: Vec::new(),
        place: Some(place),
    };
    for case in cases {
        let empty = |text: &Symbolic| text.pieces.is_empty();
        match case.value.to_text() {
            Some(text) if !empty(&text) => setting.cases.push(open_if_empty(case.with(text))),
            Some(text) if case.uses_default() => setting.cases.push(open_if_empty(case.with(text))),
            _ => setting.absent.push(case.when.clone()),
        }
    }
    match setting.cases.is_empty() {
        true => Setting::default(),
        false => setting,
    }
}

/// The texts of a field, those left out that exclude what holds already.
pub(crate) fn texts_under(cases: &Cases<'_>, when: &[Branch]) -> Vec<Case> {
    texts(cases)
        .into_iter()
        .filter(|case| compatible(&case.when, when))
        .map(open_if_empty)
        .collect()
}

/// A value that is empty by default has to be given: the empty text is no answer.
fn open_if_empty(mut case: Case) -> Case {
    if case.value.pieces.is_empty()
        && let Some(used) = case.way.iter().find(|step| step.kind == StepKind::Default)
    {
        let name = used.name.split('`').nth(1).unwrap_or("").to_owned();
        let option = if used.name.starts_with("the variable") {
            "--var"
        } else {
            "--param"
        };
        case.value = Symbolic::hole(
            &format!("${{{name}}}"),
            format!("{} is empty by default", used.name),
            format!("pass `{option} {name}=…`"),
        );
    }
    case
}

/// The items of a list in each case, each with the conditions of both; what is no list is one item.
pub(crate) fn items<'a>(evaluator: &Evaluator<'a>, list: &Cases<'a>) -> Cases<'a> {
    let mut out = Vec::new();
    for case in list {
        match &case.value {
            Value::Absent => {}
            Value::List(items) => {
                for item in items.iter() {
                    let mut found = evaluator.under(case, item);
                    // What a template puts into a list may be several of its items.
                    if evaluator.file_text(item.place()).starts_with("${")
                        && found.iter().any(|case| matches!(case.value, Value::List(_)))
                    {
                        found = evaluator.spliced(self::items(evaluator, &found));
                    }
                    out.extend(found.into_iter().filter(|case| !case.value.is_absent()));
                    if out.len() > MOST {
                        return out;
                    }
                }
            }
            _ => out.push(case.clone()),
        }
    }
    out
}

/// ECS allows 10 containers in a task; a list with more than this is no real one.
const MOST: usize = 20_000;
