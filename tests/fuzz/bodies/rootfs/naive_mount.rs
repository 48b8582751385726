//! The lazy client's tree, the simple way.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::layers::Item;
use super::{Failed, Files, Inode, clean, split, text};

/// The client's tree; names that are listed and not found are of kind `x`.
pub fn mount(items: &[Item], layer: usize) -> Result<Files, Failed> {
    let mut nodes = vec![Inode::directory()];
    let mut children: Vec<BTreeMap<String, usize>> = vec![BTreeMap::new()];
    let find = |children: &[BTreeMap<String, usize>], path: &str| {
        let mut at = 0;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            at = *children[at].get(part)?;
        }
        Some(at)
    };
    let mut header = 0;
    for (index, item) in items.iter().enumerate() {
        let path = clean(&text(&item.name));
        let made = Inode::of(item, layer, index);
        let records: usize = usize::from(!item.xattrs.is_empty());
        // x header and its data take two blocks here, the header itself one.
        let offset = header + 512 * (2 * records + 1);
        let misplaced = items[..index]
            .last()
            .is_some_and(|last| last.type_flag != b'0' && last.size != 0);
        header = offset + item.data.len().next_multiple_of(512);
        let empty = item.xattrs.iter().filter(|(_, value)| value.is_empty()).count();
        let lossy = item.xattrs.len() > 1 && empty > 0;
        let bad_owner = [item.owner.0, item.owner.1]
            .iter()
            .any(|id| u32::try_from(*id).is_err());
        let bad_time = item.modified < -62_167_219_200;
        let bad_mode = item.mode & !0o7777 == 0o40000;
        let kept: BTreeMap<String, Vec<u8>> = item
            .xattrs
            .iter()
            .filter(|(_, value)| item.xattrs.len() == 1 || !value.is_empty())
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect();
        let id = if item.type_flag == b'1' {
            let id = find(&children, &clean(&text(&item.link))).ok_or(Failed)?;
            nodes[id].links += 1;
            id
        } else {
            let old = find(&children, &path).filter(|_| item.type_flag == b'5');
            if let Some(id) = old {
                let node = &mut nodes[id];
                let several = node.xattrs.len() > 1;
                node.kind = 'd';
                node.mode = made.mode;
                if made.owner.0 != 0 {
                    node.owner.0 = made.owner.0;
                }
                if made.owner.1 != 0 {
                    node.owner.1 = made.owner.1;
                }
                if !bad_time {
                    node.modified = made.modified;
                }
                node.contents = made.contents;
                node.implied = false;
                node.unreadable = false;
                if !item.xattrs.is_empty() {
                    node.xattrs = kept;
                    node.varies = lossy || several && item.xattrs.len() == 1;
                }
                id
            } else {
                nodes.push(Inode {
                    modified: (!bad_time).then_some(item.modified),
                    xattrs: kept,
                    varies: lossy,
                    unreadable: made.kind == 'f'
                        && !item.data.is_empty()
                        && (misplaced || lossy || bad_owner || bad_time || bad_mode),
                    ..made
                });
                children.push(BTreeMap::new());
                nodes.len() - 1
            }
        };
        let (folder, base) = split(&path);
        if base.is_empty() {
            continue;
        }
        let mut at = 0;
        for part in folder.split('/').filter(|part| !part.is_empty()) {
            at = match children[at].get(part) {
                Some(id) => *id,
                None => {
                    nodes.push(Inode::directory());
                    children.push(BTreeMap::new());
                    let id = nodes.len() - 1;
                    children[at].insert(part.to_owned(), id);
                    id
                }
            };
        }
        children[at].insert(base.to_owned(), id);
    }
    // A directory with two names is taken for an empty one.
    let mut names = vec![0; nodes.len()];
    names[0] = 1;
    for child in children.iter().flat_map(BTreeMap::values) {
        names[*child] += 1;
    }
    for (id, node) in nodes.iter().enumerate() {
        if node.kind == 'd' && names[id] > 1 {
            children[id].clear();
        }
    }
    let inodes: Vec<_> = nodes
        .into_iter()
        .map(|node| Rc::new(RefCell::new(node)))
        .collect();
    let mut files = Files::new();
    let mut open = vec![(String::new(), 0)];
    while let Some((path, id)) = open.pop() {
        if children[id].contains_key(".wh..wh..opq")
            || inodes[id]
                .borrow()
                .xattrs
                .get("trusted.overlay.opaque")
                .is_some_and(|value| value == b"y")
        {
            inodes[id].borrow_mut().opaque = true;
        }
        for (name, child) in &children[id] {
            let whole = |name: &str| format!("{path}/{name}");
            if path.is_empty() && [".soci-snapshotter", ".wh..soci-snapshotter"].contains(&&name[..]) {
                let state = Inode {
                    mode: 0o500,
                    modified: Some(0),
                    implied: false,
                    ..Inode::directory()
                };
                files.insert(whole(".soci-snapshotter"), Rc::new(RefCell::new(state)));
            } else if let Some(original) = name.strip_prefix(".wh.") {
                if original.starts_with(".wh.") {
                    if original != ".wh..opq" {
                        let phantom = Inode {
                            kind: 'x',
                            ..Inode::whiteout()
                        };
                        files.insert(whole(original), Rc::new(RefCell::new(phantom)));
                    }
                } else if !children[id].contains_key(original) {
                    files.insert(whole(original), Rc::new(RefCell::new(Inode::whiteout())));
                }
            } else {
                files.insert(whole(name), inodes[*child].clone());
                if inodes[*child].borrow().kind == 'd' {
                    open.push((whole(name), *child));
                }
            }
        }
    }
    Ok(files)
}
