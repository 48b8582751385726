//! Any bytes as what Lambda calls the function with.

use soci_image::{EcrHost, Reference};
use soci_lambda::event::{Call, Request};

/// Read without a panic; what names an image names the same once more, and a push one in a registry of ECR.
pub(crate) fn event(bytes: &[u8]) {
    let Ok(event) = serde_json::from_slice(bytes) else {
        return;
    };
    match Call::read(&event) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(Call::One(request)) => check(&request),
        Ok(Call::Batch(messages)) => {
            let number = event["Records"].as_array().map_or(0, Vec::len);
            assert_eq!(messages.len(), number);
            messages
                .iter()
                .filter_map(|message| message.request.as_ref().ok())
                .for_each(check);
        }
    }
}

fn check(request: &Request) {
    let image = match request {
        Request::Other(_) => return,
        Request::Image { image, .. } => image,
        Request::Push { image, .. } => {
            let host = EcrHost::parse(image.registry()).expect("a registry of ECR");
            assert_eq!(host.to_string(), image.registry());
            assert!(image.tag().is_some());
            image
        }
    };
    assert!(image.digest().is_none() && image.has_explicit_registry());
    let again = Reference::parse(&image.to_string()).expect("it was read before");
    assert_eq!(again.to_string(), image.to_string());
}
