//! Conditions: true, false, or open; a default on the way says that they hold by default.

use super::eval::MAX_CASES;
use super::form::{Arithmetic, Dialect, Expr, Operation, Ordering};
use super::value::{Hole, StepKind, is_open};
use super::{Case, Cases, Evaluator, Scope, Value};
use crate::source::Place;

/// What a condition comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    /// Certain: the caller gave the values, or there are none in it.
    Certain(bool),
    /// So while values keep their defaults.
    Default(bool),
    Open,
}

impl Truth {
    pub(crate) fn of(cases: &Cases<'_>) -> Self {
        // A condition that names others comes in their cases: those against the defaults do not count.
        let mut likely = cases.iter().filter(|case| !case.is_against_default());
        let (Some(case), None) = (likely.next(), likely.next()) else {
            return Self::Open;
        };
        if is_open(&case.when) {
            return Self::Open;
        }
        let by_default = case.uses_default() || !case.when.is_empty();
        match (case.value.known().as_deref(), by_default) {
            (Some("true"), false) => Self::Certain(true),
            (Some("false"), false) => Self::Certain(false),
            (Some("true"), true) => Self::Default(true),
            (Some("false"), true) => Self::Default(false),
            _ => Self::Open,
        }
    }

    fn value(self) -> Option<bool> {
        match self {
            Self::Certain(value) | Self::Default(value) => Some(value),
            Self::Open => None,
        }
    }
}

impl<'a> Evaluator<'a> {
    /// A condition of a template by its name.
    pub(crate) fn named_condition(&self, name: &str, scope: &Scope<'a>, place: Place) -> Cases<'a> {
        let found = scope
            .template()
            .and_then(|template| Some((template.file, *template.conditions.get(name)?)));
        match found {
            Some((file, node)) => {
                let expr = Expr::node(file, node, Dialect::Cloudformation);
                self.expr(expr, scope.outermost())
            }
            None => {
                let hole = Hole::new(name, format!("the condition `{name}` is not declared"), "");
                vec![Case::plain(hole.into(), place)]
            }
        }
    }

    pub(super) fn operation(
        &self,
        operation: Operation,
        operands: &[Expr<'a>],
        scope: &Scope<'a>,
        place: Place,
    ) -> Cases<'a> {
        let values: Vec<Cases<'a>> = operands
            .iter()
            .take(MAX_PARTS)
            .map(|operand| self.expr(*operand, scope))
            .collect();
        match (operation, values.as_slice()) {
            (Operation::Not, [value]) => value.iter().map(|case| case.with(not(&case.value))).collect(),
            (Operation::Arithmetic(_), [value]) => {
                let zero = Value::number(0);
                value
                    .iter()
                    .map(|case| case.with(pair(operation, &zero, &case.value)))
                    .collect()
            }
            (Operation::And, parts) => combine(parts, false, place),
            (Operation::Or, parts) => combine(parts, true, place),
            (_, [left, right]) => {
                let mut out = Vec::new();
                for a in left {
                    for b in right {
                        let mut case = a.with(pair(operation, &a.value, &b.value));
                        case.place = place;
                        if case.under(b) && out.len() < MAX_CASES {
                            out.push(case);
                        }
                    }
                }
                out
            }
            _ => vec![Case::plain(open([]), place)],
        }
    }
}

/// CloudFormation allows ten parts.
const MAX_PARTS: usize = 32;

/// A condition that is not known, because of one of these.
fn open<'a, 'v>(because: impl IntoIterator<Item = &'v Value<'a>>) -> Value<'a>
where
    'a: 'v,
{
    let because = because.into_iter().find_map(Value::hole);
    let help = because.map_or("", |hole| &hole.help);
    Hole::new("(…)", "the condition is not known", help).into()
}

fn not<'a>(value: &Value<'a>) -> Value<'a> {
    match value.known().as_deref() {
        Some("true") => Value::bool(false),
        Some("false") => Value::bool(true),
        _ => open([value]),
    }
}

/// What two values come to.
fn pair<'a>(operation: Operation, left: &Value<'a>, right: &Value<'a>) -> Value<'a> {
    let Operation::Arithmetic(arithmetic) = operation else {
        return compare(operation, left, right);
    };
    if let Some(hole) = left.hole().or(right.hole()) {
        return hole.clone().into();
    }
    let number = |value: &Value<'_>| value.known()?.parse::<i64>().ok();
    let result = number(left)
        .zip(number(right))
        .and_then(|(left, right)| match arithmetic {
            Arithmetic::Plus => left.checked_add(right),
            Arithmetic::Minus => left.checked_sub(right),
            Arithmetic::Times => left.checked_mul(right),
            Arithmetic::Divide => left.checked_div(right).filter(|whole| whole * right == left),
            Arithmetic::Remainder => left.checked_rem(right),
        });
    match result {
        Some(number) => Value::Scalar {
            kind: super::ScalarKind::Number,
            text: super::Symbolic::text(number.to_string()),
            raw: None,
        },
        None => Hole::new(
            "${…}",
            "arithmetic on other than whole numbers is not evaluated",
            "",
        )
        .into(),
    }
}

fn compare<'a>(operation: Operation, left: &Value<'a>, right: &Value<'a>) -> Value<'a> {
    let equal = match (left, right) {
        (Value::Absent, Value::Absent) => Some(true),
        (Value::Absent, other) | (other, Value::Absent) if !other.is_open() => Some(false),
        _ => left.known().zip(right.known()).map(|(left, right)| left == right),
    };
    let ordered = || {
        let number = |value: &Value<'_>| value.known()?.parse::<i64>().ok();
        Some(number(left)?.cmp(&number(right)?))
    };
    let holds = match operation {
        Operation::Equal => equal,
        Operation::NotEqual => equal.map(|equal| !equal),
        Operation::Compare(Ordering::Less) => ordered().map(|order| order.is_lt()),
        Operation::Compare(Ordering::LessOrEqual) => ordered().map(|order| order.is_le()),
        Operation::Compare(Ordering::Greater) => ordered().map(|order| order.is_gt()),
        Operation::Compare(Ordering::GreaterOrEqual) => ordered().map(|order| order.is_ge()),
        _ => None,
    };
    holds.map_or_else(|| open([left, right]), Value::bool)
}

/// `And` and `Or`: one value (`decides`) decides alone, whatever the others are.
fn combine<'a>(parts: &[Cases<'a>], decides: bool, place: Place) -> Cases<'a> {
    let truths: Vec<Truth> = parts.iter().map(Truth::of).collect();
    let (value, deciding): (Option<bool>, Vec<usize>) = if let Some(at) = truths
        .iter()
        .position(|truth| *truth == Truth::Certain(decides))
        .or_else(|| truths.iter().position(|truth| truth.value() == Some(decides)))
    {
        (Some(decides), vec![at])
    } else if truths.is_empty() || truths.iter().any(|truth| truth.value().is_none()) {
        (None, Vec::new())
    } else {
        (Some(!decides), (0..truths.len()).collect())
    };
    let all = || open(parts.iter().flatten().map(|case| &case.value));
    let mut case = Case::plain(value.map_or_else(all, Value::bool), place);
    for at in deciding {
        for step in parts[at].iter().flat_map(|case| &case.way) {
            if step.kind == StepKind::Default || case.way.len() < 4 {
                case.step(step.clone());
            }
        }
    }
    vec![case]
}
