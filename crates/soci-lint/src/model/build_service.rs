//! From what documents declare to services.

use super::build::Builder;
use super::service::{Cluster, Service, TaskLink};
use crate::documents::Declared;
use crate::expression::{Case, Field, Symbolic, Value, field, items, setting, texts};

impl<'a> Builder<'_, 'a> {
    pub(super) fn service(&mut self, declared: &Declared<'a>, noun: &'static str) -> Service {
        let body = &declared.body.value;
        let evaluator = self.evaluator;
        let (name, name_place) = match &declared.id {
            Some((name, place)) => (name.clone(), *place),
            None => match field(evaluator, body, "serviceName") {
                Some(found) => {
                    let shown = found.setting().cases.first().map(|case| case.value.display());
                    (shown.unwrap_or_default(), found.place)
                }
                None => ("(no name)".to_owned(), declared.opening),
            },
        };
        let balancers =
            field(evaluator, body, "loadBalancers").or_else(|| field(evaluator, body, "loadBalancer"));
        Service {
            name,
            name_place,
            noun,
            when: declared.body.when.clone(),
            links: self.links(body, &["taskDefinition", "taskDefinitionArn"]),
            clusters: self.links(body, &["cluster"]),
            pipeline_decides: declared.ignores_containers,
            launch_type: setting(evaluator, body, "launchType"),
            providers: field(evaluator, body, "capacityProviderStrategy")
                .map(|found| self.providers(&found))
                .unwrap_or_default(),
            platform_version: setting(evaluator, body, "platformVersion"),
            is_balanced: balancers.is_some_and(|found| !items(evaluator, &found.cases).is_empty()),
            grace_period: setting(evaluator, body, "healthCheckGracePeriodSeconds"),
        }
    }

    fn providers(&self, found: &Field<'a>) -> Vec<Case> {
        let mut out = Vec::new();
        for entry in items(self.evaluator, &found.cases) {
            if let Some(provider) = field(self.evaluator, &entry.value, "capacityProvider") {
                let mut cases = texts(&provider.cases);
                cases.retain_mut(|case| case.under(&entry));
                out.extend(cases);
            }
        }
        out
    }

    /// What a cluster runs its tasks on where they do not say.
    pub(super) fn cluster(&self, declared: &Declared<'a>) -> Cluster {
        let body = &declared.body.value;
        let mut names = self.links(body, &["clusterName", "cluster"]);
        names.extend(declared.resource.clone().map(TaskLink::Resource));
        Cluster {
            names,
            providers: field(self.evaluator, body, "defaultCapacityProviderStrategy")
                .map(|found| self.providers(&found))
                .unwrap_or_default(),
        }
    }

    /// What a field names, in each case of the conditions; the first of the fields that is there.
    fn links(&self, body: &Value<'a>, fields: &[&str]) -> Vec<TaskLink> {
        let named = fields.iter().find_map(|name| field(self.evaluator, body, name));
        let Some(found) = named else {
            return vec![TaskLink::Absent];
        };
        let possible = texts(&found.cases)
            .into_iter()
            .filter(|case| !case.is_against_default());
        possible
            .map(|case| {
                let resource = case.value.holes().find_map(|hole| hole.resource.clone());
                // The family is known even where the account, the region or the revision is not.
                let tail = case.value.split("/").pop().unwrap_or_default();
                let family = tail.split(":").first().and_then(Symbolic::known);
                match (resource, family) {
                    (Some(resource), _) => TaskLink::Resource(resource.as_ref().clone()),
                    (None, Some(family)) => TaskLink::Family(family),
                    (None, None) => TaskLink::Open,
                }
            })
            .collect()
    }
}
