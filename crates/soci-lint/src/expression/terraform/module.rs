//! What a folder of configuration declares.

use std::rc::Rc;

use hcl_edit::Span;
use hcl_edit::structure::Structure;

use crate::expression::form::{Dialect, Expr};
use crate::expression::hcl::Context;
use crate::expression::{Evaluator, Scope};
use crate::source::{Node, Place, TextRange};
use crate::table::Table;

/// A module: all files of a folder together.
pub(crate) struct Module<'a> {
    pub(crate) folder: String,
    pub(crate) files: Vec<usize>,
    pub(crate) variables: Table<&'a str, Block<'a>>,
    pub(crate) locals: Table<&'a str, Expr<'a>>,
    pub(crate) outputs: Table<&'a str, Block<'a>>,
    pub(crate) calls: Vec<Block<'a>>,
    pub(crate) resources: Vec<Block<'a>>,
    pub(crate) data: Vec<Block<'a>>,
    /// Values that Terraform loads by itself: `terraform.tfvars`, `*.auto.tfvars`.
    pub(crate) values: Table<&'a str, Expr<'a>>,
    by_name: Table<(bool, &'a str, &'a str), usize>,
    /// Whether no two files declare the same, as Terraform demands of a module. Folders of examples are none.
    pub(crate) is_one: bool,
}

/// `resource "a" "b" { … }`.
#[derive(Clone)]
pub(crate) struct Block<'a> {
    pub(crate) kind: &'a str,
    pub(crate) labels: Vec<&'a str>,
    /// Its first line: `resource "a" "b"`.
    pub(crate) header: Place,
    pub(crate) body: Rc<Body<'a>>,
}

/// What stands in a block.
#[derive(Default)]
pub(crate) struct Body<'a> {
    pub(crate) attributes: Vec<Attribute<'a>>,
    pub(crate) blocks: Vec<Block<'a>>,
}

#[derive(Clone, Copy)]
pub(crate) struct Attribute<'a> {
    pub(crate) name: &'a str,
    pub(crate) name_place: Place,
    pub(crate) value: Expr<'a>,
}

impl<'a> Block<'a> {
    pub(crate) fn label(&self, at: usize) -> &'a str {
        self.labels.get(at).copied().unwrap_or("")
    }

    /// The `source` of a module call.
    pub(crate) fn source(&self, evaluator: &Evaluator<'a>) -> Option<String> {
        let source = self.body.attribute("source")?;
        match evaluator.expr(source.value, &Scope::Plain).as_slice() {
            [case] => case.value.known(),
            _ => None,
        }
    }
}

impl<'a> Body<'a> {
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute<'a>> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The same with what another body says instead: attributes by name, blocks by kind.
    fn overridden(&self, other: &Self) -> Self {
        let kept = self
            .attributes
            .iter()
            .filter(|own| other.attribute(own.name).is_none());
        let is_replaced = |own: &&Block<'a>| other.blocks.iter().any(|block| block.kind == own.kind);
        let blocks = self.blocks.iter().filter(|own| !is_replaced(own));
        Self {
            attributes: kept.chain(&other.attributes).copied().collect(),
            blocks: blocks.chain(&other.blocks).cloned().collect(),
        }
    }

    fn of_hcl(file: usize, body: &'a hcl_edit::structure::Body, context: Context<'a>) -> Self {
        let mut out = Self::default();
        for structure in body.iter() {
            match structure {
                Structure::Attribute(attribute) => out.attributes.push(Attribute {
                    name: attribute.key.as_str(),
                    name_place: Place::new(file, context.place(attribute.key.span())),
                    value: context.expr(file, &attribute.value),
                }),
                Structure::Block(block) => {
                    let start = block.ident.span();
                    let end = block.labels.last().and_then(Span::span).or_else(|| start.clone());
                    let header = start.zip(end).map(|(start, end)| start.start..end.end);
                    out.blocks.push(Block {
                        kind: block.ident.as_str(),
                        labels: block.labels.iter().map(|label| label.as_str()).collect(),
                        header: Place::new(file, context.place(header)),
                        body: Rc::new(Self::of_hcl(file, &block.body, context)),
                    });
                }
            }
        }
        out
    }

    /// An object of `.tf.json`; what is an attribute and what a block looks the same there.
    fn of_json(file: usize, node: Node<'a>) -> Self {
        let attribute = |member: crate::source::Member<'a>| Attribute {
            name: member.key,
            name_place: Place::new(file, member.key_range),
            value: Expr::node(file, member.value, Dialect::TerraformJson),
        };
        Self {
            attributes: node.members().map(attribute).collect(),
            blocks: Vec::new(),
        }
    }
}

/// Labels of the blocks at the top of `.tf.json`.
const LABELS: [(&str, usize); 6] = [
    ("resource", 2),
    ("data", 2),
    ("module", 1),
    ("variable", 1),
    ("output", 1),
    ("locals", 0),
];

/// The blocks at the top of a file of configuration.
pub(crate) fn top<'a>(evaluator: &Evaluator<'a>, file: usize) -> Body<'a> {
    let source = evaluator.store().source(file);
    let text = source.text;
    if let Some(body) = &source.hcl {
        let base = if text.starts_with('\u{FEFF}') { 3 } else { 0 };
        let context = Context {
            text: &text[base..],
            base,
            fixed: None,
        };
        return Body::of_hcl(file, body, context);
    }
    let mut out = Body::default();
    let root = source.tree.as_ref().and_then(|tree| tree.root_nodes().next());
    for (kind, labels) in LABELS {
        if let Some(node) = root.and_then(|root| root.get(kind)) {
            json_blocks(file, kind, labels, node, &mut Vec::new(), node.range(), &mut out);
        }
    }
    out
}

fn json_blocks<'a>(
    file: usize,
    kind: &'static str,
    labels: usize,
    node: Node<'a>,
    path: &mut Vec<&'a str>,
    header: TextRange,
    out: &mut Body<'a>,
) {
    // A list of objects is as good as one, wherever it stands.
    // <https://developer.hashicorp.com/terraform/language/syntax/json#nested-block-mapping> (2026-11-29)
    if node.is_sequence() {
        for item in node.items() {
            json_blocks(file, kind, labels, item, path, header, out);
        }
        return;
    }
    if labels == 0 {
        out.blocks.push(Block {
            kind,
            labels: path.clone(),
            header: Place::new(file, header),
            body: Rc::new(Body::of_json(file, node)),
        });
        return;
    }
    for member in node.members() {
        path.push(member.key);
        json_blocks(file, kind, labels - 1, member.value, path, member.key_range, out);
        path.pop();
    }
}

/// Whether a file is part of a module.
pub(crate) fn is_configuration(path: &str) -> bool {
    [".tf", ".tofu", ".tf.json", ".tofu.json"]
        .iter()
        .any(|ending| path.ends_with(ending))
}

/// Whether a file changes what other files declare.
/// <https://developer.hashicorp.com/terraform/language/files/override> (2026-11-29)
fn is_override(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    stem == "override" || stem.ends_with("_override")
}

/// Whether Terraform loads a file of values by itself.
fn is_loaded(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == "terraform.tfvars"
        || name.ends_with(".auto.tfvars")
        || name == "terraform.tfvars.json"
        || name.ends_with(".auto.tfvars.json")
}

impl<'a> Module<'a> {
    pub(crate) fn read(evaluator: &Evaluator<'a>, folder: &str) -> Option<Self> {
        let store = evaluator.store();
        let files = store.folder(folder, |path| is_configuration(path) || is_loaded(path));
        Self::of(evaluator, folder, files)
    }

    /// The module of these files.
    pub(crate) fn of(evaluator: &Evaluator<'a>, folder: &str, files: Vec<usize>) -> Option<Self> {
        let store = evaluator.store();
        let mut module = Self {
            folder: folder.to_owned(),
            files: Vec::new(),
            variables: Table::default(),
            locals: Table::default(),
            outputs: Table::default(),
            calls: Vec::new(),
            resources: Vec::new(),
            data: Vec::new(),
            values: Table::default(),
            by_name: Table::default(),
            is_one: true,
        };
        // `terraform.tfvars` first, then the others by name; the last counts.
        let (values, files): (Vec<usize>, Vec<usize>) = files
            .into_iter()
            .partition(|file| is_loaded(&store.input(*file).path));
        for auto in [false, true] {
            let is_auto = |file: &&usize| store.input(**file).path.contains(".auto.") == auto;
            for file in values.iter().filter(is_auto) {
                module.set_values(values_of(evaluator, *file));
            }
        }
        let path = |file: usize| store.input(file).path.as_str();
        // OpenTofu reads `x.tofu` in the place of `x.tf`.
        let replaced = |file: usize| {
            let (stem, ending) = path(file).split_once(".tf").unwrap_or((path(file), ""));
            let instead = format!("{stem}.tofu{ending}");
            files.iter().any(|other| path(*other) == instead)
        };
        let files: Vec<usize> = files.iter().copied().filter(|file| !replaced(*file)).collect();
        // Files that override are merged into what the others declare.
        let (over, own): (Vec<usize>, Vec<usize>) =
            files.into_iter().partition(|file| is_override(path(*file)));
        for file in own {
            module.files.push(file);
            for block in top(evaluator, file).blocks {
                module.declare(block);
            }
        }
        for file in over {
            module.files.push(file);
            for block in top(evaluator, file).blocks {
                module.merge(block);
            }
        }
        (!module.files.is_empty()).then_some(module)
    }

    /// More values, which count for more.
    pub(crate) fn set_values(&mut self, values: impl IntoIterator<Item = Attribute<'a>>) {
        for attribute in values {
            self.values.insert(attribute.name, attribute.value);
        }
    }

    fn declare(&mut self, block: Block<'a>) {
        let (first, second) = (block.label(0), block.label(1));
        let before = match block.kind {
            "variable" => self.variables.insert(first, block).map(|block| block.header),
            "output" => self.outputs.insert(first, block).map(|block| block.header),
            "locals" => {
                for attribute in &block.body.attributes {
                    self.locals.insert(attribute.name, attribute.value);
                }
                None
            }
            "module" => {
                self.calls.push(block);
                None
            }
            "resource" | "data" => {
                let data = block.kind == "data";
                let list = if data { &mut self.data } else { &mut self.resources };
                let before = self.by_name.insert((data, first, second), list.len());
                list.push(block);
                before.map(|at| list[at].header)
            }
            _ => None,
        };
        self.is_one &= before.is_none();
    }

    /// What an override file says about a block counts for more than what is there.
    fn merge(&mut self, block: Block<'a>) {
        let (first, second) = (block.label(0), block.label(1));
        let same = |known: &&mut Block<'a>| known.label(0) == first && known.label(1) == second;
        let known = match block.kind {
            "variable" => self.variables.get_mut(first),
            "output" => self.outputs.get_mut(first),
            "module" => self.calls.iter_mut().find(same),
            "resource" => self.resources.iter_mut().find(same),
            "data" => self.data.iter_mut().find(same),
            _ => None,
        };
        match known {
            Some(known) => known.body = Rc::new(known.body.overridden(&block.body)),
            None => self.declare(block),
        }
    }

    /// A resource or a data source.
    pub(crate) fn resource(&self, data: bool, kind: &str, name: &str) -> Option<&Block<'a>> {
        let list = if data { &self.data } else { &self.resources };
        self.by_name.get(&(data, kind, name)).map(|&at| &list[at])
    }
}

/// The values in a `.tfvars` file.
pub(crate) fn values_of<'a>(evaluator: &Evaluator<'a>, file: usize) -> Vec<Attribute<'a>> {
    let source = evaluator.store().source(file);
    if source.hcl.is_some() {
        return top(evaluator, file).attributes;
    }
    let root = source.tree.as_ref().and_then(|tree| tree.root_nodes().next());
    root.map(|root| {
        let attribute = |member: crate::source::Member<'a>| Attribute {
            name: member.key,
            name_place: Place::new(file, member.key_range),
            value: Expr::node(file, member.value, Dialect::Literal),
        };
        root.members().map(attribute).collect()
    })
    .unwrap_or_default()
}
