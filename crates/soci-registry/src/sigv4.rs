//! AWS Signature Version 4 for one kind of request: a POST without a query.
//!
//! The algorithm is at <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
//! (checked 2026-11-24). Signed are all header fields that are passed in, plus `x-amz-date` and, with
//! temporary credentials, `x-amz-security-token`.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// AWS credentials, long-lived or temporary.
#[derive(Clone, Debug)]
pub struct AwsCredentials {
    /// The access key id; no secret, but enough to name an account in a message, so it is not printed.
    pub access_key_id: Secret,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The token of temporary credentials.
    pub session_token: Option<Secret>,
}

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub struct SignedPost<'a> {
    /// The region of the credential scope.
    pub region: &'a str,
    /// The signing name of the service, `ecr`.
    pub service: &'a str,
    /// The path, already in its wire form; `/` for ECR.
    pub path: &'a str,
    /// Header fields to sign, names in lower case, `host` among them.
    pub headers: &'a [(&'static str, String)],
    /// The body.
    pub body: &'a [u8],
}

/// The header fields that a request needs besides its own: `x-amz-date`, perhaps
/// `x-amz-security-token`, and `authorization`.
pub fn sign(
    post: &SignedPost<'_>,
    credentials: &AwsCredentials,
    now: Duration,
) -> Vec<(&'static str, String)> {
    let stamp = timestamp(now);
    let day = &stamp[..8];
    let mut added = vec![("x-amz-date", stamp.clone())];
    if let Some(token) = &credentials.session_token {
        added.push(("x-amz-security-token", token.expose().to_owned()));
    }
    let mut signed: Vec<(&str, &str)> = post
        .headers
        .iter()
        .chain(&added)
        .map(|(name, value)| (*name, value.trim()))
        .collect();
    signed.sort_unstable();

    let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let fields: String = signed
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let canonical = format!(
        "POST\n{}\n\n{fields}\n{names}\n{}",
        post.path,
        hex(&Sha256::digest(post.body))
    );

    let scope = format!("{day}/{}/{}/aws4_request", post.region, post.service);
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}",
        hex(&Sha256::digest(canonical.as_bytes()))
    );
    let first = format!("AWS4{}", credentials.secret_access_key.expose());
    let key = [day, post.region, post.service, "aws4_request"]
        .iter()
        .fold(first.into_bytes(), |key, part| hmac(&key, part.as_bytes()));
    let signature = hex(&hmac(&key, to_sign.as_bytes()));
    added.push((
        "authorization",
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            credentials.access_key_id.expose()
        ),
    ));
    added
}

fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `YYYYMMDDTHHMMSSZ` of a time since 1970.
fn timestamp(now: Duration) -> String {
    let seconds = now.as_secs();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!(
        "{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// The date of a day counted from 1970-01-01, Gregorian.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years that begin in March put the leap day last; 719,468 days lie between 0000-03-01 and 1970.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(session_token: Option<&str>) -> AwsCredentials {
        AwsCredentials {
            access_key_id: Secret::new("AKIDEXAMPLE"),
            secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: session_token.map(Secret::new),
        }
    }

    /// `post-vanilla` and `post-x-www-form-urlencoded` of AWS' own signature test suite.
    #[test]
    fn the_published_vectors_are_met() {
        let at = Duration::from_secs(1_440_938_160); // 2015-08-30T12:36:00Z
        let host = ("host", "example.amazonaws.com".to_owned());
        let headers = [host.clone()];
        let post = SignedPost {
            region: "us-east-1",
            service: "service",
            path: "/",
            headers: &headers,
            body: b"",
        };
        assert_eq!(
            sign(&post, &credentials(None), at),
            [
                ("x-amz-date", "20150830T123600Z".to_owned()),
                (
                    "authorization",
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                     SignedHeaders=host;x-amz-date, \
                     Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
                        .to_owned()
                )
            ]
        );
        let headers = [
            host,
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ];
        let post = SignedPost {
            headers: &headers,
            body: b"Param1=value1",
            ..post
        };
        assert!(
            sign(&post, &credentials(None), at)[1]
                .1
                .ends_with("Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a")
        );
    }

    #[test]
    fn a_session_token_is_signed_too() {
        let headers = [("host", "example.amazonaws.com".to_owned())];
        let post = SignedPost {
            region: "us-east-1",
            service: "ecr",
            path: "/",
            headers: &headers,
            body: b"{}",
        };
        let added = sign(&post, &credentials(Some("TOKEN")), Duration::from_secs(0));
        assert_eq!(added[1], ("x-amz-security-token", "TOKEN".to_owned()));
        assert!(
            added[2]
                .1
                .contains("SignedHeaders=host;x-amz-date;x-amz-security-token,")
        );
    }

    #[test]
    fn dates_follow_the_calendar() {
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (951_868_800, "20000301T000000Z"),
            (1_709_164_800, "20240229T000000Z"),
            (1_795_478_400, "20261124T000000Z"),
            (4_107_542_400, "21000301T000000Z"),
        ] {
            assert_eq!(timestamp(Duration::from_secs(seconds)), text);
        }
    }
}
