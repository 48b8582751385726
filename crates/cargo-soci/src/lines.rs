//! Reports for a terminal, in lines that are not longer than it is wide.

use soci_lint::columns::{self, Shape};

/// A report as it is written, for so many columns.
pub struct Lines {
    text: String,
    width: usize,
}

impl Lines {
    /// An empty one.
    pub fn new(width: usize) -> Self {
        Self {
            text: String::new(),
            width,
        }
    }

    /// Adds a text in as many lines as it takes; those behind the first begin further in. It is escaped for a
    /// terminal. A word that is longer than a line stays whole, so that it can be copied.
    pub fn add(&mut self, indent: usize, text: &str) {
        self.paint(indent, text, &|line| line.to_owned());
    }

    /// The same, with colours for the first line.
    pub fn paint(&mut self, indent: usize, text: &str, paint: &dyn Fn(&str) -> String) {
        let width = self.width.saturating_sub(indent + FURTHER);
        for (at, line) in columns::wrap(text, width, false).iter().enumerate() {
            let line = match at {
                0 => format!("{:indent$}{}", "", paint(line)),
                _ => format!("{:indent$}{:FURTHER$}{line}", "", ""),
            };
            self.as_it_is(line.trim_end());
        }
    }

    /// Adds a line as it is: a command, which nobody could copy in two pieces. Escaping is up to the caller.
    pub fn as_it_is(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Adds an empty line.
    pub fn gap(&mut self) {
        self.text.push('\n');
    }

    /// Adds a table; the columns in `numbers` stand on the right.
    pub fn table(&mut self, indent: usize, numbers: &[usize], rows: &[Vec<String>]) {
        let shape = Shape {
            indent,
            width: self.width,
            numbers,
            color: None,
        };
        columns::table(rows, shape, &mut self.text);
    }

    /// The report.
    pub fn finish(self) -> String {
        self.text
    }
}

/// How far lines behind the first begin further in.
const FURTHER: usize = 2;

/// A row of a table.
pub fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}
