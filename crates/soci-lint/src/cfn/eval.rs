//! What an expression comes to: one [`Case`] for each branch of the conditions in it.
//!
//! Outside CloudFormation there are no expressions, only text with template words in it; the
//! evaluator then has no template.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::Template;
use super::condition::Truth;
use super::intrinsic::{Call, call};
use crate::model::template_words::lex;
use crate::model::value::{Branch, Case, DefaultUse, Piece, Pseudo, Symbolic, compatible};
use crate::source::{Node, TextRange};

/// Evaluates within one document.
pub(crate) struct Evaluator<'a> {
    pub(crate) template: Option<&'a Template<'a>>,
    params: &'a BTreeMap<String, String>,
    budget: Cell<usize>,
}

/// A node that an expression may come to.
#[derive(Clone)]
pub(crate) struct NodeCase<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) when: Vec<Branch>,
}

/// More cases of one value than this become one that is open.
const MAX_CASES: usize = 16;
/// Expressions nested deeper than this are open.
const MAX_DEPTH: usize = 48;
/// Steps for one document: anchors and conditions can make small documents mean much.
const BUDGET: usize = 2_000_000;

impl<'a> Evaluator<'a> {
    pub(crate) fn new(template: Option<&'a Template<'a>>, params: &'a BTreeMap<String, String>) -> Self {
        Self {
            template,
            params,
            budget: Cell::new(BUDGET),
        }
    }

    /// Takes a step; false when the document has used all of them.
    pub(super) fn spend(&self) -> bool {
        let left = self.budget.get();
        self.budget.set(left.saturating_sub(1));
        left > 0
    }

    /// The nodes that a node may come to through `Fn::If`; none where it is `AWS::NoValue`.
    pub(crate) fn nodes(&self, node: Node<'a>) -> Vec<NodeCase<'a>> {
        let mut out = Vec::new();
        self.collect_nodes(node, &[], 0, &mut out);
        out
    }

    fn collect_nodes(&self, node: Node<'a>, when: &[Branch], depth: usize, out: &mut Vec<NodeCase<'a>>) {
        if out.len() >= MAX_CASES || depth > MAX_DEPTH || !self.spend() {
            return;
        }
        let call = self.call(node);
        if let Some(call) = call
            && call.function == "If"
        {
            for (branch, node) in self.branches(call) {
                let mut when = when.to_vec();
                if !compatible(&when, std::slice::from_ref(&branch)) {
                    continue;
                }
                if !when.contains(&branch) {
                    when.push(branch);
                }
                self.collect_nodes(node, &when, depth + 1, out);
            }
            return;
        }
        if call.is_some_and(|call| is_no_value(call)) {
            return;
        }
        out.push(NodeCase {
            node,
            when: when.to_vec(),
        });
    }

    /// The branches of an `If` that can be taken.
    fn branches(&self, call: Call<'a>) -> Vec<(Branch, Node<'a>)> {
        let items: Vec<Node<'a>> = call.argument.items().take(3).collect();
        let [condition, yes, no] = items.as_slice() else {
            return Vec::new();
        };
        let name = condition.scalar().unwrap_or("");
        let truth = self.condition(name);
        let mut branches = Vec::new();
        for (holds, node) in [(true, *yes), (false, *no)] {
            let by_default = match truth {
                Truth::Certain(value) if value != holds => continue,
                Truth::Certain(_) | Truth::Default(_) => {
                    Some(truth == Truth::Certain(holds) || truth == Truth::Default(holds))
                }
                Truth::Open => None,
            };
            let branch = Branch {
                condition: name.to_owned(),
                holds,
                by_default,
            };
            branches.push((branch, node));
        }
        branches
    }

    /// The texts that a scalar may come to; none where it is `AWS::NoValue`.
    pub(crate) fn text(&self, node: Node<'a>) -> Vec<Case> {
        let mut cases = self.cases(node, 0);
        for case in &mut cases {
            open_empty_defaults(case);
        }
        cases
    }

    /// Like [`Self::text`]; a parameter whose default is empty is empty, which is what conditions ask for.
    pub(super) fn text_with_empty_defaults(&self, node: Node<'a>) -> Vec<Case> {
        self.cases(node, 0)
    }

    fn cases(&self, node: Node<'a>, depth: usize) -> Vec<Case> {
        let range = node.range();
        if depth > MAX_DEPTH || !self.spend() {
            return vec![Case::plain(too_deep(node), range)];
        }
        let Some(call) = self.call(node) else {
            let value = match node.scalar() {
                Some(text) => lex(text, self.params),
                None => Symbolic::hole("(…)", format!("{} stands in its place", node.type_name()), ""),
            };
            return vec![Case::plain(value, range)];
        };
        match call.function {
            "If" => self
                .nodes(node)
                .into_iter()
                .flat_map(|found| {
                    let mut cases = self.cases(found.node, depth + 1);
                    for case in &mut cases {
                        let inner = std::mem::replace(&mut case.when, found.when.clone());
                        case.when.extend(inner);
                        if case.range == range {
                            case.range = found.node.range();
                        }
                    }
                    cases
                })
                .take(MAX_CASES)
                .collect(),
            _ if is_no_value(call) => Vec::new(),
            "Ref" => vec![self.reference(call.argument.as_str().unwrap_or(""), range)],
            "GetAtt" => vec![Case::plain(self.attribute(call.argument), range)],
            "Sub" => self.substitute(call.argument, range, depth),
            "Join" => self.join(call.argument, range, depth),
            "Select" => self.select(call.argument, range, depth),
            "FindInMap" => vec![self.find_in_map(call.argument, range, depth)],
            "ImportValue" => {
                let name = self.shown(call.argument, depth);
                let why = format!("`{name}` is imported from another stack");
                let help = "pass the image through a parameter, or lint the deployed task definition";
                vec![Case::plain(
                    Symbolic::hole(&format!("${{{name}}}"), why, help),
                    range,
                )]
            }
            function => {
                let why = format!("`Fn::{function}` is not evaluated");
                let written = format!("${{Fn::{function}}}");
                vec![Case::plain(Symbolic::hole(&written, why, ""), range)]
            }
        }
    }

    /// Intrinsics are CloudFormation's; elsewhere a key `Ref` is just a key.
    fn call(&self, node: Node<'a>) -> Option<Call<'a>> {
        self.template?;
        call(node)
    }

    fn reference(&self, name: &str, range: TextRange) -> Case {
        let template = self.template.expect("calls are found in templates only");
        if let Some(value) = self.params.get(name) {
            return Case::plain(Symbolic::text(value.clone()), range);
        }
        if let Some((_, pseudo)) = Pseudo::ALL.iter().find(|row| row.0 == name) {
            let value = Symbolic {
                pieces: vec![Piece::Pseudo(*pseudo)],
            };
            return Case::plain(value, range);
        }
        let written = format!("${{{name}}}");
        if name.starts_with("AWS::") {
            let why = format!("`{name}` is known when the stack is deployed");
            let help = format!("pass `--param {name}=…`");
            return Case::plain(Symbolic::hole(&written, why, help), range);
        }
        if let Some(parameter) = template.parameters.get(name) {
            let help = format!("pass `--param {name}=…`");
            if parameter.kind.starts_with("AWS::SSM::Parameter::Value") {
                let why = format!("the parameter `{name}` is looked up in SSM when the stack is deployed");
                return Case::plain(Symbolic::hole(&written, why, help), range);
            }
            let Some(default) = parameter.default.and_then(|node| Some((node, node.scalar()?))) else {
                let why = format!("the parameter `{name}` has no default");
                return Case::plain(Symbolic::hole(&written, why, help), range);
            };
            let mut case = Case::plain(lex(default.1, self.params), range);
            case.defaults.push(DefaultUse {
                parameter: name.to_owned(),
                range: default.0.range(),
            });
            return case;
        }
        let why = match template.resources.get(name) {
            Some(resource) => format!(
                "`{name}` ({}) gets its name when the stack is deployed",
                resource.kind
            ),
            None => format!("`{name}` is not declared in this template"),
        };
        Case::plain(Symbolic::hole(&written, why, ""), range)
    }

    /// `Sub` as a text, or as a list of the text and a map of names.
    fn substitute(&self, argument: Node<'a>, range: TextRange, depth: usize) -> Vec<Case> {
        let (text, map) = match argument.as_str() {
            Some(text) => (text, None),
            None => {
                let mut items = argument.items();
                match items.next().and_then(Node::as_str) {
                    Some(text) => (text, items.next()),
                    None => return vec![Case::plain(too_deep(argument), range)],
                }
            }
        };
        let mut cases = vec![Case::plain(Symbolic::default(), range)];
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let Some(end) = rest[at..].find('}') else {
                break;
            };
            let name = rest[at + 2..at + end].trim();
            let literal = lex(&rest[..at], self.params);
            rest = &rest[at + end + 1..];
            let parts = match name.strip_prefix('!') {
                Some(kept) => vec![Case::plain(Symbolic::text(format!("${{{kept}}}")), range)],
                None => self.substituted(name, map, range, depth),
            };
            let literal = [Case::plain(literal, range)];
            cases = product(&product(&cases, &literal, range), &parts, range);
        }
        product(&cases, &[Case::plain(lex(rest, self.params), range)], range)
    }

    fn substituted(&self, name: &str, map: Option<Node<'a>>, range: TextRange, depth: usize) -> Vec<Case> {
        if let Some(value) = map.and_then(|map| map.get(name)) {
            return self.cases(value, depth + 1);
        }
        match name.split_once('.') {
            Some((resource, attribute)) => {
                vec![Case::plain(self.named_attribute(resource, attribute), range)]
            }
            None => vec![self.reference(name, range)],
        }
    }

    fn join(&self, argument: Node<'a>, range: TextRange, depth: usize) -> Vec<Case> {
        let mut items = argument.items();
        let (Some(delimiter), Some(list)) = (items.next(), items.next()) else {
            return vec![Case::plain(too_deep(argument), range)];
        };
        let delimiter = delimiter.scalar().unwrap_or("");
        let Some(parts) = self.list(list, depth + 1) else {
            return vec![Case::plain(too_deep(argument), range)];
        };
        let mut cases = vec![Case::plain(Symbolic::default(), range)];
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                let delimiter = [Case::plain(Symbolic::text(delimiter), range)];
                cases = product(&cases, &delimiter, range);
            }
            cases = product(&cases, part, range);
        }
        cases
    }

    fn select(&self, argument: Node<'a>, range: TextRange, depth: usize) -> Vec<Case> {
        let mut items = argument.items();
        let index = items.next().and_then(Node::scalar);
        let list = items.next();
        let found = index
            .and_then(|index| index.parse::<usize>().ok())
            .zip(list.and_then(|list| self.list(list, depth + 1)))
            .and_then(|(index, mut list)| (index < list.len()).then(|| list.swap_remove(index)));
        found.unwrap_or_else(|| vec![Case::plain(too_deep(argument), range)])
    }

    /// The items of a list: written out, or of `Split`.
    fn list(&self, node: Node<'a>, depth: usize) -> Option<Vec<Vec<Case>>> {
        if depth > MAX_DEPTH || !self.spend() {
            return None;
        }
        if let Some(call) = self.call(node)
            && !(node.is_sequence() && node.tag().is_none())
        {
            if call.function != "Split" {
                return None;
            }
            let mut items = call.argument.items();
            let delimiter = items.next()?.scalar()?.to_owned();
            let [case] = <[Case; 1]>::try_from(self.cases(items.next()?, depth + 1)).ok()?;
            // Where a hole may hold the delimiter, what stands behind it has no certain index.
            let range = case.range;
            let parts = case.value.split(&delimiter);
            let open = parts.iter().position(|part| part.holes().next().is_some());
            let certain = open.map_or(parts.len(), |at| at);
            return Some(
                parts
                    .into_iter()
                    .take(certain.max(1))
                    .map(|part| {
                        vec![Case {
                            value: part,
                            range,
                            ..case.clone()
                        }]
                    })
                    .collect(),
            );
        }
        if !node.is_sequence() || node.len() > MAX_LIST {
            return None;
        }
        Some(node.items().map(|item| self.cases(item, depth + 1)).collect())
    }

    fn find_in_map(&self, argument: Node<'a>, range: TextRange, depth: usize) -> Case {
        let mut defaults = Vec::new();
        let mut keys = Vec::new();
        for item in argument.items().take(3) {
            let cases = self.cases(item, depth + 1);
            let known = match cases.as_slice() {
                [case] => case.value.known().map(|text| (text, case.defaults.clone())),
                _ => None,
            };
            let Some((key, used)) = known else {
                break;
            };
            keys.push(key);
            defaults.extend(used);
        }
        let map = argument.items().next().and_then(Node::scalar).unwrap_or("?");
        let open = || {
            let why = format!("the entry of the mapping `{map}` is chosen when the stack is deployed");
            let help = "pass the parameters that choose it, such as `--param AWS::Region=…`";
            Symbolic::hole(&format!("${{Fn::FindInMap {map}}}"), why, help)
        };
        let value = match keys.as_slice() {
            [map, top, second] => self
                .template
                .and_then(|template| template.mappings?.get(map)?.get(top)?.get(second)?.scalar())
                .map(|text| lex(text, self.params)),
            _ => None,
        };
        let mut case = Case::plain(value.unwrap_or_else(open), range);
        case.defaults = defaults;
        case
    }

    /// The text of an argument, for messages. In the short form the argument is the call's own node,
    /// which must not be taken for the call again.
    fn shown(&self, argument: Node<'a>, depth: usize) -> String {
        let inner = match argument.tag() {
            Some(_) => argument.scalar().map(str::to_owned),
            None => self
                .cases(argument, depth + 1)
                .first()
                .map(|case| case.value.display()),
        };
        inner.unwrap_or_else(|| "…".to_owned())
    }
}

/// Longer texts are open: an expression of a few lines can name its own parts again and again.
const MAX_TEXT: usize = 16 << 10;
const MAX_PIECES: usize = 256;
/// Lists longer than this are not joined; `Fn::Join` of image parts has about ten.
const MAX_LIST: usize = 256;

fn is_no_value(call: Call<'_>) -> bool {
    call.function == "Ref" && call.argument.as_str() == Some("AWS::NoValue")
}

/// A parameter that is empty by default has to be given: the empty text is no answer.
fn open_empty_defaults(case: &mut Case) {
    if case.value.pieces.is_empty()
        && let Some(used) = case.defaults.first()
    {
        let name = used.parameter.clone();
        case.value = Symbolic::hole(
            &format!("${{{name}}}"),
            format!("the parameter `{name}` is empty by default"),
            format!("pass `--param {name}=…`"),
        );
    }
}

/// Every case of `left` followed by every case of `right` that can hold with it.
fn product(left: &[Case], right: &[Case], range: TextRange) -> Vec<Case> {
    let mut out = Vec::new();
    for a in left {
        for b in right {
            if out.len() >= MAX_CASES || !compatible(&a.when, &b.when) {
                continue;
            }
            let mut case = a.clone();
            if a.value.text_len() + b.value.text_len() > MAX_TEXT
                || a.value.pieces.len() + b.value.pieces.len() > MAX_PIECES
            {
                case.value = Symbolic::hole("${…}", "the text is too long to be evaluated", "");
            } else {
                case.value.append(&b.value);
            }
            case.range = range;
            for branch in &b.when {
                if !case.when.contains(branch) {
                    case.when.push(branch.clone());
                }
            }
            for used in &b.defaults {
                if !case.defaults.contains(used) {
                    case.defaults.push(used.clone());
                }
            }
            out.push(case);
        }
    }
    out
}

fn too_deep(node: Node<'_>) -> Symbolic {
    let function = node.tag().unwrap_or("this expression");
    Symbolic::hole("${…}", format!("{function} could not be evaluated"), "")
}
