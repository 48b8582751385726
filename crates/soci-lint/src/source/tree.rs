//! One tree for every format: values with the exact bytes they were written as.

use super::TextRange;

/// Index of a node in its tree.
pub(crate) type NodeId = u32;

/// Text of a scalar or key: a stretch of the file where nothing was escaped, a copy otherwise.
#[derive(Debug, Clone)]
pub(crate) enum Text {
    Slice(TextRange),
    Owned(Box<str>),
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Null,
    Bool(bool),
    Number(Text),
    String(Text),
    Sequence(Vec<NodeId>),
    Mapping(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Text,
    pub(crate) key_range: TextRange,
    pub(crate) value: NodeId,
}

#[derive(Debug, Clone)]
pub(crate) struct NodeData {
    pub(crate) range: TextRange,
    /// A YAML tag without its `!`, such as `Ref`.
    pub(crate) tag: Option<Box<str>>,
    pub(crate) content: Content,
}

/// The values of one file. A file may hold several documents (YAML), so there may be several roots.
///
/// YAML aliases share their node, so a tree is never larger than its text; whoever walks it
/// whole must count its steps.
#[derive(Debug)]
pub(crate) struct Tree<'t> {
    /// What slices are cut from: the file's text, or what was unescaped from it.
    pub(crate) text: &'t str,
    /// The file's text, which ranges are of.
    pub(crate) file_text: &'t str,
    /// What stands between the tags of a template language's conditions.
    pub(crate) arms: Vec<Arm>,
    /// What stands between the tags of Terraform's loops.
    pub(crate) loops: Vec<LoopRange>,
    pub(crate) nodes: Vec<NodeData>,
    pub(crate) roots: Vec<NodeId>,
}

impl<'t> Tree<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self {
            text,
            file_text: text,
            arms: Vec::new(),
            loops: Vec::new(),
            nodes: Vec::new(),
            roots: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, range: TextRange, content: Content) -> NodeId {
        self.push_tagged(range, None, content)
    }

    pub(crate) fn push_tagged(
        &mut self,
        range: TextRange,
        tag: Option<Box<str>>,
        content: Content,
    ) -> NodeId {
        let id = NodeId::try_from(self.nodes.len()).expect("a node takes at least one byte");
        self.nodes.push(NodeData { range, tag, content });
        id
    }

    /// Gives every range another place.
    pub(super) fn moved(&mut self, place: impl Fn(TextRange) -> TextRange) {
        for node in &mut self.nodes {
            node.range = place(node.range);
            if let Content::Mapping(entries) = &mut node.content {
                for entry in entries {
                    entry.key_range = place(entry.key_range);
                }
            }
        }
        for arm in &mut self.arms {
            arm.range = place(arm.range);
        }
        for around in &mut self.loops {
            around.range = place(around.range);
        }
    }

    pub(crate) fn root_nodes(&self) -> impl Iterator<Item = Node<'_>> {
        self.roots.iter().map(|&id| Node { tree: self, id })
    }

    fn text_of<'s>(&'s self, text: &'s Text) -> &'s str {
        match text {
            Text::Slice(range) => range.of(self.text),
            Text::Owned(owned) => owned,
        }
    }
}

/// What stands between two tags of a template language's condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arm {
    pub(crate) range: TextRange,
    /// Conditions, and whether they hold here.
    pub(crate) when: Vec<(String, bool)>,
}

/// What stands between the tags of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LoopRange {
    pub(crate) range: TextRange,
    /// `x in list`, in the text that slices are cut from.
    pub(crate) head: TextRange,
}

/// Whether two places in a file can be there at once, as far as the conditions around them say.
pub(crate) fn exclude(arms: &[Arm], a: usize, b: usize) -> bool {
    let around = |offset: usize| arms.iter().filter(move |arm| arm.range.touches(offset));
    around(a).any(|one| {
        around(b).any(|other| {
            one.when.iter().any(|(condition, holds)| {
                let opposite = |(name, held): &(String, bool)| name == condition && held != holds;
                other.when.iter().any(opposite)
            })
        })
    })
}

/// A value in its tree; cheap to copy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node<'a> {
    tree: &'a Tree<'a>,
    id: NodeId,
}

/// A key with its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member<'a> {
    pub(crate) key: &'a str,
    pub(crate) key_range: TextRange,
    pub(crate) value: Node<'a>,
}

impl<'a> Node<'a> {
    pub(crate) fn range(self) -> TextRange {
        self.data().range
    }

    /// The YAML tag without its `!`.
    pub(crate) fn tag(self) -> Option<&'a str> {
        self.data().tag.as_deref()
    }

    /// The value's text exactly as written.
    pub(crate) fn written(self) -> &'a str {
        self.range().of(self.tree.file_text)
    }

    /// What stands between the tags of a template language's conditions, in the whole tree.
    pub(crate) fn arms(self) -> &'a [Arm] {
        &self.tree.arms
    }

    /// What stands between the tags of loops, in the whole tree, with the heads of these.
    pub(crate) fn loops(self) -> impl Iterator<Item = (TextRange, &'a str)> {
        let tree = self.tree;
        tree.loops
            .iter()
            .map(move |around| (around.range, around.head.of(tree.text)))
    }

    /// Where in the file the text of this string begins, if it is written exactly as it is.
    pub(crate) fn text_start(self) -> Option<usize> {
        match &self.data().content {
            Content::String(Text::Slice(range)) if std::ptr::eq(self.tree.text, self.tree.file_text) => {
                Some(range.start)
            }
            _ => None,
        }
    }

    /// The members with those of YAML merge keys, which come first and count for less.
    pub(crate) fn merged_members(self) -> Vec<Member<'a>> {
        if !self
            .entries()
            .iter()
            .any(|entry| self.tree.text_of(&entry.key) == "<<")
        {
            return self.members().collect();
        }
        let mut merged = Vec::new();
        self.merge_into(&mut merged, MERGE_DEPTH);
        merged
    }

    fn merge_into(self, out: &mut Vec<Member<'a>>, depth: usize) {
        for member in self.members().filter(|member| member.key == "<<" && depth > 0) {
            let list: Vec<Node<'a>> = match member.value.is_sequence() {
                // Of several the first counts, so it comes last here.
                true => member.value.items().take(MERGE_WIDTH).collect(),
                false => vec![member.value],
            };
            for node in list.into_iter().rev() {
                node.merge_into(out, depth - 1);
            }
        }
        let mut own = crate::table::Table::<&str, usize>::default();
        own.extend(self.members().map(|member| (member.key, 0)));
        out.retain(|known: &Member<'a>| own.get(known.key).is_none());
        out.extend(self.members().filter(|member| member.key != "<<"));
    }

    pub(crate) fn is_null(self) -> bool {
        matches!(self.data().content, Content::Null)
    }

    /// The text of a string.
    pub(crate) fn as_str(self) -> Option<&'a str> {
        match &self.data().content {
            Content::String(text) => Some(self.tree.text_of(text)),
            _ => None,
        }
    }

    /// The text of any scalar but null.
    pub(crate) fn scalar(self) -> Option<&'a str> {
        match &self.data().content {
            Content::String(text) | Content::Number(text) => Some(self.tree.text_of(text)),
            Content::Bool(true) => Some("true"),
            Content::Bool(false) => Some("false"),
            _ => None,
        }
    }

    pub(crate) fn is_mapping(self) -> bool {
        matches!(self.data().content, Content::Mapping(_))
    }

    pub(crate) fn is_sequence(self) -> bool {
        matches!(self.data().content, Content::Sequence(_))
    }

    /// The items of a sequence; nothing for any other value.
    pub(crate) fn items(self) -> impl Iterator<Item = Node<'a>> {
        let items: &'a [NodeId] = match &self.data().content {
            Content::Sequence(items) => items,
            _ => &[],
        };
        items.iter().map(move |&id| Node { tree: self.tree, id })
    }

    /// The members of a mapping in the order of the file; nothing for any other value.
    pub(crate) fn members(self) -> impl DoubleEndedIterator<Item = Member<'a>> {
        let tree = self.tree;
        self.entries().iter().map(move |entry| Member {
            key: tree.text_of(&entry.key),
            key_range: entry.key_range,
            value: Node {
                tree,
                id: entry.value,
            },
        })
    }

    pub(crate) fn len(self) -> usize {
        match &self.data().content {
            Content::Sequence(items) => items.len(),
            Content::Mapping(entries) => entries.len(),
            _ => 0,
        }
    }

    /// The member called `key`; of several the last, as JSON and YAML readers have it. Follows YAML merge keys.
    pub(crate) fn member(self, key: &str) -> Option<Member<'a>> {
        self.member_within(key, MERGE_DEPTH)
    }

    /// The value of the member called `key`, null included.
    pub(crate) fn get(self, key: &str) -> Option<Node<'a>> {
        self.member(key).map(|member| member.value)
    }

    /// The value of the member called `key`, unless it is null.
    pub(crate) fn get_set(self, key: &str) -> Option<Node<'a>> {
        self.get(key).filter(|value| !value.is_null())
    }

    fn member_within(self, key: &str, depth: usize) -> Option<Member<'a>> {
        if let Some(found) = self.members().rev().find(|member| member.key == key) {
            return Some(found);
        }
        if depth == 0 {
            return None;
        }
        let merged = self.members().find(|member| member.key == "<<")?.value;
        if merged.is_sequence() {
            return merged
                .items()
                .take(MERGE_WIDTH)
                .find_map(|item| item.member_within(key, depth - 1));
        }
        merged.member_within(key, depth - 1)
    }

    fn entries(self) -> &'a [Entry] {
        match &self.data().content {
            Content::Mapping(entries) => entries,
            _ => &[],
        }
    }

    fn data(self) -> &'a NodeData {
        &self.tree.nodes[self.id as usize]
    }
}

/// How far merge keys in merged mappings are followed, and how many of one list.
const MERGE_DEPTH: usize = 4;
const MERGE_WIDTH: usize = 16;
