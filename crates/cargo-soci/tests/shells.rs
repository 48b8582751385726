//! Completion in real shells on a pseudo terminal, manual pages through `man`, and what progress bars leave behind.
#![cfg(all(unix, feature = "real-tools"))]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use cargo_soci::cli;
use cargo_soci::invocation::Caller;
use soci_tests::images::MadeImage;
use support::Place;
use support::terminal::{Terminal, written};

/// A place with this program on its PATH, and a `cargo` that knows nothing of it.
fn place() -> Place {
    let mut place = Place::new();
    fs::create_dir_all(place.join("bin")).expect("a folder");
    symlink(env!("CARGO_BIN_EXE_cargo-soci"), place.join("bin/cargo-soci")).expect("a link");
    place.prepend_path(&place.join("bin"));
    place.write("image.tar", "");
    place
}

/// The words of a command line after its tabs were pressed: the shell itself writes them down.
fn completed(shell: &[&str], setting_up: &[&str], lines: &[&str]) -> Vec<String> {
    let place = place();
    let mut terminal = Terminal::start(&place.program(Path::new(shell[0]), &shell[1..]));
    for line in setting_up {
        terminal.keys(line);
        terminal.keys("\r");
    }
    terminal.keys("echo rea''dy\r");
    terminal.shows("ready");
    let mut seen = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let file = format!("words-{number}");
        // A pause as a person makes it: shells take what comes at once for a paste, in which a tab is a tab.
        for part in line.split_inclusive('\t') {
            let (keys, tab) = match part.strip_suffix('\t') {
                Some(keys) => (keys, true),
                None => (part, false),
            };
            terminal.keys(keys);
            std::thread::sleep(std::time::Duration::from_millis(300));
            if tab {
                terminal.keys("\t");
                std::thread::sleep(std::time::Duration::from_millis(1200));
            }
        }
        // To the beginning of the line and back to its end.
        terminal.keys("\x01printf '%s|' \x05 > tmp; echo >> tmp; mv tmp ");
        terminal.keys(&file);
        terminal.keys("\r");
        seen.push(written(&place.join(&file), &terminal).trim_end().to_owned());
    }
    seen
}

const LINES: [&str; 6] = [
    "cargo-soci conv\timage.t\t--tag-mod\tsib\t",
    "cargo soci conv\t--if-n\tpa\timag\t",
    "cargo soci ztoc bui\t--compr\tunc\t",
    "cargo soci --format=js\tver\t",
    "cargo so\tinsp\t",
    "cargo +1.95.0 soci compl\tfi\t",
];

const COMPLETED: [&str; 6] = [
    "cargo-soci|convert|image.tar|--tag-model|sibling|",
    "cargo|soci|convert|--if-nothing-to-index|pass|image.tar|",
    "cargo|soci|ztoc|build|--compression|uncompressed|",
    "cargo|soci|--format=json|verify|",
    "cargo|soci|inspect|",
    "cargo|+1.95.0|soci|completions|fish|",
];

#[test]
fn bash_completes() {
    let set_up = ["PS1='$ '", "eval \"$(cargo-soci completions bash)\""];
    assert_eq!(
        completed(&["bash", "--norc", "--noprofile", "-i"], &set_up, &LINES),
        COMPLETED
    );
}

#[test]
fn zsh_completes() {
    let set_up = [
        "PS1='$ '",
        "autoload -Uz compinit && compinit -u -D",
        "eval \"$(cargo-soci completions zsh)\"",
    ];
    assert_eq!(completed(&["zsh", "-f", "-i"], &set_up, &LINES), COMPLETED);
}

#[test]
fn fish_completes() {
    let set_up = ["cargo-soci completions fish | source"];
    assert_eq!(
        completed(&["fish", "--no-config", "--private", "-i"], &set_up, &LINES),
        COMPLETED
    );
}

#[test]
fn cargos_own_completion_in_bash_stays() {
    let set_up = [
        "PS1='$ '; _cargo() { COMPREPLY=(bench); }; complete -F _cargo cargo",
        "eval \"$(cargo-soci completions bash)\"; eval \"$(cargo-soci completions bash)\"",
    ];
    let lines = ["cargo ben\t", "cargo soci lin\t"];
    let seen = completed(&["bash", "--norc", "--noprofile", "-i"], &set_up, &lines);
    assert_eq!(seen, ["cargo|bench|", "cargo|soci|lint|"]);
}

#[test]
fn manual_pages_are_rendered_without_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    clap_mangen::generate_to(cli::command(Caller::Direct), folder.path()).expect("pages");
    let pages: Vec<_> = fs::read_dir(folder.path()).expect("pages").flatten().collect();
    assert!(pages.len() > 15, "only {} pages", pages.len());
    for page in pages {
        let output = Command::new("man")
            .args(["--warnings", "--local-file"])
            .arg(page.path())
            .env("LC_ALL", "C.UTF-8")
            .env("MANWIDTH", "80")
            .env("MANPAGER", "cat")
            .output()
            .expect("man is installed by `cargo xtask setup`");
        let warnings = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && warnings.is_empty(),
            "{}: {warnings}",
            page.path().display()
        );
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("SYNOPSIS"), "{}: {text}", page.path().display());
    }
}

#[test]
fn no_bar_is_left_on_the_screen() {
    let place = Place::new();
    let layers: Vec<(u64, usize)> = (0..4).map(|seed| (seed, 12 << 20)).collect();
    MadeImage::new(&layers).write_layout(&place.join("image"), "app");
    let words = [
        "convert",
        "./image",
        "image-soci.tar",
        "--color=never",
        "--jobs=2",
    ];
    let mut terminal = Terminal::start(&place.command(&words));
    assert!(terminal.ended().success(), "{}", terminal.screen());
    let screen = terminal.screen();
    let lines: Vec<&str> = screen.lines().collect();
    assert_eq!(
        lines.iter().filter(|line| line.ends_with(": indexed")).count(),
        4,
        "{screen}"
    );
    for line in &lines {
        let is_bar = ["\u{2588}", "\u{2591}", "/s", "##", " 0s", "ETA"]
            .iter()
            .any(|mark| line.contains(mark));
        assert!(!is_bar, "a bar is left: {line:?} in\n{screen}");
    }
    assert!(
        lines.iter().all(|line| !line.is_empty()),
        "an empty line is left:\n{screen}"
    );
}
