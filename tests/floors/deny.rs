//! What `deny.toml` says about licences, bans and sources, held without cargo-deny and without a network: over what
//! `Cargo.lock` names. Advisories need a network: `cargo deny check advisories`.

use cargo_metadata::{Metadata, MetadataCommand, Package};

/// The strings of a list in `deny.toml`, as we write it: one a line, or all in one.
fn list(text: &str, key: &str) -> Vec<String> {
    let start = text.find(&format!("\n{key} = [")).expect("the key is there");
    let body = text[start..].split_once('[').expect("it was just found").1;
    let body = body.split_once("\n]").map_or(body, |(body, _)| body);
    let quoted = |line: &str| line.split('"').nth(1).map(str::to_owned);
    body.lines().filter_map(quoted).collect()
}

fn linked() -> Metadata {
    MetadataCommand::new()
        .manifest_path(soci_tests::repository().join("Cargo.toml"))
        .other_options(vec!["--locked".to_owned(), "--offline".to_owned()])
        .exec()
        .expect("cargo metadata runs")
}

fn deny() -> String {
    std::fs::read_to_string(soci_tests::repository().join("deny.toml")).expect("the file is there")
}

/// Whether an SPDX expression can be satisfied: of alternatives one, of several at once each. As crates write them: no
/// brackets deeper than one, `/` for `OR` in old ones.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let expression = expression.replace('/', " OR ");
    let one = |term: &str| {
        allowed
            .iter()
            .any(|licence| licence == term.trim().trim_matches(['(', ')']).trim())
    };
    // `AND` binds more strongly, unless brackets say otherwise.
    let mut parts = Vec::new();
    let mut depth = 0_i32;
    let mut part = String::new();
    for word in expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .split_whitespace()
    {
        match word {
            "(" => depth += 1,
            ")" => depth -= 1,
            "AND" if depth == 0 && !part.is_empty() => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push_str(word);
        part.push(' ');
    }
    parts.push(part);
    let has_top_level_or = |part: &str| !part.contains('(') && part.contains(" OR ");
    match parts.len() > 1 && parts.iter().any(|part| has_top_level_or(part)) {
        // `A OR B AND C`
        true => expression.split(" OR ").any(|way| way.split(" AND ").all(one)),
        false => parts
            .iter()
            .all(|part| part.split(" OR ").any(|way| way.split(" AND ").all(one))),
    }
}

fn foreign(metadata: &Metadata) -> impl Iterator<Item = &Package> {
    metadata
        .packages
        .iter()
        .filter(|package| package.source.is_some())
}

#[test]
fn every_licence_is_one_that_we_allow() {
    let allowed = list(&deny(), "allow");
    assert!(allowed.len() > 5, "{allowed:?}");
    let metadata = linked();
    let odd: Vec<String> = foreign(&metadata)
        .filter(|package| {
            let licence = package.license.as_deref().unwrap_or_default();
            !is_allowed(licence, &allowed)
        })
        .map(|package| format!("{} {}: {:?}", package.name, package.version, package.license))
        .collect();
    assert!(odd.is_empty(), "{}", odd.join("\n"));
    assert!(foreign(&metadata).count() > 100);
}

#[test]
fn nothing_comes_from_elsewhere_than_the_registry() {
    let metadata = linked();
    for package in foreign(&metadata) {
        let source = package.source.as_ref().expect("it is foreign");
        assert!(source.is_crates_io(), "{} comes from {source}", package.name);
    }
}

#[test]
fn what_is_banned_is_not_there() {
    let banned = list(&deny(), "deny");
    assert!(banned.iter().any(|name| name == "openssl-sys"), "{banned:?}");
    let metadata = linked();
    for package in &metadata.packages {
        assert!(
            !banned.iter().any(|name| *name == *package.name),
            "{} is banned",
            package.name
        );
        for dependency in &package.dependencies {
            let is_ours = package.source.is_none() && dependency.path.is_none();
            assert!(
                !(is_ours && dependency.req.to_string() == "*"),
                "{} takes any version of {}",
                package.name,
                dependency.name
            );
        }
    }
}

#[test]
fn expressions_are_read_as_spdx_has_them() {
    let allowed = [
        "MIT",
        "Apache-2.0",
        "Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception",
    ]
    .map(str::to_owned);
    for (expression, wanted) in [
        ("MIT", true),
        ("MIT OR GPL-3.0", true),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0", false),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND OpenSSL", false),
        ("GPL-3.0 OR MIT AND Unicode-3.0", true),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true),
        ("", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), wanted, "{expression}");
    }
}
