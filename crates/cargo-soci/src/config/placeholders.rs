//! `{name}`, `{version}` and `{git-sha}` in image names.

use super::ConfigError;
use super::keys;
use super::project::Project;

/// Fills the placeholders of `template` in.
pub(super) fn fill(
    template: &str,
    project: &Project,
    git_sha: &impl Fn() -> Result<String, ConfigError>,
) -> Result<String, ConfigError> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((word, after)) = after.split_once('}') else {
            return Err(ConfigError::new(format!("`{{` without `}}` in {template:?}")));
        };
        match word {
            "name" => filled.push_str(known(word, project.name.as_deref())?),
            // A tag holds no `+`; Helm and others write the build metadata of a version this way too.
            "version" => filled.push_str(&known(word, project.version.as_deref())?.replace('+', "_")),
            "git-sha" => filled.push_str(&git_sha()?),
            _ => {
                let error = ConfigError::new(format!("unknown placeholder {{{word}}} in {template:?}"));
                return Err(match keys::nearest(word, PLACEHOLDERS.iter().copied()) {
                    Some(meant) => error.help(format!("did you mean {{{meant}}}?")),
                    None => error.help("{name}, {version} and {git-sha} are known"),
                });
            }
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn known<'a>(word: &str, value: Option<&'a str>) -> Result<&'a str, ConfigError> {
    value.ok_or_else(|| {
        ConfigError::new(format!(
            "{{{word}}} needs a Cargo package, and there is none here"
        ))
        .help("write the name out, or use {git-sha}")
    })
}

const PLACEHOLDERS: [&str; 3] = ["name", "version", "git-sha"];
