//! Values and defaults in the help of every command, from the one table of settings.
//!
//! A flag that sets a key has that key's words and default: help, completion, man pages and the checks of the command
//! line cannot differ from `docs/configuration.md`.

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command};

use crate::config::keys::{KEYS, Key, Kind};

/// The same command with what the table of settings knows in the help of its flags.
pub(crate) fn complete(command: Command) -> Command {
    command.mut_args(with_setting).mut_subcommands(complete)
}

fn with_setting(argument: Arg) -> Arg {
    let Some(key) = argument.get_long().and_then(key_of) else {
        return argument;
    };
    let is_plain_text = argument.get_possible_values().is_empty() && argument.get_default_values().is_empty();
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let argument = match key.kind {
        Kind::Choice(words) if is_plain_text => {
            argument.value_parser(PossibleValuesParser::new(words.iter().copied()))
        }
        _ => argument,
    };
    if !is_plain_text || key.default.is_empty() || help.contains("efault") {
        return argument;
    }
    argument.help(format!("{help} [default: {}]", key.default))
}

/// The key that a flag sets: `--platform` is `platforms`, `--fail-on` is `lint.fail-on`.
fn key_of(flag: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| {
        let name = key.name.rsplit('.').next().unwrap_or(key.name);
        name == flag || name.strip_suffix('s') == Some(flag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;
    use crate::invocation::Caller;

    fn walk(command: &Command, path: &str, look: &mut impl FnMut(&str, &Arg)) {
        for argument in command.get_arguments() {
            look(path, argument);
        }
        for below in command.get_subcommands() {
            walk(below, &format!("{path} {}", below.get_name()), look);
        }
    }

    #[test]
    fn every_flag_with_a_default_says_it_and_every_choice_its_words() {
        let mut command = cli::command(Caller::Direct);
        command.build();
        let mut seen = 0;
        walk(&command, "", &mut |path, argument| {
            let Some(key) = argument.get_long().and_then(key_of) else {
                return;
            };
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            let shown = argument.get_default_values();
            assert!(
                key.default.is_empty() || help.to_lowercase().contains("default: ") || !shown.is_empty(),
                "{path} --{}: no default in {help:?}",
                key.name
            );
            // A flag without a value is one of its words.
            if let Kind::Choice(words) = key.kind
                && argument.get_action().takes_values()
            {
                let values = argument.get_possible_values();
                let values: Vec<&str> = values
                    .iter()
                    .map(clap::builder::PossibleValue::get_name)
                    .collect();
                assert_eq!(values, words, "{path} --{}", key.name);
            }
            seen += 1;
        });
        assert!(
            seen > 30,
            "only {seen} flags of settings: this test looks at the wrong commands"
        );
    }

    #[test]
    fn no_flag_has_its_default_or_its_words_in_two_places() {
        let mut command = cli::command(Caller::Direct);
        command.build();
        walk(&command, "", &mut |path, argument| {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            let times = help.to_lowercase().matches("default: ").count();
            let shown = usize::from(
                !argument.get_default_values().is_empty() && argument.get_action().takes_values(),
            );
            assert!(times + shown <= 1, "{path} {}: {help}", argument.get_id());
        });
    }
}
