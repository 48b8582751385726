//! What is left of an image when a call's time is up: into the queue, with what is done.

use soci_aws::account::{Account, AccountOptions, Reach};
use soci_aws::queue_url::QueueUrl;
use soci_registry::NativeClient;
use soci_store::workflow::{Options, Progress};

use crate::event::{Request, Resume};
use crate::image;
use crate::record::Outcome;

/// Calls after another that may get no further, before it is an error: no call has the time for what comes next.
const FRUITLESS: u64 = 3;

/// Hands over what is left.
pub fn hand_over(
    request: &Request,
    progress: &Progress,
    client: &NativeClient,
    queue: Option<&QueueUrl>,
    reach: &Reach,
) -> Outcome {
    match try_to(request, progress, client, queue, reach) {
        Ok(outcome) => outcome,
        Err(reason) => Outcome::Failed { reason },
    }
}

fn try_to(
    request: &Request,
    progress: &Progress,
    client: &NativeClient,
    queue: Option<&QueueUrl>,
    reach: &Reach,
) -> Result<Outcome, String> {
    let layers = progress.layers() as u64;
    let up = format!("the time was up with {layers} layers done");
    let Some(queue) = queue else {
        return Err(format!(
            "{up}; without SOCI_QUEUE_URL the next attempt begins the image again"
        ));
    };
    let image = image::name(request).ok_or_else(|| up.clone())?;
    let before = match request {
        Request::Image { resume, .. } => resume.as_ref(),
        _ => None,
    };
    // What was taken up from an earlier call counts among the layers.
    let is_further = layers > before.map_or(0, |before| before.layers);
    let fruitless = match is_further {
        true => 0,
        false => before.map_or(0, |before| before.fruitless) + 1,
    };
    if fruitless >= FRUITLESS {
        return Err(format!(
            "{up}, and {fruitless} calls after another got no further: a layer needs more time or memory than a call has"
        ));
    }
    let index = match is_further {
        true => progress
            .leave(client, image, Options::BUILD_TOOL)
            .map_err(|error| format!("{up}, and what is done could not be left in the registry: {error}"))?,
        false => before.and_then(|before| before.index.clone()),
    };
    let resume = Resume {
        index,
        layers: layers.max(before.map_or(0, |before| before.layers)),
        fruitless,
    };
    let rest = request.rest(&resume).ok_or_else(|| up.clone())?;
    let account = Account::reach(&AccountOptions::default(), reach);
    let message = account
        .and_then(|account| account.send_message(queue.as_str(), &rest.to_string()))
        .map_err(|error| format!("{up}, and the rest could not be put into the queue: {error}"))?;
    Ok(Outcome::Continued { message, layers })
}
