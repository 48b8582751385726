//! Files that a search found by their names and that are something else: nothing is said about them.

use std::collections::BTreeSet;

use super::{FileReport, Report};
use crate::kind::Kind;
use crate::names::says_what_it_is;
use crate::table::Table;

/// Rules about files that are broken or not rendered.
const BROKEN: [&str; 3] = ["syntax-error", "template-not-rendered", "unreadable-file"];

impl Report {
    /// Leaves out the files for which `by_name` holds and that are none of the kinds that are read. A file
    /// that is broken or an unrendered template stays if its name says that it is one of ours. Configuration
    /// of other things that is in order is left out too.
    pub fn leave_out_other_files(&mut self, by_name: impl Fn(&str) -> bool) {
        let mut said = Table::<&str, bool>::default();
        for finding in &self.findings {
            let broken = BROKEN.contains(&finding.name.as_str()) && says_what_it_is(&finding.file);
            *said.or_insert(&finding.file, false) |= broken;
        }
        let is_other = |file: &FileReport| match file.kind {
            _ if !by_name(&file.path) || said.get(file.path.as_str()) == Some(&true) => false,
            Kind::Terraform => file.tasks.is_empty() && said.get(file.path.as_str()).is_none(),
            Kind::Template => !says_what_it_is(&file.path),
            kind => !kind.is_read(),
        };
        let mut other = BTreeSet::new();
        for file in self.files.iter().filter(|file| is_other(file)) {
            other.insert(file.path.clone());
        }
        if other.is_empty() {
            return;
        }
        self.files.retain(|file| !other.contains(&file.path));
        self.findings.retain(|finding| !other.contains(&finding.file));
        self.summary = super::Summary::of(&self.files, &self.findings, self.summary.suppressed);
    }
}

#[cfg(test)]
mod tests {
    use crate::{Input, Options, lint};

    #[test]
    fn only_files_that_are_something_else_are_left_out() {
        let input = |path: &str, text: &str| Input {
            path: path.to_owned(),
            bytes: text.as_bytes().to_vec(),
        };
        let files = [
            input("a/template.json", r#"{"Resources": {}, "name": "x"}"#),
            input("b/taskdef.json", r#"{"family": "#),
            input("c/template.yaml", "something: else\n"),
            input("named.yaml", "something: else\n"),
        ];
        let mut report = lint(&files, &Options::default());
        let before = report.summary.clone();
        report.leave_out_other_files(|path| path.contains('/'));
        let paths: Vec<&str> = report.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["a/template.json", "b/taskdef.json", "named.yaml"]);
        assert!(
            report
                .findings
                .iter()
                .all(|finding| finding.file != "c/template.yaml")
        );
        assert_eq!(report.summary.files, before.files - 1);
        assert!(report.summary.errors + report.summary.warnings + report.summary.infos > 0);
    }
}
