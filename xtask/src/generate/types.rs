//! TypeScript types out of JSON Schemas.
//!
//! The schemas come from Rust structs, so only what `schemars` writes for those has to be read: objects,
//! arrays, maps, references, options, and enums with or without docs. Anything else is an error here,
//! not an `any` there.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The types of `schema`: its root first, then its definitions by name. `what` is for the first line.
pub(crate) fn from_schema(what: &str, schema: &Value) -> Result<String, String> {
    let root = schema
        .as_object()
        .ok_or_else(|| format!("the schema of {what} is not an object"))?;
    let mut text = format!("// Types of {what}. Generated from the Rust structs by `cargo xtask gen`.\n");
    declare(&mut text, name_of(root)?, root)?;
    if let Some(definitions) = root.get("$defs").and_then(Value::as_object) {
        for (name, definition) in definitions {
            let definition = definition
                .as_object()
                .ok_or_else(|| format!("$defs.{name} is not an object"))?;
            declare(&mut text, name, definition)?;
        }
    }
    Ok(text)
}

fn name_of(root: &Map<String, Value>) -> Result<&str, String> {
    root.get("title")
        .and_then(Value::as_str)
        .ok_or_else(|| "the schema has no title".to_owned())
}

fn declare(text: &mut String, name: &str, schema: &Map<String, Value>) -> Result<(), String> {
    text.push('\n');
    comment(text, schema, "");
    if schema.contains_key("properties") {
        let _ = writeln!(text, "export interface {name} {}", object(schema, "")?);
    } else {
        let _ = writeln!(text, "export type {name} = {};", expression(schema, "")?);
    }
    Ok(())
}

fn object(schema: &Map<String, Value>, indent: &str) -> Result<String, String> {
    let deeper = format!("{indent}  ");
    let required: Vec<&str> = list(schema, "required")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let mut text = "{\n".to_owned();
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        // `true` allows anything.
        let anything = Map::new();
        let property = match property {
            Value::Bool(true) => &anything,
            Value::Object(property) => property,
            _ => return Err(format!("property {name} is not a schema")),
        };
        comment(&mut text, property, &deeper);
        let optional = if required.contains(&name.as_str()) {
            ""
        } else {
            "?"
        };
        let key = key(name);
        let _ = writeln!(
            text,
            "{deeper}{key}{optional}: {};",
            expression(property, &deeper)?
        );
    }
    let _ = write!(text, "{indent}}}");
    Ok(text)
}

fn expression(schema: &Map<String, Value>, indent: &str) -> Result<String, String> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return reference
            .strip_prefix("#/$defs/")
            .map(str::to_owned)
            .ok_or_else(|| format!("cannot follow the reference {reference}"));
    }
    if let Some(constant) = schema.get("const") {
        return Ok(constant.to_string());
    }
    if schema.contains_key("enum") {
        let words: Vec<String> = list(schema, "enum").iter().map(Value::to_string).collect();
        return Ok(words.join(" | "));
    }
    for union in ["oneOf", "anyOf"] {
        if schema.contains_key(union) {
            let members = list(schema, union).iter().map(|member| {
                let member = member
                    .as_object()
                    .ok_or_else(|| format!("a member of {union} is not an object"))?;
                expression(member, indent)
            });
            return Ok(members.collect::<Result<Vec<_>, String>>()?.join(" | "));
        }
    }
    match schema.get("type") {
        Some(Value::String(kind)) => simple(kind, schema, indent),
        Some(Value::Array(kinds)) => {
            let members = kinds
                .iter()
                .filter_map(Value::as_str)
                .map(|kind| simple(kind, schema, indent));
            Ok(members.collect::<Result<Vec<_>, String>>()?.join(" | "))
        }
        None if schema.keys().all(|key| ANNOTATIONS.contains(&key.as_str())) => Ok("unknown".to_owned()),
        _ => Err(format!(
            "no type for the schema {}",
            Value::Object(schema.clone())
        )),
    }
}

/// Keywords that restrict nothing.
const ANNOTATIONS: &[&str] = &["default", "description", "title"];

fn simple(kind: &str, schema: &Map<String, Value>, indent: &str) -> Result<String, String> {
    Ok(match kind {
        "string" | "boolean" | "null" => kind.to_owned(),
        "integer" | "number" => "number".to_owned(),
        "array" => {
            let item = schema
                .get("items")
                .and_then(Value::as_object)
                .ok_or("an array without items")?;
            let item = expression(item, indent)?;
            if item.contains(" | ") {
                format!("({item})[]")
            } else {
                format!("{item}[]")
            }
        }
        "object" => match schema.get("additionalProperties").and_then(Value::as_object) {
            Some(values) => format!("Record<string, {}>", expression(values, indent)?),
            None => object(schema, indent)?,
        },
        other => return Err(format!("no TypeScript type for {other}")),
    })
}

fn comment(text: &mut String, schema: &Map<String, Value>, indent: &str) {
    let Some(description) = schema.get("description").and_then(Value::as_str) else {
        return;
    };
    let description = description.replace("*/", "*\\/");
    let lines: Vec<&str> = description.lines().collect();
    if let [line] = lines[..] {
        let _ = writeln!(text, "{indent}/** {line} */");
        return;
    }
    let _ = writeln!(text, "{indent}/**");
    for line in lines {
        let _ = writeln!(text, "{}", format!("{indent} * {line}").trim_end());
    }
    let _ = writeln!(text, "{indent} */");
}

fn key(name: &str) -> String {
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_');
    if plain {
        name.to_owned()
    } else {
        format!("{name:?}")
    }
}

fn list<'a>(schema: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    schema
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::from_schema;

    #[test]
    fn structs_options_enums_and_maps_become_types() {
        let schema = json!({
            "title": "Report",
            "description": "All of it.",
            "type": "object",
            "required": ["findings"],
            "properties": {
                "findings": { "type": "array", "items": { "$ref": "#/$defs/Finding" } },
                "help": { "type": ["string", "null"], "description": "What to do.\n\nIn full." },
                "by-name": { "type": "object", "additionalProperties": { "type": "integer" } },
                "value": true,
                "range": { "anyOf": [{ "$ref": "#/$defs/Level" }, { "type": "null" }] },
            },
            "$defs": {
                "Finding": { "type": "object", "properties": { "code": { "type": "string" } }, "required": ["code"] },
                "Level": { "oneOf": [{ "const": "error", "description": "Bad." }, { "enum": ["warning", "info"] }] },
            },
        });
        let types = from_schema("a test", &schema).expect("these are all known");
        assert_eq!(
            types,
            "\
// Types of a test. Generated from the Rust structs by `cargo xtask gen`.

/** All of it. */
export interface Report {
  \"by-name\"?: Record<string, number>;
  findings: Finding[];
  /**
   * What to do.
   *
   * In full.
   */
  help?: string | null;
  range?: Level | null;
  value?: unknown;
}

export interface Finding {
  code: string;
}

export type Level = \"error\" | \"warning\" | \"info\";
"
        );
    }

    #[test]
    fn what_has_no_type_is_an_error() {
        let schema = json!({ "title": "Report", "type": "object", "properties": { "any": { "not": {} } } });
        assert!(from_schema("a test", &schema).is_err());
    }
}
