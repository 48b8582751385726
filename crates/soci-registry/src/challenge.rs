//! `WWW-Authenticate` fields: which ways to log in a registry offers (RFC 9110 §11).

use crate::origin::Origin;
use crate::transport::Headers;
use crate::wire::Answer;

/// What a registry itself says about logging in to it.
///
/// A challenge counts only if it comes from the registry's own origin: whoever a download or an upload was redirected
/// to could otherwise name a place of its own for the password.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnChallenges(Vec<Challenge>);

impl OwnChallenges {
    /// The challenges of an answer; `None` if somebody else than `own` gave it.
    pub(crate) fn of<B>(own: &Origin, answer: &Answer<B>) -> Option<Self> {
        (answer.origin == *own).then(|| Self::read(&answer.headers))
    }

    fn read(headers: &Headers) -> Self {
        Self(challenges(headers.all("www-authenticate")))
    }

    /// Whether nothing is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one to meet: a token leaves the password at home, so bearer goes first where both are offered.
    pub(crate) fn preferred(&self) -> Option<&Challenge> {
        let is_bearer = |one: &&Challenge| matches!(one, Challenge::Bearer { .. });
        self.0.iter().find(is_bearer).or(self.0.first())
    }
}

/// One challenge with the parameters that a registry client uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// User and password with every request.
    Basic,
    /// A token from another place.
    Bearer {
        /// Where tokens are fetched; an absolute address.
        realm: String,
        /// The name of the registry at the token server.
        service: Option<String>,
        /// What the refused request needs, as the registry sees it.
        scope: Option<String>,
    },
}

/// Longest field that is read; longer ones offer nothing that we know.
const MAX_LENGTH: usize = 8 * 1024;

/// Reads all challenges of all fields; unknown schemes and broken rests are left out.
fn challenges<'a>(fields: impl Iterator<Item = &'a str>) -> Vec<Challenge> {
    let mut found = Vec::new();
    for field in fields.filter(|field| field.len() <= MAX_LENGTH) {
        read_field(field, &mut found);
    }
    found
}

/// One field may hold several challenges, separated by the same comma as their parameters.
fn read_field(field: &str, found: &mut Vec<Challenge>) {
    let mut rest = field;
    let mut scheme = String::new();
    let mut parameters: Vec<(String, String)> = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find(|c: char| !is_token(c)).unwrap_or(rest.len());
        if end == 0 {
            break;
        }
        let word = rest[..end].to_ascii_lowercase();
        let after = &rest[end..];
        let value_start = after.trim_start_matches([' ', '\t']);
        match value_start.strip_prefix('=') {
            // `name = value` belongs to the challenge that is open. A token68 (`Basic abc==`) in
            // this place is not a parameter that we know, and does no harm.
            Some(value) => {
                let Some((value, tail)) = read_value(value.trim_start_matches([' ', '\t'])) else {
                    break;
                };
                parameters.push((word, value));
                rest = tail;
            }
            None => {
                close(&scheme, &mut parameters, found);
                scheme = word;
                rest = after;
            }
        }
    }
    close(&scheme, &mut parameters, found);
}

fn close(scheme: &str, parameters: &mut Vec<(String, String)>, found: &mut Vec<Challenge>) {
    let mut take = |name: &str| {
        let at = parameters.iter().position(|(have, _)| have == name)?;
        Some(parameters.swap_remove(at).1)
    };
    match scheme {
        "basic" => found.push(Challenge::Basic),
        "bearer" => {
            if let Some(realm) = take("realm") {
                let (service, scope) = (take("service"), take("scope"));
                found.push(Challenge::Bearer {
                    realm,
                    service,
                    scope,
                });
            }
        }
        _ => {}
    }
    parameters.clear();
}

/// A token or a quoted string; `None` where a quote does not end.
fn read_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}

fn is_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(field: &str) -> Vec<Challenge> {
        challenges([field].into_iter())
    }

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.into(),
            service: service.map(Into::into),
            scope: scope.map(Into::into),
        }
    }

    #[test]
    fn real_registries_are_understood() {
        assert_eq!(
            read(
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/alpine:pull""#
            ),
            [bearer(
                "https://auth.docker.io/token",
                Some("registry.docker.io"),
                Some("repository:library/alpine:pull")
            )]
        );
        assert_eq!(
            read(
                r#"Basic realm="https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr.amazonaws.com""#
            ),
            [Challenge::Basic]
        );
        // A comma inside a quoted scope, blanks around the equals sign, no quotes.
        assert_eq!(
            read(r#"BEARER realm = https://a/t , scope="repository:a:pull,push repository:b:pull""#),
            [bearer(
                "https://a/t",
                None,
                Some("repository:a:pull,push repository:b:pull")
            )]
        );
        assert_eq!(
            read(r#"Negotiate, Basic realm="x\"y", Bearer realm="https://a""#),
            [Challenge::Basic, bearer("https://a", None, None)]
        );
    }

    #[test]
    fn broken_fields_offer_what_can_be_read() {
        assert_eq!(read(""), []);
        assert_eq!(read(",,, =\"\""), []);
        assert_eq!(read("Bearer service=\"x\""), []);
        assert_eq!(read("Basic abc=="), [Challenge::Basic]);
        assert_eq!(read("Basic realm=\"never ends"), [Challenge::Basic]);
        assert_eq!(read(&format!("Basic realm=\"{}\"", "x".repeat(MAX_LENGTH))), []);
    }

    proptest::proptest! {
        #[test]
        fn reading_never_panics(field in "[ -~äß]{0,80}") {
            read(&field);
        }
    }
}
