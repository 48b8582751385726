//! Names of ECS' resources: `arn:aws:ecs:eu-west-1:123456789012:task/shop/0123456789abcdef`.

/// An ARN of ECS, taken apart.
///
/// The old form has no cluster (`task/ID`), the new one does (`task/CLUSTER/ID`):
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-account-settings.html#ecs-resource-ids> (2026-11-29).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'t> {
    /// `eu-west-1`.
    pub region: &'t str,
    /// Twelve digits.
    pub account: &'t str,
    /// `task`, `service`, `cluster`, `task-definition` …
    pub kind: &'t str,
    /// What follows the kind.
    pub name: &'t str,
}

impl<'t> Arn<'t> {
    /// Takes an ARN apart; `None` for what is none of ECS.
    pub fn parse(text: &'t str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (scheme, _partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        let (kind, name) = resource.split_once('/')?;
        (scheme == "arn" && service == "ecs" && !name.is_empty()).then_some(Self {
            region,
            account,
            kind,
            name,
        })
    }

    /// The cluster of a task or a service, if its ARN has it; of a cluster, its name.
    pub fn cluster(&self) -> Option<&'t str> {
        match self.kind {
            "cluster" => Some(self.name),
            _ => Some(self.name.split_once('/')?.0),
        }
    }
}

/// The last part of an ARN or of a name: `0123456789abcdef`, `web:42`, `shop`.
pub fn short(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let new = Arn::parse("arn:aws:ecs:eu-west-1:123456789012:task/shop/0123").expect("an ARN");
        assert_eq!(
            (new.region, new.kind, new.cluster()),
            ("eu-west-1", "task", Some("shop"))
        );
        let old = Arn::parse("arn:aws:ecs:eu-west-1:123456789012:task/0123").expect("an ARN");
        assert_eq!(old.cluster(), None);
        let revision = Arn::parse("arn:aws-cn:ecs:cn-north-1:123456789012:task-definition/web:42");
        assert_eq!(revision.map(|arn| arn.name), Some("web:42"));
        assert_eq!(Arn::parse("arn:aws:s3:::bucket/x"), None);
        assert_eq!(short("arn:aws:ecs:eu-west-1:123456789012:task/shop/0123"), "0123");
    }
}
