//! What runs on AWS, as data: clusters, services, task definitions and tasks of Amazon ECS.
#![forbid(unsafe_code)]
