//! Files that a search found by their names and that are something else: nothing is said about them.

use std::collections::HashSet;

use super::Report;
use crate::kind::Kind;
use crate::rules::syntax_error::SYNTAX_ERROR;
use crate::rules::template_not_rendered::TEMPLATE_NOT_RENDERED;
use crate::rules::unreadable_file::UNREADABLE;

impl Report {
    /// Leaves out the files for which `by_name` holds and that are none of the kinds that are read. A file
    /// that is broken or an unrendered template stays: its name was right.
    pub fn leave_out_other_files(&mut self, by_name: impl Fn(&str) -> bool) {
        let said: HashSet<&str> = [SYNTAX_ERROR.code, UNREADABLE.code, TEMPLATE_NOT_RENDERED.code].into();
        let broken: HashSet<String> = self
            .findings
            .iter()
            .filter(|finding| said.contains(finding.code.as_str()))
            .map(|finding| finding.file.clone())
            .collect();
        let other: HashSet<String> = self
            .files
            .iter()
            .filter(|file| by_name(&file.path) && !file.kind.is_read() && file.kind != Kind::Template)
            .filter(|file| !broken.contains(&file.path))
            .map(|file| file.path.clone())
            .collect();
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
