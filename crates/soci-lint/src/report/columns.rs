//! Text in lines of so many columns, and tables whose cells are such text.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

use super::terminal;

/// What every terminal has.
pub const COLUMNS: usize = 80;

/// Columns that a text takes in a terminal, letter by letter: few terminals draw letters that are joined into one as
/// one.
pub fn columns(text: &str) -> usize {
    text.chars().filter_map(UnicodeWidthChar::width).sum()
}

/// A text in lines of so many columns, cut between words and escaped for a terminal.
///
/// A longer word stands whole on a line of its own, so that a name or a command can be copied. With `cut` it is cut as
/// well, behind one of `/ : @ , . - _` if there is one.
pub fn wrap(text: &str, width: usize, cut: bool) -> Vec<String> {
    let text = terminal(text);
    let width = width.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    let mut is_first = true;
    for mut word in text.split(' ') {
        let mut length = columns(word);
        if !is_first && used + 1 + length <= width {
            push(&mut lines, " ");
            used += 1;
        } else if !is_first {
            lines.push(String::new());
            used = 0;
        }
        is_first = false;
        while cut && length > width {
            let (piece, rest) = word.split_at(place(word, width));
            push(&mut lines, piece);
            lines.push(String::new());
            word = rest;
            length = columns(word);
        }
        push(&mut lines, word);
        used += length;
    }
    // What was inside of a line is at the beginning of one now, where CI systems look for commands.
    lines.iter().map(|line| terminal(line)).collect()
}

fn push(lines: &mut [String], piece: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(piece);
    }
}

/// Where to cut a word that is longer than `width`, in bytes.
fn place(word: &str, width: usize) -> usize {
    let (mut used, mut hard, mut soft) = (0, 0, 0);
    for (at, c) in word.char_indices() {
        used += c.width().unwrap_or(0);
        // One letter at least, however wide.
        if used > width && at > 0 {
            break;
        }
        hard = at + c.len_utf8();
        if "/:@,.-_".contains(c) {
            soft = hard;
        }
    }
    match soft {
        0 => hard,
        soft => soft,
    }
}

/// How [`table`] writes.
#[derive(Clone, Copy, Default)]
pub struct Shape<'a> {
    /// Blanks before each line.
    pub indent: usize,
    /// Columns that there are.
    pub width: usize,
    /// The columns of the table that hold numbers, which stand on the right.
    pub numbers: &'a [usize],
    /// The colour of a cell, by row and column, as the number of an ANSI escape.
    pub color: Option<&'a dyn Fn(usize, usize) -> Option<u8>>,
}

/// Writes a table whose lines are not longer than there is room: the widest columns give way, and their cells take
/// several lines. Cells are escaped for a terminal.
pub fn table(rows: &[Vec<String>], shape: Shape<'_>, out: &mut String) {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    // How wide each column is, and its longest word, unless that is a long name.
    let (mut widths, mut words) = (vec![0; count], vec![NARROWEST; count]);
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            let cell = terminal(cell);
            widths[at] = columns(&cell).max(widths[at]);
            let longest = cell.split(' ').map(columns).fold(words[at], usize::max);
            words[at] = longest.min(WORD);
        }
    }
    let room = shape
        .width
        .saturating_sub(shape.indent + GAP * widths.len().saturating_sub(1));
    while widths.iter().sum::<usize>() > room {
        let more_than = |least: &dyn Fn(usize) -> usize| {
            let wide = (0..count).filter(|at| widths[*at] > least(*at));
            wide.max_by_key(|at| widths[*at])
        };
        // Words are cut where nothing else helps.
        let Some(at) = more_than(&|at| words[at]).or_else(|| more_than(&|_| NARROWEST)) else {
            break;
        };
        widths[at] -= 1;
    }
    for (at, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths);
        let cells: Vec<Vec<String>> = cells.map(|(cell, width)| wrap(cell, *width, true)).collect();
        for line in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
            let mut blanks = shape.indent;
            for (column, (lines, width)) in cells.iter().zip(&widths).enumerate() {
                let cell = lines.get(line).map_or("", String::as_str);
                let pad = width.saturating_sub(columns(cell));
                let is_number = shape.numbers.contains(&column);
                if !cell.is_empty() {
                    out.extend(std::iter::repeat_n(' ', blanks + if is_number { pad } else { 0 }));
                    blanks = 0;
                    match shape.color.and_then(|color| color(at, column)) {
                        Some(color) => {
                            let _ = write!(out, "\x1b[1;{color}m{cell}\x1b[0m");
                        }
                        None => out.push_str(cell),
                    }
                }
                blanks += GAP + if is_number && !cell.is_empty() { 0 } else { pad };
            }
            out.push('\n');
        }
    }
}

/// Blanks between columns.
const GAP: usize = 2;
/// Longer words are cut as if they were several.
const WORD: usize = 20;
/// No column of a table becomes narrower, however little room there is.
const NARROWEST: usize = 8;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Shape, columns, table, wrap};

    #[test]
    fn words_are_kept_whole_unless_they_may_be_cut() {
        let image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/shop:1";
        let text = format!("look into {image} and see");
        assert_eq!(wrap(&text, 20, false), ["look into", image, "and see"]);
        assert_eq!(
            wrap(&text, 20, true),
            [
                "look into",
                "123456789012.dkr.",
                "ecr.eu-west-1.",
                "amazonaws.com/team/",
                "shop:1 and see"
            ]
        );
        assert_eq!(wrap("", 20, true), [""]);
        assert_eq!(wrap("aaaaaaa", 3, true), ["aaa", "aaa", "a"]);
    }

    #[test]
    fn no_line_becomes_a_command_of_a_ci_system() {
        assert_eq!(wrap("a name ::error::boo", 8, false), ["a name", ": :error::boo"]);
    }

    #[test]
    fn columns_give_way_where_there_is_no_room() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [
            row(["NAME", "BYTES", "WHY"]),
            row([
                "a-service-with-a-long-name",
                "7",
                "because of a reason that takes many words",
            ]),
            row(["b", "12345", "short"]),
        ];
        let mut out = String::new();
        let shape = Shape {
            width: 44,
            numbers: &[1],
            ..Shape::default()
        };
        table(&rows, shape, &mut out);
        insta::assert_snapshot!(out);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_too_long(text in "[a-z/ ]{0,80}", width in 1..40usize) {
            let lines = wrap(&text, width, true);
            prop_assert!(lines.iter().all(|line| columns(line) <= width));
            let bare = |text: &str| text.replace(' ', "");
            prop_assert_eq!(bare(&lines.concat()), bare(&text));
        }

        #[test]
        fn lines_of_a_table_are_as_long_as_they_may(
            rows in prop::collection::vec(prop::collection::vec("[a-z中. -]{0,60}", 4), 1..6),
            width in 40..120usize,
        ) {
            let mut out = String::new();
            table(&rows, Shape { indent: 2, width, numbers: &[1], color: None }, &mut out);
            prop_assert!(out.lines().all(|line| columns(line) <= width), "{}", out);
        }
    }
}
