//! Whether an image that a document names is the one that was just made.

use soci_image::{Digest, Reference};

/// The image that was just made.
#[derive(Debug)]
pub struct Named {
    /// Its names: those that it has, or gets once it is pushed.
    pub names: Vec<Reference>,
    /// Its digest.
    pub digest: Option<Digest>,
    /// Whether it is in its registries.
    pub is_pushed: bool,
}

/// What a name means.
#[derive(Debug, PartialEq, Eq)]
pub enum Meant {
    /// The image that was made.
    It,
    /// That image, if this is so.
    Assumed(String),
    /// An image of the same repository or of the same name, and what tells it apart.
    Near(String),
    /// Something else.
    Another,
}

/// Compares a name, in which a template may fill in parts, with the image that was made.
pub fn meant(image: &str, built: &Named) -> Meant {
    let pattern = with_stars(image);
    if pattern.contains('*') {
        let fits = |name: &&Reference| fits(&pattern, name);
        return match built.names.iter().find(fits) {
            Some(name) => Meant::Assumed(format!("`{image}` is filled in as {name}, which was just built")),
            None => Meant::Another,
        };
    }
    let Ok(named) = Reference::parse(image) else {
        return Meant::Another;
    };
    let mut near = Meant::Another;
    for name in &built.names {
        if named.repository() != name.repository() {
            continue;
        }
        if named.registry() != name.registry() {
            if near == Meant::Another {
                near = Meant::Near(format!("another registry than that of {name}"));
            }
            continue;
        }
        match (named.digest(), &built.digest) {
            (Some(digest), Some(built)) if digest == built => return Meant::It,
            (Some(_), _) => near = Meant::Near(format!("another digest than that of {name}")),
            (None, _) if named.tag_or_latest() == name.tag_or_latest() => {
                return match built.is_pushed {
                    true => Meant::It,
                    false => Meant::Assumed(format!("what was just built is pushed as {name}")),
                };
            }
            (None, _) => near = Meant::Near(format!("another tag than that of {name}")),
        }
    }
    near
}

/// Whether a name with holes can be this one. The repository has to be there as it is: a hole alone can be anything.
fn fits(pattern: &str, name: &Reference) -> bool {
    let Some((registry, path)) = pattern.split_once('/') else {
        return false;
    };
    let Some(rest) = path.strip_prefix(name.repository()) else {
        return false;
    };
    let tag = format!(":{}", name.tag_or_latest().unwrap_or("latest"));
    let rest_fits = match rest {
        "" => tag == ":latest",
        // The digest that is filled in is that of the image.
        "@*" | "@sha256:*" => true,
        rest => rest.starts_with([':', '*']) && soci_lint::fits(rest, &tag),
    };
    rest_fits && soci_lint::fits(&registry.to_lowercase(), name.registry())
}

/// The name with `*` for each part that a template fills in: `${X}`, `{{ x }}`, `<X>`, `%s`, `$X`.
fn with_stars(image: &str) -> String {
    let mut out = String::new();
    let mut rest = image;
    while let Some(c) = rest.chars().next() {
        match hole(rest) {
            Some(length) => {
                out.push('*');
                rest = &rest[length..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

/// The length of the hole that a text begins with.
fn hole(text: &str) -> Option<usize> {
    for (open, close) in [("${", "}"), ("{{", "}}"), ("<", ">")] {
        if text.starts_with(open) {
            return text.find(close).map(|at| at + close.len());
        }
    }
    let word = |text: &str| {
        let is_of_it = |c: char| c.is_ascii_alphanumeric() || c == '_';
        text.find(|c| !is_of_it(c)).unwrap_or(text.len())
    };
    match text.strip_prefix('$') {
        Some(name) if word(name) > 0 => Some(1 + word(name)),
        _ => text.starts_with("%s").then_some(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:198bfacec9d1b149702f430a650284b016b7047d3b183d8b07b09a5933025a18";
    const ECR: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

    fn built(is_pushed: bool) -> Named {
        Named {
            names: vec![Reference::parse(&format!("{ECR}/team/app:1.4")).expect("a name")],
            digest: Some(DIGEST.parse().expect("a digest")),
            is_pushed,
        }
    }

    fn word(image: &str, is_pushed: bool) -> &'static str {
        match meant(image, &built(is_pushed)) {
            Meant::It => "it",
            Meant::Assumed(_) => "assumed",
            Meant::Near(_) => "near",
            Meant::Another => "another",
        }
    }

    #[test]
    fn the_reference_that_was_made_is_it() {
        for image in [
            format!("{ECR}/team/app:1.4"),
            format!("{ECR}/team/app@{DIGEST}"),
            format!("{ECR}/team/app:old@{DIGEST}"),
        ] {
            assert_eq!(word(&image, true), "it", "{image}");
        }
        // A tag names it once it is there; a digest always does.
        assert_eq!(word(&format!("{ECR}/team/app:1.4"), false), "assumed");
        assert_eq!(word(&format!("{ECR}/team/app@{DIGEST}"), false), "it");
    }

    #[test]
    fn another_tag_digest_or_registry_is_another_image() {
        let other = DIGEST.replace("198b", "298b");
        for image in [
            format!("{ECR}/team/app:1.3"),
            format!("{ECR}/team/app:latest"),
            format!("{ECR}/team/app"),
            format!("{ECR}/team/app:1.4@{other}"),
            "210987654321.dkr.ecr.eu-west-1.amazonaws.com/team/app:1.4".to_owned(),
        ] {
            assert_eq!(word(&image, true), "near", "{image}");
        }
        for image in ["team/app2:1.4", "nginx", "", "app:1.4"] {
            assert_eq!(word(image, true), "another", "{image}");
        }
    }

    #[test]
    fn what_a_template_fills_in_is_assumed_where_the_rest_fits() {
        for image in [
            format!("{ECR}/team/app:${{Tag}}"),
            format!("{ECR}/team/app:{{{{ tag }}}}"),
            format!("{ECR}/team/app:$TAG"),
            format!("{ECR}/team/app:<TAG>"),
            format!("{ECR}/team/app:1.%s"),
            format!("{ECR}/team/app@${{DIGEST}}"),
            "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/team/app:1.4".to_owned(),
            "${REGISTRY}/team/app:${TAG}".to_owned(),
        ] {
            assert_eq!(word(&image, true), "assumed", "{image}");
        }
        for image in [
            "${IMAGE}".to_owned(),
            "${REPOSITORY}:1.4".to_owned(),
            format!("{ECR}/${{REPOSITORY}}:1.4"),
            format!("{ECR}/team/app:2.%s"),
            format!("{ECR}/team/app-worker:${{TAG}}"),
            "${AWS::AccountId}.dkr.ecr.us-east-1.amazonaws.com/team/app:1.4".to_owned(),
            "${REGISTRY}/team/app:1.3".to_owned(),
        ] {
            assert_eq!(word(&image, true), "another", "{image}");
        }
    }
}
