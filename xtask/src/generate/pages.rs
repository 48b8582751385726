//! Documents out of the linter's own structs: a page per rule with a table of them, and the JSON Schemas.

use serde_json::Value;
use soci_lint::RuleInfo;

use super::files::Generated;
use super::types;

/// The pages under `docs/rules`.
pub(super) fn rules() -> Vec<Generated> {
    soci_lint::docs()
        .into_iter()
        .map(|(name, page)| Generated::new(format!("docs/rules/{name}"), format!("{}\n", page.trim_end())))
        .collect()
}

/// The schemas under `docs`, and the TypeScript types made of them.
pub(super) fn schemas() -> Result<Vec<Generated>, String> {
    let report = soci_lint::schema();
    let options = soci_lint::options_schema();
    let rule = schemars::schema_for!(RuleInfo).to_value();
    let mut files = vec![
        Generated::new("docs/report.schema.json", pretty(&report)),
        Generated::new("docs/lint-options.schema.json", pretty(&options)),
    ];
    for (name, what, schema) in [
        ("report", "the report of the linter", &report),
        ("options", "the options of the linter", &options),
        ("rules", "what is known about a rule", &rule),
    ] {
        files.push(Generated::new(
            format!("wasm/types/{name}.ts"),
            types::from_schema(what, schema)?,
        ));
    }
    Ok(files)
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
