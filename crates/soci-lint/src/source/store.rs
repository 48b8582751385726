//! The files of a run and what was read from them, for as long as the run lasts.
//!
//! Files that others name (a module's neighbours, a template) are asked for when they are needed.

use std::cell::{Cell, OnceCell, RefCell};

use hcl_edit::template::Template;

use super::tree::Tree;
use super::{Problem, Source, TextRange, json, read};
use crate::table::{Table, sorted};
use crate::{Beside, Input};

/// A stretch of a file, and whether it is escaped.
type Stretch = (usize, TextRange, bool);

/// The head of a loop: the text that its places are of, and what it was read as.
type Head<'a> = (&'a str, &'a Template);

/// All files, trees and templates of a run.
pub(crate) struct Store<'a> {
    inputs: &'a [Input],
    beside: &'a dyn Beside,
    more: Arena<Input>,
    sources: Arena<Source<'a>>,
    texts: Arena<String>,
    trees: Arena<Tree<'a>>,
    templates: Arena<Template>,
    by_path: RefCell<Table<String, Option<usize>>>,
    decoded: RefCell<Table<Stretch, Option<&'a Tree<'a>>>>,
    parsed: RefCell<Table<(usize, usize), Option<&'a Template>>>,
    heads: RefCell<Table<(usize, usize), Option<Head<'a>>>>,
}

/// Files beside those that were asked for, and texts in them that are read, at most.
const MOST: usize = 4096;

impl<'a> Store<'a> {
    pub(crate) fn new(inputs: &'a [Input], beside: &'a dyn Beside) -> Self {
        let mut by_path = Table::default();
        for (at, input) in inputs.iter().enumerate() {
            by_path.or_insert(normal(&input.path), Some(at));
        }
        Self {
            inputs,
            beside,
            more: Arena::new(MOST),
            sources: Arena::new(inputs.len() + MOST),
            texts: Arena::new(MOST),
            trees: Arena::new(MOST),
            templates: Arena::new(4 * MOST),
            by_path: RefCell::new(by_path),
            decoded: RefCell::default(),
            parsed: RefCell::default(),
            heads: RefCell::default(),
        }
    }

    /// How many files there are so far.
    pub(crate) fn len(&self) -> usize {
        self.inputs.len() + self.more.len()
    }

    pub(crate) fn input(&'a self, file: usize) -> &'a Input {
        match self.inputs.get(file) {
            Some(input) => input,
            None => self
                .more
                .get(file - self.inputs.len())
                .expect("a file of this run"),
        }
    }

    /// Whether somebody asked for the file, rather than another file naming it.
    pub(crate) fn is_asked_for(&self, file: usize) -> bool {
        file < self.inputs.len()
    }

    /// What the file was read as.
    pub(crate) fn source(&'a self, file: usize) -> &'a Source<'a> {
        self.sources.at(file, || {
            let input = self.input(file);
            read(&input.path, &input.bytes)
        })
    }

    /// A file by its path, read if nobody did yet.
    pub(crate) fn file(&'a self, path: &str) -> Option<usize> {
        let path = normal(path);
        if let Some(known) = self.by_path.borrow().get(&path) {
            return *known;
        }
        let found = self.beside.file(&path).and_then(|bytes| {
            let at = self.more.push(Input {
                path: path.clone(),
                bytes,
            })?;
            Some(self.inputs.len() + at)
        });
        self.by_path.borrow_mut().insert(path, found);
        found
    }

    /// The files of a folder that the run knows or that lie beside them, by path.
    pub(crate) fn folder(&'a self, folder: &str, wanted: impl Fn(&str) -> bool) -> Vec<usize> {
        let folder = normal(folder);
        let mut paths: Vec<String> = self
            .by_path
            .borrow()
            .iter()
            .filter(|(path, file)| file.is_some() && parent(path) == folder)
            .map(|(path, _)| path.clone())
            .collect();
        for name in self.beside.folder(&folder) {
            paths.push(join(&folder, &name));
        }
        let mut paths = sorted(paths, Ord::cmp);
        paths.dedup();
        paths.retain(|path| wanted(path));
        paths.iter().filter_map(|path| self.file(path)).collect()
    }

    /// A document in a stretch of a file; what is wrong with it goes to `problem`.
    pub(crate) fn decode(
        &'a self,
        file: usize,
        range: TextRange,
        escaped: bool,
        problem: impl FnOnce(Problem),
    ) -> Option<&'a Tree<'a>> {
        let key = (file, range, escaped);
        if let Some(known) = self.decoded.borrow().get(&key) {
            return *known;
        }
        let whole = self.source(file).text;
        let tree = match escaped {
            false => {
                let read = json::read(whole.get(..range.end).unwrap_or(""), range.start);
                read_or(read, problem)
            }
            true => self.unescaped(whole, range).and_then(|(text, places)| {
                let read = json::read(text, 0);
                let mut found = None;
                let tree = read_or(read, |problem| found = Some(problem));
                if let Some(mut found) = found {
                    found.range = places.of(found.range);
                    problem(found);
                }
                tree.map(|mut tree| {
                    tree.file_text = whole;
                    tree.moved(|range| places.of(range));
                    tree
                })
            }),
        };
        let tree = tree.and_then(|tree| self.trees.add(tree));
        self.decoded.borrow_mut().insert(key, tree);
        tree
    }

    /// The text that a string of JSON or HCL stands for, and where its bytes come from.
    fn unescaped(&'a self, whole: &'a str, range: TextRange) -> Option<(&'a str, Places)> {
        let written = range.of(whole);
        let mut text = String::with_capacity(written.len());
        let mut offsets = Vec::with_capacity(written.len());
        let mut rest = written.char_indices().peekable();
        while let Some((at, c)) = rest.next() {
            let c = match c {
                '\\' => match rest.next()?.1 {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'u' => {
                        let mut digits = String::new();
                        for _ in 0..4 {
                            digits.push(rest.next()?.1);
                        }
                        // Halves of a pair are no letters; the linter asks for none of these.
                        char::from_u32(u32::from_str_radix(&digits, 16).ok()?).unwrap_or('\u{FFFD}')
                    }
                    other => other,
                },
                c => c,
            };
            text.push(c);
            offsets.resize(text.len(), range.start + at);
        }
        offsets.push(range.end);
        let text = self.texts.add(text)?;
        Some((text, Places(offsets)))
    }

    /// The head of a loop in a template, `x in list`, as a loop of nothing, and the text that its places are of.
    pub(crate) fn loop_head(&'a self, head: &'a str) -> Option<Head<'a>> {
        let key = (head.as_ptr() as usize, head.len());
        if let Some(known) = self.heads.borrow().get(&key) {
            return *known;
        }
        let text = self.texts.add(format!("%{{ for {head} }}%{{ endfor }}"));
        let found = text.and_then(|text| Some((text.as_str(), self.template(text)?)));
        self.heads.borrow_mut().insert(key, found);
        found
    }

    /// A template of Terraform.
    pub(crate) fn template(&'a self, text: &'a str) -> Option<&'a Template> {
        let key = (text.as_ptr() as usize, text.len());
        if let Some(known) = self.parsed.borrow().get(&key) {
            return *known;
        }
        let parsed = hcl_edit::parser::parse_template(text).ok();
        let template = parsed.and_then(|template| self.templates.add(template));
        self.parsed.borrow_mut().insert(key, template);
        template
    }
}

fn read_or<'a>(mut read: json::Read<'a>, problem: impl FnOnce(Problem)) -> Option<Tree<'a>> {
    if read.tree.is_none()
        && let Some(first) = read.problems.drain(..).next()
    {
        problem(first);
    }
    read.tree
}

/// Where each byte of an unescaped text comes from.
struct Places(Vec<usize>);

impl Places {
    fn of(&self, range: TextRange) -> TextRange {
        let last = self.0.len() - 1;
        TextRange::new(self.0[range.start.min(last)], self.0[range.end.min(last)])
    }
}

/// Values that are added and never taken out, so that references to them last.
struct Arena<T> {
    cells: Box<[OnceCell<Box<T>>]>,
    next: Cell<usize>,
}

impl<T> Arena<T> {
    fn new(most: usize) -> Self {
        Self {
            cells: std::iter::repeat_with(OnceCell::new).take(most).collect(),
            next: Cell::new(0),
        }
    }

    fn len(&self) -> usize {
        self.next.get()
    }

    fn push(&self, value: T) -> Option<usize> {
        let at = self.next.get();
        self.cells.get(at)?.set(Box::new(value)).ok()?;
        self.next.set(at + 1);
        Some(at)
    }

    /// `None` when there is no room for more.
    fn add(&self, value: T) -> Option<&T> {
        self.get(self.push(value)?)
    }

    fn get(&self, at: usize) -> Option<&T> {
        self.cells.get(at)?.get().map(Box::as_ref)
    }

    fn at(&self, at: usize, make: impl FnOnce() -> T) -> &T {
        self.cells[at].get_or_init(|| Box::new(make()))
    }
}

/// A path with `/` between its parts and without `.` and `x/..`.
pub(crate) fn normal(path: &str) -> String {
    let rooted = path.starts_with(['/', '\\']);
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("{}{}", if rooted { "/" } else { "" }, parts.join("/"))
}

/// The folder of a path.
pub(crate) fn parent(path: &str) -> &str {
    path.rfind('/')
        .map_or("", |slash| &path[..slash.max(usize::from(slash == 0))])
}

pub(crate) fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => normal(name),
        folder => normal(&format!("{folder}/{name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_spelling() {
        for (path, wanted) in [
            ("./a//b/../c.tf", "a/c.tf"),
            ("../../x", "../../x"),
            ("a\\b", "a/b"),
            ("/a/./b", "/a/b"),
            (".", ""),
        ] {
            assert_eq!(normal(path), wanted, "{path}");
        }
        assert_eq!(parent("a/b/c.tf"), "a/b");
        assert_eq!(parent("c.tf"), "");
    }
}
