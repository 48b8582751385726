//! What runs on AWS, as data: clusters, services, task definitions and tasks of Amazon ECS.
//!
//! [`running`] reads what others have printed and does no I/O.
#![forbid(unsafe_code)]

pub mod arn;
pub mod moment;
pub mod running;
