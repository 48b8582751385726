//! Tables on stdout: aligned for a terminal, or Markdown to paste into docs.

/// How results are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Markdown,
}

impl Format {
    /// The title of what follows.
    pub(super) fn title(self, title: &str) {
        match self {
            Self::Text => println!("\n{title}"),
            Self::Markdown => println!("\n### {title}\n"),
        }
    }

    /// A sentence.
    pub(super) fn note(self, text: &str) {
        match self {
            Self::Text => println!("{text}"),
            Self::Markdown => println!("\n{text}"),
        }
    }

    /// Rows of cells; the first column is text and the others are numbers.
    pub(super) fn table(self, head: &[&str], rows: &[Vec<String>]) {
        match self {
            Self::Text => text(head, rows),
            Self::Markdown => {
                println!("| {} |", head.join(" | "));
                let numbers = " ---: |".repeat(head.len().saturating_sub(1));
                println!("| --- |{numbers}");
                for row in rows {
                    println!("| {} |", row.join(" | "));
                }
            }
        }
    }
}

fn text(head: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let print = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (column, (cell, width)) in cells.zip(&widths).enumerate() {
            let room = " ".repeat(width.saturating_sub(cell.chars().count()));
            if column == 0 {
                line.push_str(cell);
                line.push_str(&room);
            } else {
                line.push_str("  ");
                line.push_str(&room);
                line.push_str(cell);
            }
        }
        println!("{}", line.trim_end());
    };
    print(&mut head.iter().copied());
    for row in rows {
        print(&mut row.iter().map(String::as_str));
    }
}
