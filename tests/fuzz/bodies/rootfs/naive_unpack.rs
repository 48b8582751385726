//! containerd's unpacking, the simple way.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::super::layers::Item;
use super::{Failed, Files, Inode, clean, split, text};

/// `filepath.Clean` of Go: as above, but a relative path stays one.
fn clean_name(name: &str) -> String {
    if name.starts_with('/') {
        return clean(name);
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

/// `lstat` of the kernel in the folder of a layer.
fn lstat(files: &Files, path: &str) -> Result<Option<Rc<RefCell<Inode>>>, Failed> {
    let mut at = String::new();
    let mut open: Vec<String> = path
        .split('/')
        .rev()
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect();
    let mut links = 0;
    while let Some(part) = open.pop() {
        match &part[..] {
            "." => continue,
            ".." if at.is_empty() => return Ok(None),
            ".." => {
                at.truncate(at.rfind('/').unwrap_or(0));
                continue;
            }
            _ => {}
        }
        if !at.is_empty() && files[&at].borrow().kind != 'd' {
            return Err(Failed);
        }
        at = format!("{at}/{part}");
        let Some(found) = files.get(&at) else {
            return Ok(None);
        };
        if open.is_empty() {
            return Ok(Some(found.clone()));
        }
        if found.borrow().kind == 'l' {
            links += 1;
            if links > 40 {
                return Err(Failed);
            }
            let target = found.borrow().link.clone();
            if target.starts_with('/') {
                return Ok(None);
            }
            at.truncate(at.rfind('/').unwrap_or(0));
            open.extend(
                target
                    .split('/')
                    .rev()
                    .filter(|part| !part.is_empty())
                    .map(str::to_owned),
            );
        }
    }
    if at.is_empty() {
        return Ok(Some(Rc::new(RefCell::new(Inode::directory()))));
    }
    Ok(files.get(&at).cloned())
}

/// continuity's `RootPath`.
fn root_path(files: &Files, path: &str) -> Result<String, Failed> {
    if path.is_empty() {
        return Ok("/".to_owned());
    }
    let mut path = path.to_owned();
    let mut walked = 0;
    loop {
        let before = walked;
        path = walk_links(files, &path, &mut walked)?;
        if before == walked {
            let joined = clean(&path);
            if joined == path {
                return Ok(joined);
            }
            path = joined;
        }
    }
}

fn walk_link(files: &Files, path: &str, walked: &mut u32) -> Result<(String, bool), Failed> {
    if *walked > 255 {
        return Err(Failed);
    }
    let path = clean(path);
    if path == "/" {
        return Ok((path, false));
    }
    match lstat(files, &path)? {
        Some(inode) if inode.borrow().kind == 'l' => {
            *walked += 1;
            Ok((inode.borrow().link.clone(), true))
        }
        _ => Ok((path, false)),
    }
}

fn walk_links(files: &Files, path: &str, walked: &mut u32) -> Result<String, Failed> {
    match split(path) {
        ("", file) => Ok(walk_link(files, file, walked)?.0),
        (folder, "") => {
            if folder == "/" {
                return Ok(folder.to_owned());
            }
            walk_links(files, &folder[..folder.len() - 1], walked)
        }
        (folder, file) => {
            let folder = walk_links(files, folder, walked)?;
            let (new, is_link) = walk_link(files, &format!("{folder}/{file}"), walked)?;
            if !is_link || new.starts_with('/') {
                return Ok(new);
            }
            let joined = format!("{folder}/{new}");
            Ok(if folder.starts_with('/') {
                clean(&joined)
            } else {
                clean_name(&joined)
            })
        }
    }
}

fn remove_all(files: &mut Files, path: &str) {
    let below = format!("{path}/");
    let gone: Vec<String> = files
        .keys()
        .filter(|key| **key == path || key.starts_with(&below))
        .cloned()
        .collect();
    for path in gone {
        let inode = files.remove(&path).expect("it was just listed");
        inode.borrow_mut().links -= 1;
    }
}

/// containerd's `mkparent`.
fn make_parents(files: &mut Files, below: &[Files], path: &str) -> Result<(), Failed> {
    match lstat(files, path)? {
        Some(inode) if inode.borrow().kind == 'd' => return Ok(()),
        Some(_) => return Err(Failed),
        None => {}
    }
    let parent = split(path).0.trim_end_matches('/');
    if !parent.is_empty() {
        make_parents(files, below, parent)?;
    }
    let made = Rc::new(RefCell::new(Inode::directory()));
    files.insert(path.to_owned(), made.clone());
    for layer in below.iter().rev() {
        let there = root_path(layer, path)?;
        if let Some(found) = lstat(layer, &there)? {
            let found = found.borrow();
            if found.kind == 'd' {
                let mut made = made.borrow_mut();
                made.mode = found.mode;
                made.owner = found.owner;
                let visible = found
                    .xattrs
                    .iter()
                    .filter(|(key, _)| ["user.", "security."].iter().any(|known| key.starts_with(known)));
                made.xattrs = visible.map(|(key, value)| (key.clone(), value.clone())).collect();
            }
            break;
        }
    }
    Ok(())
}

fn bounded(time: i64) -> i64 {
    if (0..=9_223_372_036).contains(&time) {
        time
    } else {
        0
    }
}

/// containerd's archive code; onto other layers in the way of overlayfs.
pub fn unpack(items: &[Item], layer: usize, below: &[Files]) -> Result<Files, Failed> {
    let mut files = Files::new();
    let mut directories = Vec::new();
    let mut unpacked = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let name = clean_name(&text(&item.name));
        let (folder, base) = split(&name);
        let folder = root_path(&files, folder)?;
        let path = clean(&format!("{folder}/{}", clean(base)));
        if path == "/" {
            continue;
        }
        if folder != "/" {
            make_parents(&mut files, below, &folder)?;
        }
        let base = split(&path).1.to_owned();
        if let Some(original) = base.strip_prefix(".wh.") {
            let whole = clean(&format!("{folder}/{original}"));
            if ["", ".", ".."].contains(&original) {
                return Err(Failed);
            }
            if original == ".wh..opq" {
                if below.is_empty() {
                    let inside = format!("{}/", folder.trim_end_matches('/'));
                    let all: Vec<String> = files
                        .keys()
                        .filter(|key| key.starts_with(&inside))
                        .cloned()
                        .collect();
                    for path in all {
                        if files.contains_key(&path) && !unpacked.contains(&path) {
                            remove_all(&mut files, &path);
                        }
                    }
                } else if let Some(inode) = files.get(&folder) {
                    inode.borrow_mut().opaque = true;
                }
            } else if below.is_empty() {
                remove_all(&mut files, &whole);
            } else if files
                .insert(whole, Rc::new(RefCell::new(Inode::whiteout())))
                .is_some()
            {
                return Err(Failed);
            }
            continue;
        }
        let directory = item.type_flag == b'5';
        if let Some(there) = files.get(&path).cloned()
            && !(directory && there.borrow().kind == 'd')
        {
            remove_all(&mut files, &path);
        }
        let inode = if item.type_flag == b'1' {
            let link = text(&item.link);
            let (above, base) = split(&link);
            let target = clean(&format!("{}/{base}", root_path(&files, above)?));
            let inode = lstat(&files, &target)?.ok_or(Failed)?;
            if inode.borrow().kind == 'd' {
                return Err(Failed);
            }
            inode.borrow_mut().links += 1;
            files.insert(path.clone(), inode.clone());
            inode
        } else {
            let made = || {
                let mut inode = Inode::of(item, layer, index);
                inode.owner = (0, 0);
                inode.size = item.data.len() as u64;
                Rc::new(RefCell::new(inode))
            };
            files.entry(path.clone()).or_insert_with(made).clone()
        };
        let mut inode = inode.borrow_mut();
        if item.owner.0 as u32 != u32::MAX {
            inode.owner.0 = item.owner.0 as u32;
        }
        if item.owner.1 as u32 != u32::MAX {
            inode.owner.1 = item.owner.1 as u32;
        }
        for (key, value) in &item.xattrs {
            let set = key.starts_with("security.") || key.starts_with("user.") && "df".contains(inode.kind);
            if *key == "security.capability" && value.len() != 20 {
                return Err(Failed);
            }
            if set {
                inode.xattrs.insert((*key).to_owned(), value.clone());
            }
        }
        inode.mode = if inode.kind == 'l' {
            0o777
        } else {
            item.mode & 0o7777
        };
        inode.modified = Some(bounded(item.modified));
        if inode.kind == 'd' {
            inode.contents = Some((layer, index));
            inode.implied = false;
            directories.push((name, item.modified));
        }
        unpacked.insert(path);
    }
    for (name, time) in directories {
        let path = root_path(&files, &name)?;
        let inode = lstat(&files, &path)?.ok_or(Failed)?;
        inode.borrow_mut().modified = Some(bounded(time));
    }
    Ok(files)
}
