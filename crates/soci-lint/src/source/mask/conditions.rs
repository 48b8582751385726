//! Blocks of template languages: they become white space, and what stands between the tags of a condition is noted.

use super::masker::Masker;
use crate::source::TextRange;
use crate::source::blocks::{Block, BlockKind, LONGEST_EXPRESSION, block};
use crate::source::tree::{Arm, LoopRange};

/// A condition whose end has not come yet, or a loop.
pub(super) struct OpenBlock {
    /// Conditions of the arms before this one, which do not hold in it.
    before: Vec<(String, bool)>,
    /// The arm's own condition; `None` after `else`.
    own: Option<String>,
    start: usize,
    is_condition: bool,
    /// Where the head of a loop is written.
    head: Option<TextRange>,
}

impl<'t> Masker<'t> {
    /// Blanks `{% … %}`, `{# … #}`, `%{ … }` and the mustache and Go blocks (`{{#if}}`, `{{ end }}`). Says
    /// whether one stood here.
    pub(super) fn template_block(&mut self) -> bool {
        let Some(found) = self.block_here() else {
            return false;
        };
        let start = self.at;
        self.blank(start + found.len);
        self.nest(found, start);
        true
    }

    fn block_here(&mut self) -> Option<Block<'t>> {
        let close = match self.bytes.get(self.at..self.at + 2)? {
            b"{%" => "%}",
            b"{#" => "#}",
            b"%{" => "}",
            b"{{" => "}}",
            _ => return None,
        };
        self.next_close(close, self.at + 2)?;
        block(&self.text[self.at..])
    }

    /// Keeps account of what stands between the tags of a condition.
    fn nest(&mut self, block: Block<'t>, start: usize) {
        let end = start + block.len;
        match block.kind {
            BlockKind::Alone => {}
            BlockKind::If(condition) if self.open.len() < MOST_NESTED => self.open.push(OpenBlock {
                before: Vec::new(),
                own: Some(shorten(condition)),
                start: end,
                is_condition: true,
                head: None,
            }),
            BlockKind::If(_) | BlockKind::Opens | BlockKind::For(_) => {
                let head = match block.kind {
                    BlockKind::For(head) => self.text[start..end]
                        .find(head)
                        .map(|at| TextRange::new(start + at, start + at + head.len())),
                    _ => None,
                };
                self.open.push(OpenBlock {
                    before: Vec::new(),
                    own: None,
                    start: end,
                    is_condition: false,
                    head,
                });
            }
            BlockKind::ElseIf(_) | BlockKind::Else => {
                let Some(mut open) = self.open.pop() else {
                    return;
                };
                self.close(&open, start);
                if let Some(own) = open.own.take()
                    && open.before.len() < MOST_ARMS
                {
                    open.before.push((own, false));
                }
                if let BlockKind::ElseIf(condition) = block.kind {
                    open.own = Some(shorten(condition));
                }
                open.start = end;
                self.open.push(open);
            }
            BlockKind::End => {
                if let Some(open) = self.open.pop() {
                    self.close(&open, start);
                }
            }
        }
    }

    fn close(&mut self, open: &OpenBlock, end: usize) {
        if let Some(head) = open.head
            && self.loops.len() < MOST_CONDITIONS
        {
            let range = TextRange::new(open.start, end);
            self.loops.push(LoopRange { range, head });
        }
        if open.is_condition && self.arms.len() < MOST_CONDITIONS {
            let own = open.own.iter().map(|own| (own.clone(), true));
            self.arms.push(Arm {
                range: TextRange::new(open.start, end),
                when: open.before.iter().cloned().chain(own).collect(),
            });
        }
    }

    /// Turns `{% if x %}"a"{% else %}"b"{% endif %}` in the place of one value into a JSON string of the same
    /// length. Says whether one stood here.
    pub(super) fn choice_of_values(&mut self) -> bool {
        let start = self.at;
        if !self.text[..start].trim_end().ends_with(':') {
            return false;
        }
        let Some(Block {
            kind: BlockKind::If(_),
            ..
        }) = self.block_here()
        else {
            return false;
        };
        let mut depth = 0usize;
        let mut at = start;
        while at < start + LONGEST_EXPRESSION {
            let Some(found) = self.text[at..].find(['{', '%']) else {
                return false;
            };
            at += found;
            let Some(found) = block(&self.text[at..]) else {
                at += 1;
                continue;
            };
            at += found.len;
            match found.kind {
                BlockKind::If(_) | BlockKind::For(_) | BlockKind::Opens => depth += 1,
                BlockKind::End => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        if depth > 0 || self.text[start..at].contains('\n') {
            return false;
        }
        self.fill(start, at, b'_');
        self.out[start] = b'"';
        self.out[at - 1] = b'"';
        self.holes.push(TextRange::new(start, at));
        self.at = at;
        true
    }
}

/// Conditions nested deeper than this, and arms of one condition beyond this, are not told apart.
const MOST_NESTED: usize = 64;
const MOST_ARMS: usize = 16;
const MOST_CONDITIONS: usize = 1000;

/// A condition as it may be quoted.
fn shorten(condition: &str) -> String {
    crate::source::json::shorten(condition)
}
