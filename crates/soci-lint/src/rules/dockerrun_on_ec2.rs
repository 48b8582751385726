//! Files of Elastic Beanstalk.

use super::{File, Sink, rule};
use crate::kind::Kind;
use crate::terms::Severity;

rule! {
    /// A Dockerrun file runs on EC2 instances, where nothing is loaded lazily.
    ///
    /// ## Why
    ///
    /// `Dockerrun.aws.json` is for Elastic Beanstalk. Its second version has `containerDefinitions` like a task definition, and its containers run on EC2 instances
    /// of the environment. SOCI lazy loading is a feature of Fargate.
    ///
    /// ## Example
    ///
    /// ```json
    /// { "AWSEBDockerrunVersion": 2, "containerDefinitions": [{ "name": "web", "image": "nginx", "memory": 128 }] }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```json
    /// {
    ///   "family": "web",
    ///   "requiresCompatibilities": ["FARGATE"],
    ///   "networkMode": "awsvpc",
    ///   "cpu": "256",
    ///   "memory": "512",
    ///   "containerDefinitions": [
    ///     { "name": "web", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2" }
    ///   ]
    /// }
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/create_deploy_docker_v2config.html> (2026-11-24)
    RULE = {
        code: "SOCI903",
        name: "dockerrun-on-ec2",
        severity: Error,
        effect: None,
        check: File(check),
        is_gate: true,
    }
}

fn check(file: &File<'_>, sink: &mut Sink<'_>) {
    if file.other == Some(Kind::Dockerrun) {
        let message = "this is a Dockerrun file of Elastic Beanstalk: its containers run on EC2 instances and are never loaded lazily";
        let found = sink.report_file(file.first_token(), message);
        found.help("for lazy loading run the containers as ECS tasks on Fargate");
        if !file.is_named {
            found.at_most(Severity::Warning);
        }
    }
}
