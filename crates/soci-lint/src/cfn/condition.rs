//! Conditions: true, false, true or false by default, or open.

use super::eval::Evaluator;
use super::intrinsic::call;
use crate::source::Node;

/// What a condition comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    /// Certain: the caller gave the parameters, or there are none in it.
    Certain(bool),
    /// So while the parameters keep their defaults.
    Default(bool),
    Open,
}

impl Truth {
    /// False, if only by default.
    pub(crate) fn is_false(self) -> bool {
        self.value() == Some(false)
    }

    fn value(self) -> Option<bool> {
        match self {
            Self::Certain(value) | Self::Default(value) => Some(value),
            Self::Open => None,
        }
    }

    fn is_certain(self) -> bool {
        matches!(self, Self::Certain(_))
    }

    fn not(self) -> Self {
        match self {
            Self::Certain(value) => Self::Certain(!value),
            Self::Default(value) => Self::Default(!value),
            Self::Open => Self::Open,
        }
    }
}

impl<'a> Evaluator<'a> {
    /// A condition of the `Conditions` section by its name.
    pub(crate) fn condition(&self, name: &str) -> Truth {
        self.named_condition(name, 0)
    }

    fn named_condition(&self, name: &str, depth: usize) -> Truth {
        match self.template.and_then(|template| template.conditions.get(name)) {
            Some(node) if depth < MAX_DEPTH && self.spend() => self.condition_node(*node, depth + 1),
            _ => Truth::Open,
        }
    }

    fn condition_node(&self, node: Node<'a>, depth: usize) -> Truth {
        let Some(call) = call(node) else {
            return Truth::Open;
        };
        if depth >= MAX_DEPTH || !self.spend() {
            return Truth::Open;
        }
        match call.function {
            "Condition" => match call.argument.as_str() {
                Some(name) => self.named_condition(name, depth + 1),
                None => Truth::Open,
            },
            "Not" => call
                .argument
                .items()
                .next()
                .map_or(Truth::Open, |item| self.condition_node(item, depth + 1).not()),
            "And" => self.combine(call.argument, depth, false),
            "Or" => self.combine(call.argument, depth, true),
            "Equals" => self.equals(call.argument),
            _ => Truth::Open,
        }
    }

    /// `And` and `Or`: one value (`decides`) decides alone, whatever the others are.
    fn combine(&self, list: Node<'a>, depth: usize, decides: bool) -> Truth {
        let parts: Vec<Truth> = list
            .items()
            .take(MAX_PARTS)
            .map(|item| self.condition_node(item, depth + 1))
            .collect();
        if parts.contains(&Truth::Certain(decides)) {
            return Truth::Certain(decides);
        }
        if parts.iter().any(|part| part.value() == Some(decides)) {
            return Truth::Default(decides);
        }
        if parts.is_empty() || parts.iter().any(|part| part.value().is_none()) {
            return Truth::Open;
        }
        match parts.iter().all(|part| part.is_certain()) {
            true => Truth::Certain(!decides),
            false => Truth::Default(!decides),
        }
    }

    fn equals(&self, list: Node<'a>) -> Truth {
        let mut items = list.items();
        let (Some(left), Some(right)) = (items.next(), items.next()) else {
            return Truth::Open;
        };
        let (left, right) = (self.condition_value(left), self.condition_value(right));
        match (left, right) {
            (Some((left, default_left)), Some((right, default_right))) => {
                match default_left || default_right {
                    true => Truth::Default(left == right),
                    false => Truth::Certain(left == right),
                }
            }
            _ => Truth::Open,
        }
    }

    /// A text and whether a default took part in it.
    fn condition_value(&self, node: Node<'a>) -> Option<(String, bool)> {
        let cases = self.text_with_empty_defaults(node);
        let [case] = cases.as_slice() else {
            return None;
        };
        let text = case.value.known()?;
        Some((text, !case.defaults.is_empty()))
    }
}

/// Conditions name each other at most this deep.
const MAX_DEPTH: usize = 32;
/// CloudFormation allows ten parts.
const MAX_PARTS: usize = 32;
