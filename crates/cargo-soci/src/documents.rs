//! From the words of `cargo soci lint` to files: paths, folders, globs and `-`.
//!
//! Symbolic links found on the way are not followed: public repositories hold links that lead out of the
//! folder. A link that is named itself is read, because then somebody asked for it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use globset::GlobBuilder;

use crate::causes;
use crate::error::CommandError;

/// Folders that hold no documents of the project itself.
const SKIPPED: &[&str] = &[".git", ".terraform", "node_modules", "target"];

/// A document to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The name in reports: relative where the user's word was, with `/`; `-` is stdin.
    pub name: String,
    /// How it got here.
    pub by: By,
}

/// How a file was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The user named the file, or stdin.
    Word,
    /// A glob matched it.
    Glob,
    /// Found in a folder by its name; may turn out to be something else.
    Name,
}

/// All files that the words name, each once, in the order of the words and then by path.
pub fn find(words: &[String], is_common_name: impl Fn(&str) -> bool) -> Result<Vec<Found>, CommandError> {
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for word in words {
        for found in expand(word, &is_common_name)? {
            if seen.insert(found.name.clone()) {
                all.push(found);
            }
        }
    }
    Ok(all)
}

fn expand(word: &str, is_common_name: &impl Fn(&str) -> bool) -> Result<Vec<Found>, CommandError> {
    let named = |name: String| Found { name, by: By::Word };
    if word == "-" {
        return Ok(vec![named("-".to_owned())]);
    }
    let path = Path::new(word);
    if path.is_dir() {
        let mut files = walk(path)?;
        files.retain(|name| is_common_name(name));
        if files.is_empty() {
            return Err(CommandError::usage(format!(
                "the folder {word} holds no file with a name that task definitions have"
            ))
            .help("name the file itself, or a glob such as 'deploy/**/*.json'; what .gitignore lists is passed over"));
        }
        return Ok(files
            .into_iter()
            .map(|name| Found { name, by: By::Name })
            .collect());
    }
    // A file whose name has the letters of a glob is still that file.
    if path.exists() || !is_glob(word) {
        return if path.exists() {
            Ok(vec![named(with_slashes(path))])
        } else {
            Err(CommandError::usage(format!("there is no file or folder {word}")))
        };
    }
    let files = matching(word)?;
    if files.is_empty() {
        return Err(CommandError::usage(format!("no file matches {word}"))
            .help("what .gitignore lists is passed over: name such a file itself"));
    }
    let matched = |name: String| Found { name, by: By::Glob };
    Ok(files.into_iter().map(matched).collect())
}

fn matching(pattern: &str) -> Result<Vec<String>, CommandError> {
    let pattern = with_slashes(Path::new(pattern));
    let glob = GlobBuilder::new(&pattern)
        .literal_separator(true)
        .build()
        .map_err(|error| CommandError::usage(format!("cannot read the glob {pattern}")).because(&error))?
        .compile_matcher();
    let base = fixed_folder(&pattern);
    if !base.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = walk(&base)?;
    files.retain(|name| glob.is_match(name));
    Ok(files)
}

/// The part of a pattern before its first component with a wildcard.
fn fixed_folder(pattern: &str) -> PathBuf {
    let fixed: Vec<&str> = pattern.split('/').take_while(|part| !is_glob(part)).collect();
    match fixed[..] {
        [] => PathBuf::from("."),
        [""] => PathBuf::from("/"),
        _ => PathBuf::from(fixed.join("/")),
    }
}

fn is_glob(word: &str) -> bool {
    word.contains(['*', '?', '[', '{'])
}

/// The regular files below a folder that `.gitignore` does not list, sorted.
fn walk(folder: &Path) -> Result<Vec<String>, CommandError> {
    let walk = ignore::WalkBuilder::new(folder)
        .standard_filters(false)
        .git_ignore(true)
        .parents(true)
        // A checkout without its `.git`, such as an archive of it, has the same files.
        .require_git(false)
        .filter_entry(|entry| {
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            let is_skipped = || SKIPPED.iter().any(|skipped| entry.file_name() == *skipped);
            entry.depth() == 0 || !is_folder || !is_skipped()
        })
        .build();
    let mut files = Vec::new();
    for entry in walk {
        let entry = entry.map_err(|error| match error.io_error() {
            Some(cause) => causes::of_file("read", folder, cause),
            None => {
                CommandError::failed(format!("cannot read the folder {}", folder.display())).because(&error)
            }
        })?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            files.push(with_slashes(entry.path()));
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// The path as reports write it: `/` between the parts, no `./` in front.
fn with_slashes(path: &Path) -> String {
    let text = path.to_string_lossy();
    let text = if cfg!(windows) {
        text.replace('\\', "/")
    } else {
        text.into_owned()
    };
    let mut rest = text.as_str();
    while let Some(after) = rest.strip_prefix("./") {
        rest = after.trim_start_matches('/');
    }
    if rest.is_empty() { text } else { rest.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn common(name: &str) -> bool {
        name.ends_with("taskdef.json")
    }

    fn names(words: &[&Path]) -> Result<Vec<String>, CommandError> {
        let words: Vec<String> = words
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        Ok(find(&words, common)?
            .into_iter()
            .map(|found| found.name)
            .collect())
    }

    #[test]
    fn a_folder_gives_the_files_with_common_names_and_skips_links() {
        let root = tempfile::tempdir().expect("a folder");
        let outside = tempfile::tempdir().expect("another folder");
        fs::create_dir_all(root.path().join("deploy/.aws")).expect("made");
        fs::create_dir_all(root.path().join("node_modules/x")).expect("made");
        for name in [
            "deploy/.aws/taskdef.json",
            "taskdef.json",
            "other.json",
            "node_modules/x/taskdef.json",
        ] {
            fs::write(root.path().join(name), "{}").expect("written");
        }
        fs::write(outside.path().join("taskdef.json"), "{}").expect("written");
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outside.path(), root.path().join("link")).expect("linked");
            std::os::unix::fs::symlink(
                outside.path().join("taskdef.json"),
                root.path().join("deploy/taskdef.json"),
            )
            .expect("linked");
        }
        let found = names(&[root.path()]).expect("two files");
        let shown: Vec<_> = found
            .iter()
            .map(|name| {
                name.strip_prefix(&format!("{}/", root.path().display()))
                    .expect("below the folder")
            })
            .collect();
        assert_eq!(shown, ["deploy/.aws/taskdef.json", "taskdef.json"]);
    }

    #[test]
    fn what_git_ignores_is_passed_over_unless_it_is_named() {
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(root.path().join("cdk.out")).expect("made");
        fs::create_dir_all(root.path().join("deploy/old")).expect("made");
        fs::write(root.path().join(".gitignore"), "cdk.out/\n").expect("written");
        fs::write(root.path().join("deploy/.gitignore"), "old\n").expect("written");
        for name in [
            "cdk.out/taskdef.json",
            "deploy/old/taskdef.json",
            "deploy/taskdef.json",
        ] {
            fs::write(root.path().join(name), "{}").expect("written");
        }
        let found = |word: &str| names(&[&root.path().join(word)]).expect("files").len();
        assert_eq!(found(""), 1);
        assert_eq!(found("**/*.json"), 1);
        assert_eq!(found("cdk.out/taskdef.json"), 1);
        assert_eq!(found("cdk.out"), 1);
    }

    #[test]
    fn a_glob_crosses_folders_only_where_it_says_so_and_a_file_comes_once() {
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(root.path().join("a/b")).expect("made");
        for name in ["a/1.json", "a/b/2.json", "a/3.yaml"] {
            fs::write(root.path().join(name), "{}").expect("written");
        }
        let count = |pattern: &str| names(&[&root.path().join(pattern)]).map(|names| names.len());
        assert_eq!(count("a/*.json").expect("matches"), 1);
        assert_eq!(count("**/*.{json,yaml}").expect("matches"), 3);
        let twice = [root.path().join("a/*.json"), root.path().join("a/1.json")];
        assert_eq!(names(&[&twice[0], &twice[1]]).expect("matches").len(), 1);
    }

    #[test]
    fn nothing_found_is_an_error_that_names_the_word() {
        let root = tempfile::tempdir().expect("a folder");
        for (word, text) in [
            ("no.json", "no file or folder"),
            ("*.json", "no file matches"),
            ("", "no file with a name"),
        ] {
            let error = names(&[&root.path().join(word)]).expect_err("nothing is there");
            assert!(error.message().contains(text), "{error}");
        }
    }

    #[test]
    fn names_have_no_dot_in_front() {
        assert_eq!(with_slashes(Path::new("./a/b.json")), "a/b.json");
        assert_eq!(with_slashes(Path::new(".aws/b.json")), ".aws/b.json");
        assert_eq!(with_slashes(Path::new("../b.json")), "../b.json");
    }
}
