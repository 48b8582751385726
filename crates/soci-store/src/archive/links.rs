//! The links of an archive, followed as they lie there: as tar would make them and a file system follow them, but
//! never out of the archive.

use std::collections::{HashMap, VecDeque};

use super::tar_reader::{Entry, Kind};

/// Links by their name. Old `docker save` and skopeo have them for layers that occur twice.
#[derive(Debug, Clone, Default)]
pub(super) struct Links(HashMap<String, Kind>);

/// Where a name leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// The name of the entry.
    pub(crate) name: String,
    /// The last link on the way and its target as written, for the message of an entry that is missing.
    pub(crate) link: Option<(String, String)>,
}

impl Links {
    /// Remembers an entry that is a link; one of the same name before it is replaced, as tar does.
    pub(super) fn keep(&mut self, entry: &Entry) {
        match &entry.kind {
            Kind::HardLink(_) | Kind::SymbolicLink(_) => {
                self.0.insert(entry.name.clone(), entry.kind.clone());
            }
            Kind::File | Kind::Folder | Kind::Other(_) => {
                self.0.remove(&entry.name);
            }
        }
    }

    pub(super) fn resolve(&self, name: &str) -> Result<Resolved, String> {
        let mut open: VecDeque<String> = parts(name);
        let mut path: Vec<String> = Vec::new();
        let mut link = None;
        let mut followed = 0;
        while let Some(part) = open.pop_front() {
            if part == ".." {
                if path.pop().is_none() {
                    return Err(leads(&link, name, "out of the archive"));
                }
                continue;
            }
            path.push(part);
            let here = path.join("/");
            let target = match self.0.get(&here) {
                Some(Kind::HardLink(target)) => {
                    path.clear();
                    target
                }
                Some(Kind::SymbolicLink(target)) => {
                    path.pop();
                    target
                }
                _ => continue,
            };
            link = Some((here, target.clone()));
            followed += 1;
            if followed > LIMIT {
                return Err(leads(&link, name, "in a circle"));
            }
            if target.starts_with('/') {
                return Err(leads(&link, name, "out of the archive"));
            }
            for part in parts(target).into_iter().rev() {
                open.push_front(part);
            }
        }
        Ok(Resolved {
            name: path.join("/"),
            link,
        })
    }
}

fn parts(name: &str) -> VecDeque<String> {
    let parts = name.split('/').filter(|part| !matches!(*part, "" | "."));
    parts.map(String::from).collect()
}

fn leads(link: &Option<(String, String)>, name: &str, place: &str) -> String {
    match link {
        Some((link, target)) => format!("its link {link} leads to {target}, {place}"),
        None => format!("the name {name} leads {place}"),
    }
}

/// As many as Linux follows.
const LIMIT: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn links(list: &[(&str, char, &str)]) -> Links {
        let mut links = Links::default();
        for (name, kind, target) in list {
            let target = (*target).to_owned();
            links.keep(&Entry {
                name: (*name).to_owned(),
                kind: match kind {
                    'h' => Kind::HardLink(target),
                    's' => Kind::SymbolicLink(target),
                    _ => Kind::File,
                },
                size: 0,
                offset: 0,
            });
        }
        links
    }

    #[test]
    fn links_are_followed_as_they_lie_in_the_archive() {
        let links = links(&[
            ("a/layer.tar", 's', "../b/layer.tar"),
            ("b/hard", 'h', "b/layer.tar"),
            ("c", 's', "./b"),
            ("d/e/layer.tar", 's', "../../c/hard"),
            ("was", 's', "/etc/passwd"),
            ("was", 'f', ""),
        ]);
        for (name, leads_to) in [
            ("a/layer.tar", "b/layer.tar"),
            ("./a//layer.tar", "b/layer.tar"),
            ("b/hard", "b/layer.tar"),
            ("c/layer.tar", "b/layer.tar"),
            ("d/e/layer.tar", "b/layer.tar"),
            ("d/../a/layer.tar", "b/layer.tar"),
            ("was", "was"),
        ] {
            assert_eq!(links.resolve(name).expect(name).name, leads_to);
        }
    }

    #[test]
    fn no_link_leads_out_and_the_message_says_where_it_would() {
        let links = links(&[
            ("a/up", 's', "../../../etc/hostname"),
            ("root", 's', "/etc/passwd"),
            ("hard", 'h', "../x"),
            ("one", 's', "two"),
            ("two", 's', "one"),
            ("through", 's', "a/up"),
        ]);
        for (name, message) in [
            (
                "a/up",
                "its link a/up leads to ../../../etc/hostname, out of the archive",
            ),
            (
                "through",
                "its link a/up leads to ../../../etc/hostname, out of the archive",
            ),
            ("root", "its link root leads to /etc/passwd, out of the archive"),
            ("hard", "its link hard leads to ../x, out of the archive"),
            ("../x", "the name ../x leads out of the archive"),
        ] {
            assert_eq!(links.resolve(name), Err(message.to_owned()));
        }
        assert!(
            links
                .resolve("one")
                .expect_err("a circle")
                .ends_with("in a circle")
        );
    }
}
