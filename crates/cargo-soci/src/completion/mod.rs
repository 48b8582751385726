//! Completion: `docker __complete soci …` and `cargo-soci __complete …` are answered from the definition of the
//! command line; the scripts for shells beside this file ask so too.
//!
//! The form is cobra's: a candidate per line, its description after a tab, and last a line with a
//! directive: `:4` for "no file names", `:0` for "file names as well"
//! (<https://pkg.go.dev/github.com/spf13/cobra#ShellCompDirective>, read 2026-11-24).

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::Command;
use clap_complete::Shell;

use crate::cli;
use crate::escape;
use crate::exit::Exit;
use crate::invocation::Caller;

/// The script of a shell for which there is one of our own: it knows `cargo soci` as well.
pub fn script(shell: Shell) -> Option<&'static str> {
    match shell {
        Shell::Bash => Some(include_str!("bash.sh")),
        Shell::Zsh => Some(include_str!("zsh.zsh")),
        Shell::Fish => Some(include_str!("fish.fish")),
        _ => None,
    }
}

/// Prints the candidates for the last of `words`.
pub fn answer(caller: Caller, words: &[OsString]) -> Exit {
    let mut command = cli::command(caller);
    command.build();
    let words: Vec<String> = words
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    print!("{}", candidates(&command, &words));
    Exit::Done
}

fn candidates(root: &Command, words: &[String]) -> String {
    let (last, before) = match words.split_last() {
        Some((last, before)) => (last.as_str(), before),
        None => ("", &[][..]),
    };
    let mut command = root;
    // How many words of the command there are that are neither flags nor their values.
    let mut positionals = 0;
    let mut waiting = None;
    let mut only_positionals = false;
    for word in before {
        if waiting.take().is_some() {
            continue;
        }
        if word == "--" && !only_positionals {
            only_positionals = true;
        } else if word.starts_with('-') && word.len() > 1 && !only_positionals {
            waiting = flag_with_value(command, word);
        } else if let (Some(below), false) = (command.find_subcommand(word), only_positionals) {
            command = below;
        } else {
            positionals += 1;
        }
    }
    let mut answer = String::new();
    if let Some(flag) = waiting {
        return values(flag, "", last);
    }
    if let Some((name, begun)) = last.split_once('=')
        && let Some(flag) = flag_with_value(command, name)
    {
        return values(flag, &format!("{name}="), begun);
    }
    if last.starts_with('-') && !only_positionals {
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            if let Some(long) = argument.get_long().map(|long| format!("--{long}"))
                && long.starts_with(last)
            {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                push(&mut answer, &long, &help);
            }
        }
        answer.push_str(":4\n");
        return answer;
    }
    let verbs = command
        .get_subcommands()
        .filter(|below| !below.is_hide_set() && positionals == 0);
    for below in verbs {
        if below.get_name().starts_with(last) {
            let about = below.get_about().map(ToString::to_string).unwrap_or_default();
            push(&mut answer, below.get_name(), &about);
        }
    }
    let several = |argument: &&clap::Arg| {
        argument
            .get_num_args()
            .is_some_and(|range| range.max_values() > 1)
    };
    let argument = command
        .get_positionals()
        .nth(positionals)
        .or(command.get_positionals().last().filter(several));
    if let Some(argument) = argument {
        for value in argument.get_possible_values() {
            if value.get_name().starts_with(last) {
                push(&mut answer, value.get_name(), "");
            }
        }
    }
    // With nothing of our own to offer, a file name is what fits.
    answer.push_str(if answer.is_empty() { ":0\n" } else { ":4\n" });
    answer
}

fn flag_with_value<'a>(command: &'a Command, word: &str) -> Option<&'a clap::Arg> {
    let is_named = |argument: &&clap::Arg| match (word.strip_prefix("--"), word.strip_prefix('-')) {
        (Some(long), _) => {
            argument.get_long() == Some(long)
                || argument.get_all_aliases().is_some_and(|all| all.contains(&long))
        }
        (None, Some(short)) => short.chars().eq(argument.get_short()),
        (None, None) => false,
    };
    command
        .get_arguments()
        .filter(|argument| argument.get_action().takes_values())
        .find(is_named)
}

fn values(flag: &clap::Arg, prefix: &str, begun: &str) -> String {
    let mut answer = String::new();
    for value in flag.get_possible_values() {
        if value.get_name().starts_with(begun) {
            let help = value.get_help().map(ToString::to_string).unwrap_or_default();
            push(&mut answer, &format!("{prefix}{}", value.get_name()), &help);
        }
    }
    answer.push_str(if flag.get_possible_values().is_empty() {
        ":0\n"
    } else {
        ":4\n"
    });
    answer
}

fn push(answer: &mut String, word: &str, description: &str) {
    let first_line = description.lines().next().unwrap_or_default();
    if first_line.is_empty() {
        writeln!(answer, "{word}").expect("writing to a string never fails");
    } else {
        writeln!(answer, "{word}\t{}", escape::terminal(first_line))
            .expect("writing to a string never fails");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(words: &[&str]) -> String {
        let mut command = cli::command(Caller::Docker);
        command.build();
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        candidates(&command, &words)
    }

    #[test]
    fn verbs_come_with_their_description() {
        let answer = complete(&["comp"]);
        assert_eq!(answer, "completions\tPrint a completion script for a shell\n:4\n");
    }

    #[test]
    fn flags_and_their_values() {
        assert!(complete(&["completions", "--for"]).starts_with("--format\tFormat of the report: "));
        assert!(complete(&["--format", "j"]).starts_with("json\t"));
        assert!(complete(&["--format=j"]).starts_with("--format=json\t"));
        assert_eq!(complete(&["completions", "ba"]), "bash\n:4\n");
        assert!(complete(&["convert", "-p", "x", "--tag-model", ""]).starts_with("replace\nsibling\n"));
        assert!(complete(&["ztoc", "build", "--comp"]).starts_with("--compression\t"));
        // A value is not a verb, and a word behind the last argument is nothing of ours.
        assert!(complete(&["--format", "lint", "ver"]).starts_with("verify\t"));
        assert_eq!(complete(&["convert", "-p", ""]), ":0\n");
        assert_eq!(complete(&["completions", "bash", "z"]), ":0\n");
        assert_eq!(complete(&["convert", "--", "--for"]), ":0\n");
    }

    #[test]
    fn no_words_and_unknown_words_do_no_harm() {
        assert!(complete(&[]).contains("completions\t"));
        assert_eq!(complete(&["nothing-like-it"]), ":0\n");
    }
}
