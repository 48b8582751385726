//! Lists that registries give page by page: all pages of one registry, within bounds.
//!
//! A page names the next one by `Link: <…>; rel="next"` (RFC 8288), as in
//! <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags> (checked 2026-11-29).

use crate::DOCUMENT_LIMIT;
use crate::client::Call;
use crate::error::RegistryError;
use crate::repository::{Repository, identity};
use crate::transport::{Headers, Method, Transport};
use crate::url::Url;

impl<T: Transport> Repository<T> {
    /// Hands the bytes of each page to `take`, from the one at `first` on.
    ///
    /// # Errors
    /// Whatever asking or `take` gives; and pages without end, that take too long all together, or that lead to
    /// another host, which would be sent this registry's login.
    pub(crate) async fn pages(
        &self,
        first: Url,
        accept: &str,
        what: &str,
        take: &mut dyn FnMut(&[u8]) -> Result<(), RegistryError>,
    ) -> Result<(), RegistryError> {
        let limits = self.client.options().limits;
        let begun = self.client.wire().transport.now();
        let mut url = first;
        for page in 0..limits.pages {
            let passed = self.client.wire().transport.now().saturating_sub(begun);
            if passed > limits.document_time {
                return Err(RegistryError::TooSlow {
                    host: self.host.name.clone(),
                    what: what.to_owned(),
                    problem: format!("{page} pages took {} s", passed.as_secs()),
                });
            }
            let call = Call {
                url: url.clone(),
                headers: vec![("accept", accept.to_owned()), identity()],
                ..self.call(Method::Get, "", what)?
            };
            let (headers, bytes) = self.document(&call, DOCUMENT_LIMIT).await?;
            take(&bytes)?;
            let Some(link) = next_page(&headers) else {
                return Ok(());
            };
            url = url.join(&link).map_err(|source| RegistryError::Address {
                host: self.host.name.clone(),
                who: "the Link to the next page",
                source,
            })?;
            if !url.same_origin(&self.host.base) {
                return Err(self.protocol(what, "the next page is at another host"));
            }
        }
        Err(self.protocol(what, format!("more than {} pages", limits.pages)))
    }
}

/// The target of `Link: <…>; rel="next"`.
fn next_page(headers: &Headers) -> Option<String> {
    headers
        .all("link")
        .flat_map(|field| field.split(','))
        .find_map(|link| {
            let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
            let is_next = parameters.split(';').any(|parameter| {
                let parameter = parameter.trim().to_ascii_lowercase();
                parameter == "rel=next" || parameter == "rel=\"next\""
            });
            is_next.then(|| target.to_owned())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_links() {
        let read = |text: &str| {
            let mut headers = Headers::default();
            headers.push("Link", text);
            next_page(&headers)
        };
        assert_eq!(
            read("</v2/a/referrers/x?n=1>; rel=\"next\"").as_deref(),
            Some("/v2/a/referrers/x?n=1")
        );
        assert_eq!(
            read("<a>; rel=prev, <b>; title=x; REL=next").as_deref(),
            Some("b")
        );
        assert_eq!(read("<a>; rel=prev"), None);
        assert_eq!(read("a; rel=next"), None);
    }
}
