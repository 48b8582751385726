//! `.gitignore`, as git reads it: <https://git-scm.com/docs/gitignore> (2026-11-29). Files of one user and of
//! one clone (`core.excludesFile`, `.git/info/exclude`) are not read, so that every machine finds the same.

use std::rc::Rc;

use super::pattern::Pattern;
use super::{Disk, below, shown};

/// The name of the files.
pub(super) const FILE: &str = ".gitignore";

/// What the files of a folder and of those above it list.
#[derive(Clone)]
pub(super) struct Ignores {
    /// The working folder, to make paths absolute.
    here: Rc<str>,
    /// The innermost comes first.
    innermost: Option<Rc<List>>,
}

/// One file.
struct List {
    /// The folder that it stands in, absolute, with a `/` behind it.
    folder: String,
    /// The last line that matches counts.
    lines: Vec<Line>,
    outer: Option<Rc<List>>,
}

struct Line {
    pattern: Pattern,
    /// Whether it takes back what a line before it lists.
    takes_back: bool,
    folders_only: bool,
    /// Whether it is about paths from this folder on, rather than about names in any folder.
    is_anchored: bool,
}

impl Ignores {
    /// What is listed above a folder, up to the root of its repository; without a repository, up to the working
    /// folder.
    pub(super) fn above(folder: &str, disk: &dyn Disk) -> Self {
        let here = shown(&disk.here().unwrap_or_default());
        let mut ignores = Self {
            here: here.as_str().into(),
            innermost: None,
        };
        let start = ignores.absolute(folder);
        let mut folders: Vec<&str> = Vec::new();
        let mut at = start.as_str();
        let mut in_repository = false;
        while !in_repository {
            if at.len() < start.len() {
                folders.push(at);
            }
            in_repository = disk.kind(&below(at, ".git")).is_some();
            match at.rfind('/') {
                Some(0) if at.len() > 1 => at = "/",
                Some(slash) if slash > 0 => at = &at[..slash],
                _ => break,
            }
        }
        if !in_repository {
            folders.retain(|folder| is_in(folder, &here));
        }
        for folder in folders.into_iter().rev() {
            ignores = ignores.with(folder, disk);
        }
        ignores
    }

    /// With what the file in a folder lists.
    pub(super) fn with(&self, folder: &str, disk: &dyn Disk) -> Self {
        let Some(text) = disk.text(&below(folder, FILE)) else {
            return self.clone();
        };
        let list = List {
            folder: below(&self.absolute(folder), ""),
            lines: text
                .trim_start_matches('\u{FEFF}')
                .split('\n')
                .filter_map(|text| line(text.strip_suffix('\r').unwrap_or(text)))
                .collect(),
            outer: self.innermost.clone(),
        };
        Self {
            here: self.here.clone(),
            innermost: Some(Rc::new(list)),
        }
    }

    /// Whether a path is listed. Whether a folder above it is, the search has asked before.
    pub(super) fn list(&self, path: &str, is_folder: bool) -> bool {
        if self.innermost.is_none() {
            return false;
        }
        let path = self.absolute(path);
        let mut list = self.innermost.as_deref();
        while let Some(file) = list {
            let inner = path.strip_prefix(&file.folder).unwrap_or(&path);
            let name = inner.rsplit('/').next().unwrap_or(inner);
            let last = file.lines.iter().rev().find(|line| {
                let about = if line.is_anchored { inner } else { name };
                (is_folder || !line.folders_only) && line.pattern.matches(about)
            });
            if let Some(line) = last {
                return !line.takes_back;
            }
            list = file.outer.as_deref();
        }
        false
    }

    fn absolute(&self, path: &str) -> String {
        if path.starts_with('/') || has_drive(path) {
            return path.to_owned();
        }
        let mut parts: Vec<&str> = self.here.split('/').collect();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            match part {
                ".." if parts.len() > 1 => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        match parts.as_slice() {
            [""] => "/".to_owned(),
            parts => parts.join("/"),
        }
    }
}

fn is_in(path: &str, folder: &str) -> bool {
    path == folder || path.starts_with(&below(folder, ""))
}

/// `C:/…`
fn has_drive(path: &str) -> bool {
    path.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) && path[1..].starts_with(":/")
}

/// A line; `None` if it is empty, a comment, or matches nothing.
fn line(text: &str) -> Option<Line> {
    let text = without_spaces(text);
    if text.starts_with('#') {
        return None;
    }
    let (takes_back, text) = match text.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (folders_only, text) = match text.strip_suffix('/') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let is_anchored = text.contains('/');
    let text = text.strip_prefix('/').unwrap_or(text);
    if text.is_empty() {
        return None;
    }
    Some(Line {
        pattern: Pattern::of_line(text)?,
        takes_back,
        folders_only,
        is_anchored,
    })
}

/// Spaces at the end do not count, unless a `\` stands before them.
fn without_spaces(line: &str) -> &str {
    let mut text = line;
    while let Some(rest) = text.strip_suffix(' ') {
        let slashes = rest.len() - rest.trim_end_matches('\\').len();
        if slashes % 2 == 1 {
            break;
        }
        text = rest;
    }
    text
}
