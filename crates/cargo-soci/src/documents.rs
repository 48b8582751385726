//! From the words of `cargo soci lint` to documents: what is found on this disk, read and checked.

use std::cell::Cell;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use soci_lint::{By, DiscoverError, Disk, Entry, EntryKind, Fixed, Found, Input, Options, Report};

use crate::beside::OnDisk;
use crate::causes::{self, AtPath};
use crate::error::CommandError;

/// The documents of a run.
pub struct Documents {
    found: Vec<Found>,
    inputs: Vec<Input>,
}

impl Documents {
    /// Finds and reads what the words name. `stdin` is asked before `-` is read.
    pub fn read(
        words: &[String],
        stdin: impl FnOnce() -> Result<(), CommandError>,
    ) -> Result<Self, CommandError> {
        let found = find(words)?;
        if found.iter().any(|found| found.path == "-") {
            stdin()?;
        }
        let inputs: Result<_, CommandError> = found.iter().map(input).collect();
        Ok(Self {
            inputs: inputs?,
            found,
        })
    }

    /// Checks them; gives the report, and the files beside them that were read for it.
    pub fn lint(&self, options: &Options) -> (Report, Vec<Input>) {
        let beside = self.beside(options);
        let mut report = soci_lint::lint_beside(&self.inputs, &beside, options);
        self.leave_out(&mut report);
        (report, beside.into_read())
    }

    /// Makes the changes that the findings offer, in memory; gives the documents as they are then, the report on
    /// those, and the files beside them that were read for it.
    pub fn mend(&self, options: &Options) -> (Fixed, Vec<Input>) {
        let beside = self.beside(options);
        let mut fixed = soci_lint::fix_beside(&self.inputs, &beside, options);
        self.leave_out(&mut fixed.report);
        (fixed, beside.into_read())
    }

    fn beside(&self, options: &Options) -> OnDisk {
        OnDisk::new(&self.inputs)
            .searched(self.found_by(|by| by != By::Word))
            .named(&options.var_files)
    }

    /// What a search found by its name may turn out to be something else.
    fn leave_out(&self, report: &mut Report) {
        let by_name: HashSet<String> = self.found_by(|by| by == By::Name).collect();
        report.leave_out_other_files(|path| by_name.contains(path));
    }

    fn found_by(&self, wanted: fn(By) -> bool) -> impl Iterator<Item = String> {
        let found = self.found.iter().filter(move |found| wanted(found.by));
        found.map(|found| found.path.clone())
    }

    /// The documents themselves.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The documents themselves, for the snippets of a report.
    pub fn into_inputs(self) -> Vec<Input> {
        self.inputs
    }
}

/// All files that the words name, each once.
fn find(words: &[String]) -> Result<Vec<Found>, CommandError> {
    let words: Vec<String> = words.iter().map(|word| with_slashes(word)).collect();
    let disk = Folders::default();
    soci_lint::discover(&words, &disk).map_err(|error| {
        let told = match (&error, disk.failed.take()) {
            (DiscoverError::Unreadable { folder, .. }, Some(cause)) => {
                return causes::of_file("read", at(folder), &cause);
            }
            _ => CommandError::usage(error.to_string()),
        };
        match error.help() {
            Some(help) => told.help(help),
            None => told,
        }
    })
}

fn input(found: &Found) -> Result<Input, CommandError> {
    let bytes = match found.path.as_str() {
        "-" => limited(std::io::stdin().lock()),
        path => File::open(path).and_then(limited),
    };
    Ok(Input {
        path: found.path.clone(),
        bytes: bytes.at("read", &found.path)?,
    })
}

/// One byte more than the linter takes is enough for it to say so.
fn limited(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader
        .take(soci_lint::MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The folders of this machine.
#[derive(Default)]
struct Folders {
    /// Why a folder could not be read.
    failed: Cell<Option<io::Error>>,
}

impl Disk for Folders {
    fn here(&self) -> Option<String> {
        let here = std::env::current_dir().ok()?;
        Some(with_slashes(&here.to_string_lossy()))
    }

    fn kind(&self, path: &str) -> Option<EntryKind> {
        fs::metadata(at(path)).ok().map(|found| kind(found.file_type()))
    }

    fn entries(&self, folder: &str) -> Result<Vec<Entry>, String> {
        let read = || -> io::Result<Vec<Entry>> {
            fs::read_dir(at(folder))?
                .map(|entry| {
                    let entry = entry?;
                    Ok(Entry {
                        name: entry.file_name().to_string_lossy().into_owned(),
                        kind: kind(entry.file_type()?),
                    })
                })
                .collect()
        };
        read().map_err(|error| {
            let reason = error.to_string();
            self.failed.set(Some(error));
            reason
        })
    }

    fn text(&self, path: &str) -> Option<String> {
        let bytes = File::open(at(path)).and_then(limited).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn at(path: &str) -> &Path {
    Path::new(if path.is_empty() { "." } else { path })
}

fn kind(found: fs::FileType) -> EntryKind {
    if found.is_file() {
        EntryKind::File
    } else if found.is_dir() {
        EntryKind::Folder
    } else {
        EntryKind::Other
    }
}

/// A path with `/` between its parts.
fn with_slashes(path: &str) -> String {
    match cfg!(windows) {
        true => path.replace('\\', "/"),
        false => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(words: &[&Path]) -> Result<Vec<String>, CommandError> {
        let words: Vec<String> = words
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        Ok(find(&words)?.into_iter().map(|found| found.path).collect())
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
}
