//! `cargo xtask site [DIR]`: the finished page and the documentation in one folder, for any static host.
//!
//! Everything but `index.html` and `docs/` lies under `assets/<hash of it all>/`, so that a host may keep those files
//! in caches forever, and script and module of two releases never meet.

mod docs;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::npm;
use crate::run::{Outcome, must, root, target};

/// `cargo xtask site [--serve] [DIR]`; without a folder it is `target/site`. `--serve` shows it on loopback.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let serve = arguments.iter().any(|word| word == "--serve");
    let folders: Vec<&String> = arguments.iter().filter(|word| *word != "--serve").collect();
    let to = match folders[..] {
        [] => target().join("site"),
        [folder] if !folder.starts_with('-') => PathBuf::from(folder),
        _ => {
            return Err(format!(
                "site takes --serve and one folder or none, not {arguments:?}"
            ));
        }
    };
    build(&to)?;
    eprintln!("the site is in {}", to.display());
    match serve {
        true => must(
            Command::new(npm::node24()?)
                .arg(npm::folder().join("tests/serve.mjs"))
                .arg(&to),
        ),
        false => Ok(()),
    }
}

/// Builds the page from the committed module into `to`.
pub(crate) fn build(to: &Path) -> Outcome {
    npm::install()?;
    let staging = tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    npm::bundle_page(staging.path())?;
    let page = root().join("wasm/page");
    for (from, name) in [
        (page.join("page.css"), "page.css"),
        (page.join("docs.css"), "docs.css"),
        (page.join("icon.svg"), "icon.svg"),
        (page.join("image.css"), "image.css"),
        (root().join("wasm/action/dist/soci_wasm.wasm"), "soci_wasm.wasm"),
        (root().join("wasm/page/dist/soci_local.wasm"), "soci_local.wasm"),
    ] {
        copy(&from, &staging.path().join(name))?;
    }
    write(&staging.path().join("rules.json"), &rule_pages()?)?;
    let names = names_in(staging.path())?;
    let mut hash = Sha256::new();
    for name in &names {
        hash.update(name.as_bytes());
        hash.update(read(&staging.path().join(name))?);
    }
    let assets = format!("assets/{}", npm::hex(&hash.finalize()[..8]));

    let old = to.join("assets");
    if old.exists() {
        std::fs::remove_dir_all(&old).map_err(|error| format!("cannot remove {}: {error}", old.display()))?;
    }
    std::fs::create_dir_all(to.join(&assets))
        .map_err(|error| format!("cannot make {}: {error}", to.join(&assets).display()))?;
    for name in &names {
        copy(&staging.path().join(name), &to.join(&assets).join(name))?;
    }
    let template = page.join("index.html");
    let html = String::from_utf8(read(&template)?).map_err(|_| "index.html is not UTF-8".to_owned())?;
    let index = to.join("index.html");
    docs::render(to, &assets)?;
    write(&index, &html.replace("{assets}", &assets))
}

/// The pages under `docs/rules` as one JSON object, by code.
fn rule_pages() -> Result<String, String> {
    let folder = root().join("docs/rules");
    let mut pages = BTreeMap::new();
    for name in names_in(&folder)? {
        let Some(code) = name.strip_suffix(".md").filter(|code| code.starts_with("SOCI")) else {
            continue;
        };
        let page =
            String::from_utf8(read(&folder.join(&name))?).map_err(|_| format!("{name} is not UTF-8"))?;
        pages.insert(code.to_owned(), page);
    }
    if pages.is_empty() {
        return Err("docs/rules holds no page; run `cargo xtask gen`".to_owned());
    }
    serde_json::to_string(&pages).map_err(|error| format!("cannot write rules.json: {error}"))
}

fn write(path: &Path, text: &str) -> Outcome {
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn names_in(folder: &Path) -> Result<Vec<String>, String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn copy(from: &Path, to: &Path) -> Outcome {
    std::fs::copy(from, to)
        .map(|_| ())
        .map_err(|error| format!("cannot copy {} to {}: {error}", from.display(), to.display()))
}
