//! Progress on stderr: a bar per layer on a terminal, plain lines otherwise.
//!
//! Any thread may report. A piece of work is `begin`, any number of `advance`, `end`.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{HumanBytes, HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::escape;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgressMode {
    /// Bars on a terminal, lines otherwise.
    Auto,
    /// Lines.
    Plain,
    /// Nothing.
    None,
}

/// Where progress goes.
pub struct Progress {
    shown: Shown,
}

enum Shown {
    Bars(MultiProgress),
    Lines(Mutex<()>),
    Nothing,
}

/// One piece of work in progress.
pub struct Task<'a> {
    progress: &'a Progress,
    label: String,
    total: Option<u64>,
    done: AtomicU64,
    started: Instant,
    last_line: Mutex<Instant>,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Bars only if stderr is a terminal.
    pub fn new(mode: ProgressMode) -> Self {
        let shown = match mode {
            ProgressMode::None => Shown::Nothing,
            ProgressMode::Auto if std::io::stderr().is_terminal() => Shown::Bars(
                MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)),
            ),
            ProgressMode::Auto | ProgressMode::Plain => Shown::Lines(Mutex::new(())),
        };
        Self { shown }
    }

    /// Begins a piece of work over `total` bytes; `label` may be foreign text.
    pub fn begin(&self, label: &str, total: Option<u64>) -> Task<'_> {
        let label = escape::terminal(label).into_owned();
        let bar = match &self.shown {
            Shown::Bars(bars) => Some(bars.add(new_bar(&label, total))),
            _ => None,
        };
        let now = Instant::now();
        Task {
            progress: self,
            label,
            total,
            done: AtomicU64::new(0),
            started: now,
            last_line: Mutex::new(now),
            bar,
        }
    }

    /// Runs `print` while no bar is on the screen.
    pub fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.shown {
            Shown::Bars(bars) => bars.suspend(print),
            _ => print(),
        }
    }

    fn line(&self, text: &str) {
        if let Shown::Lines(lock) = &self.shown {
            let _one_at_a_time = lock.lock();
            // A stderr that is gone leaves nobody to tell.
            let _ = writeln!(anstream::stderr().lock(), "{text}");
        }
    }
}

impl Task<'_> {
    /// `bytes` more are done.
    pub fn advance(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            return;
        }
        if matches!(self.progress.shown, Shown::Lines(_))
            && let Ok(mut last) = self.last_line.try_lock()
            && last.elapsed() >= LINE_INTERVAL
        {
            *last = Instant::now();
            self.progress.line(&self.state(done));
        }
    }

    /// The work is over; `outcome` (our own words) stays on the screen. An empty one leaves no trace.
    pub fn end(self, outcome: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            if !outcome.is_empty() {
                let text = format!("{}: {outcome}", self.label);
                self.progress.suspend(|| {
                    let _ = writeln!(anstream::stderr().lock(), "{text}");
                });
            }
        } else if !outcome.is_empty() {
            let seconds = self.started.elapsed().as_secs_f64();
            self.progress
                .line(&format!("{}: {outcome} ({seconds:.1} s)", self.label));
        }
    }

    /// `sha256:4d3f…: 12.00 MiB of 40.00 MiB, 25.00 MiB/s, 1 second left`
    fn state(&self, done: u64) -> String {
        let seconds = self.started.elapsed().as_secs_f64().max(0.001);
        let rate = done as f64 / seconds;
        let mut text = format!("{}: {}", self.label, HumanBytes(done));
        if let Some(total) = self.total {
            text.push_str(&format!(" of {}", HumanBytes(total)));
        }
        text.push_str(&format!(", {}/s", HumanBytes(rate as u64)));
        if let Some(total) = self.total
            && rate >= 1.0
            && total > done
        {
            let left = Duration::from_secs_f64((total - done) as f64 / rate);
            text.push_str(&format!(", {} left", HumanDuration(left)));
        }
        text
    }
}

impl Drop for Task<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar
            && !bar.is_finished()
        {
            bar.finish_and_clear();
        }
    }
}

/// Plain lines come at most this often per layer.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

fn new_bar(label: &str, total: Option<u64>) -> ProgressBar {
    let template = match total {
        Some(_) => "{prefix:24!} {wide_bar} {bytes:>11}/{total_bytes:11} {bytes_per_sec:>13} {eta:>4}",
        None => "{prefix:24!} {spinner} {bytes:>11} {bytes_per_sec:>13}",
    };
    let style = ProgressStyle::with_template(template).expect("the template above is well formed");
    // Hidden until it is added to the others: a bar draws itself where its target is at once, and what was drawn
    // outside the group is never taken away again.
    ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden())
        .with_style(style)
        .with_prefix(Cow::Owned(label.to_owned()))
}
