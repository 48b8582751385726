//! The floors inside the crate: source → expression → documents → model → rules → verdict → report.
//! A module imports from its own floor and from those below it.

#![expect(
    clippy::disallowed_methods,
    reason = "the test reads the crate's files; the crate does not"
)]

use std::path::{Path, PathBuf};

/// Modules of one floor know each other; a file at the root is a module by itself.
const FLOORS: &[&[&str]] = &[
    &["data", "error", "table", "terms", "kind", "names"],
    &["options", "discover"],
    &["source"],
    &["detect"],
    &["expression"],
    &["documents"],
    &["model"],
    &["facts"],
    &["rules"],
    &["verdict", "accept"],
    &["report", "fail_on"],
    &["docs", "check", "look_up"],
    &["engine", "fix"],
];

/// What the crate itself has: the door's own types.
const DOOR: &[&str] = &["Beside", "Error", "Input", "Nothing", "Options"];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, out),
            false => out.push(path),
        }
    }
}

#[test]
fn no_arrow_runs_upwards() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let mut seen = 0;
    for path in paths {
        let inner = path.strip_prefix(&root).unwrap().with_extension("");
        let module = inner.iter().next().unwrap().to_str().unwrap();
        if module == "lib" {
            continue;
        }
        let own = floor(module).unwrap_or_else(|| panic!("{module} is on no floor"));
        let text = std::fs::read_to_string(&path).unwrap();
        // Unit tests may look from above.
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for import in line.split("crate::").skip(1) {
                let names: Vec<&str> = match import.strip_prefix('{') {
                    Some(list) => list.split([',', '}']).map(str::trim).collect(),
                    None => vec![import],
                };
                for name in names {
                    let end = name
                        .find(|c: char| !c.is_alphanumeric() && c != '_')
                        .unwrap_or(name.len());
                    let name = &name[..end];
                    let Some(other) = floor(name) else {
                        let known = name.is_empty() || DOOR.contains(&name) || own == FLOORS.len() - 1;
                        assert!(known, "{}: {name} is on no floor", path.display());
                        continue;
                    };
                    assert!(
                        other <= own,
                        "{}: {module} imports {name}, which is above it",
                        path.display()
                    );
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 100, "{seen}");
}
