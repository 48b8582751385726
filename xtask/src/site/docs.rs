//! The documentation as pages of the site: every Markdown file under `docs/`, with its links checked.
//!
//! `docs/start.md` becomes `docs/start.html`, a `README.md` the `index.html` of its folder. A link out of `docs/` leads
//! to the file in the repository. A link to a file or heading that is not there is an error.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, html};

use super::{copy, read, write};
use crate::run::{Outcome, root};

/// Where files outside `docs/` are shown.
const REPOSITORY: &str = "https://github.com/cargo-soci/cargo-soci/blob/main";

/// Renders all pages into `to/docs`; `assets` is the folder of style and icon below `to`.
pub(super) fn render(to: &Path, assets: &str) -> Outcome {
    let folder = root().join("docs");
    let mut files = BTreeSet::new();
    collect(&folder, Path::new(""), &mut files)?;
    let mut pages = BTreeMap::new();
    for path in files.iter().filter(|path| is_page(path)) {
        let text = String::from_utf8(read(&folder.join(path))?)
            .map_err(|_| format!("docs/{} is not UTF-8", path.display()))?;
        pages.insert(path.clone(), Page::read(&text));
    }
    let site = Site {
        files: &files,
        pages: &pages,
    };
    let old = to.join("docs");
    if old.exists() {
        std::fs::remove_dir_all(&old).map_err(|error| format!("cannot remove {}: {error}", old.display()))?;
    }
    let mut dead = Vec::new();
    for (path, page) in &pages {
        let target = old.join(html_path(path));
        let parent = target.parent().expect("a file lies in a folder");
        std::fs::create_dir_all(parent)
            .map_err(|error| format!("cannot make {}: {error}", parent.display()))?;
        let mut wrong = Vec::new();
        let body = page.html(&mut |link| {
            site.lead(path, link).unwrap_or_else(|problem| {
                wrong.push(format!("docs/{}: {problem}", path.display()));
                link.to_owned()
            })
        });
        dead.append(&mut wrong);
        write(&target, &whole(path, page, &body, assets))?;
    }
    for path in files.iter().filter(|path| !is_page(path)) {
        let target = old.join(path);
        let parent = target.parent().expect("a file lies in a folder");
        std::fs::create_dir_all(parent)
            .map_err(|error| format!("cannot make {}: {error}", parent.display()))?;
        copy(&folder.join(path), &target)?;
    }
    match dead.is_empty() {
        true => Ok(()),
        false => Err(format!("links that lead nowhere:\n  {}", dead.join("\n  "))),
    }
}

/// The files below a folder, relative to it.
fn collect(folder: &Path, below: &Path, files: &mut BTreeSet<PathBuf>) -> Outcome {
    let shown = folder.display();
    let entries = std::fs::read_dir(folder).map_err(|error| format!("cannot read {shown}: {error}"))?;
    for entry in entries {
        let entry = entry.map_err(|error| format!("cannot read {shown}: {error}"))?;
        let path = below.join(entry.file_name());
        match entry.path().is_dir() {
            true => collect(&entry.path(), &path, files)?,
            false => {
                files.insert(path);
            }
        }
    }
    Ok(())
}

fn is_page(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

fn html_path(path: &Path) -> PathBuf {
    match path.file_name() {
        Some(name) if name == "README.md" => path.with_file_name("index.html"),
        _ => path.with_extension("html"),
    }
}

/// The files that links can lead to.
struct Site<'a> {
    files: &'a BTreeSet<PathBuf>,
    pages: &'a BTreeMap<PathBuf, Page>,
}

impl Site<'_> {
    /// Where a link of the page `from` leads on the site.
    fn lead(&self, from: &Path, link: &str) -> Result<String, String> {
        if link.contains("://") || link.starts_with("mailto:") {
            return Ok(link.to_owned());
        }
        let (path, heading) = match link.split_once('#') {
            Some((path, heading)) => (path, Some(heading)),
            None => (link, None),
        };
        let folder = from.parent().unwrap_or(Path::new(""));
        let target = match path {
            "" => Some(from.to_path_buf()),
            path => inside(&folder.join(path)),
        };
        let Some(target) = target else {
            // Out of docs/: as seen from the root of the repository.
            let target = inside(&Path::new("docs").join(folder).join(path))
                .filter(|target| root().join(target).exists())
                .ok_or_else(|| format!("{link} is not in the repository"))?;
            let heading = heading.map(|heading| format!("#{heading}")).unwrap_or_default();
            return Ok(format!("{REPOSITORY}/{}{heading}", slashes(&target)));
        };
        // A folder is shown by its README, or in the repository where it has none.
        let readme = target.join("README.md");
        let target = if self.files.contains(&readme) {
            readme
        } else {
            target
        };
        let Some(page) = self.pages.get(&target) else {
            return match heading {
                None if self.files.contains(&target) => Ok(link.to_owned()),
                None if root().join("docs").join(&target).is_dir() => {
                    Ok(format!("{REPOSITORY}/docs/{}", slashes(&target)))
                }
                _ => Err(format!("{link} does not exist")),
            };
        };
        if let Some(heading) = heading
            && !page.headings.iter().any(|known| known == heading)
        {
            return Err(format!("{link}: the page has no such heading"));
        }
        let up = "../".repeat(folder.components().count());
        let heading = heading.map(|heading| format!("#{heading}")).unwrap_or_default();
        Ok(format!("{up}{}{heading}", slashes(&html_path(&target))))
    }
}

/// The path without `.` and `..`; `None` if it leads out.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                if !clean.pop() {
                    return None;
                }
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(clean)
}

fn slashes(path: &Path) -> String {
    let parts: Vec<_> = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}

/// A page as read.
struct Page {
    text: String,
    title: String,
    /// The names of its headings in links.
    headings: Vec<String>,
}

impl Page {
    fn read(text: &str) -> Self {
        let mut title = None;
        let mut headings: Vec<String> = Vec::new();
        let mut open: Option<String> = None;
        for event in parser(text) {
            match (event, &mut open) {
                (Event::Start(Tag::Heading { .. }), _) => open = Some(String::new()),
                (Event::Text(words) | Event::Code(words), Some(heading)) => heading.push_str(&words),
                (Event::End(TagEnd::Heading(level)), _) => {
                    let heading = open.take().unwrap_or_default();
                    headings.push(unique(slug(&heading), &headings));
                    if level == HeadingLevel::H1 {
                        title.get_or_insert(heading);
                    }
                }
                _ => {}
            }
        }
        Self {
            text: text.to_owned(),
            title: title.unwrap_or_else(|| "Documentation".to_owned()),
            headings,
        }
    }

    /// Its body, with each link as `lead` says.
    fn html(&self, lead: &mut impl FnMut(&str) -> String) -> String {
        let mut headings = self.headings.iter();
        let events = parser(&self.text).map(|event| match event {
            Event::Start(Tag::Heading {
                level,
                classes,
                attrs,
                ..
            }) => Event::Start(Tag::Heading {
                level,
                id: headings.next().map(|heading| CowStr::from(heading.clone())),
                classes,
                attrs,
            }),
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            }) => {
                let to = if link_type == LinkType::Email {
                    dest_url.to_string()
                } else {
                    lead(&dest_url)
                };
                Event::Start(Tag::Link {
                    link_type,
                    dest_url: to.into(),
                    title,
                    id,
                })
            }
            Event::Start(Tag::Image {
                link_type,
                dest_url,
                title,
                id,
            }) => Event::Start(Tag::Image {
                link_type,
                dest_url: lead(&dest_url).into(),
                title,
                id,
            }),
            // Comments are for tests; what else is HTML is ours.
            Event::Html(words) | Event::InlineHtml(words) if words.trim_start().starts_with("<!--") => {
                Event::Text("".into())
            }
            other => other,
        });
        let mut body = String::new();
        html::push_html(&mut body, events);
        // A wide table or line scrolls by itself, not with the page.
        body.replace("<table>", "<div class=\"wide\" tabindex=\"0\"><table>")
            .replace("</table>", "</table></div>")
            // An empty cell heads nothing.
            .replace("<th></th>", "<td></td>")
            .replace("<pre>", "<pre tabindex=\"0\">")
    }
}

fn parser(text: &str) -> Parser<'_> {
    Parser::new_ext(text, Options::ENABLE_TABLES)
}

/// The name of a heading as GitHub makes it: letters small, spaces to hyphens, all but letters, digits, hyphens and
/// underscores gone.
fn slug(heading: &str) -> String {
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter_map(|letter| match letter {
            ' ' => Some('-'),
            '-' | '_' => Some(letter),
            letter if letter.is_alphanumeric() => Some(letter),
            _ => None,
        })
        .collect()
}

/// The same name again gets a number.
fn unique(slug: String, known: &[String]) -> String {
    if !known.contains(&slug) {
        return slug;
    }
    (1..)
        .map(|number| format!("{slug}-{number}"))
        .find(|name| !known.contains(name))
        .expect("numbers do not end")
}

fn whole(path: &Path, page: &Page, body: &str, assets: &str) -> String {
    let depth = path.components().count();
    let top = "../".repeat(depth);
    let docs = "../".repeat(depth - 1);
    let title = escape(&page.title);
    let source = slashes(path);
    format!(
        r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · cargo soci</title>
<link rel="icon" href="{top}{assets}/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{top}{assets}/page.css">
<link rel="stylesheet" href="{top}{assets}/docs.css">
</head>
<body class="docs">
<a class="skip" href="#text">Skip to the text</a>
<nav aria-label="Site"><a href="{top}index.html">Validator</a> <a href="{docs}index.html">Documentation</a> <a href="https://github.com/cargo-soci/cargo-soci" rel="noreferrer">Repository</a></nav>
<main id="text" tabindex="-1">
{body}</main>
<footer><p><a href="{REPOSITORY}/docs/{source}" rel="noreferrer">This page in the repository</a></p></footer>
</body>
</html>
"##
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_the_names_that_github_gives_them() {
        for (heading, name) in [
            ("Is it lazy?", "is-it-lazy"),
            ("`--fix` and `--diff`", "--fix-and---diff"),
            ("3. Make it smaller", "3-make-it-smaller"),
            ("soci.toml: keys_here", "socitoml-keys_here"),
        ] {
            let page = Page::read(&format!("# {heading}\n"));
            assert_eq!(page.headings, [name]);
        }
        assert_eq!(Page::read("# A\n## A\n## A\n").headings, ["a", "a-1", "a-2"]);
    }

    #[test]
    fn links_lead_to_pages_and_to_the_repository() {
        let files: BTreeSet<PathBuf> = ["README.md", "start.md", "rules/README.md", "rules/A.md", "x.json"]
            .map(PathBuf::from)
            .into();
        let pages = files
            .iter()
            .filter(|path| is_page(path))
            .map(|path| (path.clone(), Page::read("# One\n## Two words\n")))
            .collect();
        let site = Site {
            files: &files,
            pages: &pages,
        };
        let lead = |from: &str, link: &str| site.lead(Path::new(from), link);
        for (from, link, to) in [
            ("README.md", "start.md", "start.html"),
            ("README.md", "start.md#two-words", "start.html#two-words"),
            ("rules/A.md", "../start.md", "../start.html"),
            ("rules/A.md", "README.md", "../rules/index.html"),
            ("start.md", "rules/README.md", "rules/index.html"),
            ("start.md", "#one", "start.html#one"),
            ("start.md", "x.json", "x.json"),
            ("start.md", "https://a.example/b", "https://a.example/b"),
        ] {
            assert_eq!(lead(from, link).as_deref(), Ok(to), "{from} {link}");
        }
        let out = lead("rules/A.md", "../../Cargo.toml").expect("it is there");
        assert_eq!(out, format!("{REPOSITORY}/Cargo.toml"));
        for link in ["none.md", "start.md#three", "../none", "../../../etc/passwd"] {
            assert!(lead("start.md", link).is_err(), "{link}");
        }
    }

    #[test]
    fn every_page_of_the_docs_is_rendered_and_every_link_leads_somewhere() {
        let folder = tempfile::tempdir().expect("a folder");
        render(folder.path(), "assets/0").expect("all links lead somewhere");
        let mut made = BTreeSet::new();
        collect(&folder.path().join("docs"), Path::new(""), &mut made).expect("pages");
        assert!(made.len() > 80, "{} files", made.len());
        let start = std::fs::read_to_string(folder.path().join("docs/start.html")).expect("the page");
        assert!(
            start.contains("<h1 id=\"start-a-lazy-service-in-ten-minutes\">"),
            "{start}"
        );
        let links = start
            .split("href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        let mut markdown = links.filter(|link| link.ends_with(".md"));
        assert!(
            markdown.all(|link| link.starts_with(REPOSITORY)),
            "a link to Markdown is left"
        );
    }
}
