//! What runs on AWS, as data: clusters, services, task definitions and tasks of Amazon ECS.
//!
//! [`running`] reads what others have printed, [`queue_url`] what a queue is called by; neither does I/O. `account`, a feature that is off by default, asks AWS
//! itself, by its own SDK, over HTTP that the caller gives.
#![forbid(unsafe_code)]

#[cfg(feature = "account")]
pub mod account;
pub mod arn;
pub mod moment;
pub mod queue_url;
pub mod running;
