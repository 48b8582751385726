//! A task definition: sources, model, rules, reports.
#![forbid(unsafe_code)]
