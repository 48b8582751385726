//! `docs/cli.md`, made from the definition of the command line.

use std::fmt::Write as _;

use clap::{Arg, Command};

use crate::cli;
use crate::exit::Exit;
use crate::invocation::Caller;

/// The whole page.
pub fn markdown() -> String {
    let mut root = cli::command(Caller::Cargo);
    root.build();
    let mut page = String::from(INTRODUCTION);
    page.push_str("\n## Exit codes\n\n| code | meaning |\n|---|---|\n");
    for (exit, meaning) in Exit::ALL {
        put(&mut page, format_args!("| {} | {meaning} |", exit.code()));
    }
    page.push_str("\n## Options of every command\n\n");
    options(
        &mut page,
        root.get_arguments().filter(|argument| argument.is_global_set()),
    );
    for verb in root.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        command(&mut page, verb, "cargo soci", 2);
    }
    page
}

fn command(page: &mut String, verb: &Command, parents: &str, level: usize) {
    let name = format!("{parents} {}", verb.get_name());
    put(page, format_args!("\n{} {name}\n", "#".repeat(level)));
    if let Some(about) = verb.get_long_about().or_else(|| verb.get_about()) {
        put(page, format_args!("{}\n", sentence(&about.to_string())));
    }
    if !verb.has_subcommands() {
        let usage = verb.clone().bin_name(&name).render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").trim();
        put(page, format_args!("    {}\n", usage.replace('\n', "\n    ")));
    }
    options(
        page,
        verb.get_arguments()
            .filter(|argument| !argument.is_global_set() && argument.get_id() != "help"),
    );
    if let Some(after) = verb.get_after_help() {
        put(
            page,
            format_args!("\n```text\n{}\n```", after.to_string().trim_end()),
        );
    }
    for below in verb.get_subcommands().filter(|below| !below.is_hide_set()) {
        command(page, below, &name, level + 1);
    }
}

fn options<'a>(page: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    for argument in arguments.filter(|argument| !argument.is_hide_set()) {
        let help = argument
            .get_long_help()
            .or_else(|| argument.get_help())
            .map(ToString::to_string)
            .unwrap_or_default();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        put(page, format_args!("* `{}`: {help}", spelling(argument)));
        let values = argument.get_possible_values();
        if argument.get_action().takes_values() && !values.is_empty() {
            let names: Vec<String> = values
                .iter()
                .filter(|value| !value.is_hide_set())
                .map(|value| format!("`{}`", value.get_name()))
                .collect();
            put(page, format_args!("  ({})", names.join(", ")));
        }
    }
}

fn spelling(argument: &Arg) -> String {
    let mut names = Vec::new();
    if let Some(short) = argument.get_short() {
        names.push(format!("-{short}"));
    }
    if let Some(long) = argument.get_long() {
        names.push(format!("--{long}"));
    }
    let mut text = names.join(", ");
    if argument.get_action().takes_values() {
        let value = argument
            .get_value_names()
            .and_then(|names| names.first())
            .map_or_else(
                || argument.get_id().to_string().to_uppercase(),
                ToString::to_string,
            );
        text = if text.is_empty() {
            value
        } else {
            format!("{text} {value}")
        };
    }
    text
}

fn sentence(text: &str) -> String {
    if text.ends_with('.') {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

fn put(page: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(page, "{line}").expect("writing to a string never fails");
}

const INTRODUCTION: &str = "\
# Commands

<!-- Made by `cargo xtask gen` from the definition of the command line; edit that instead. -->

The same commands answer to `cargo soci`, to `docker soci` (once `cargo soci docker install` has put the plugin in its place)
and to `cargo-soci`. Only `build` differs: `cargo soci build` takes what to build from the configuration, `docker soci build`
hands its arguments to `docker buildx build`.

stdout carries exactly one thing: the report, or with `-q` the digest. All else goes to stderr.
";
