//! From what documents declare to services.

use super::build::Builder;
use super::service::{Service, TaskLink};
use crate::documents::Declared;
use crate::expression::value::Piece;
use crate::expression::{Case, Field, Value, field, items, setting, texts};

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
            links: self.links(body),
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

    /// The tasks that a service names, in each case of the conditions.
    fn links(&self, body: &Value<'a>) -> Vec<TaskLink> {
        let named = field(self.evaluator, body, "taskDefinition")
            .or_else(|| field(self.evaluator, body, "taskDefinitionArn"));
        let Some(found) = named else {
            return vec![TaskLink::Absent];
        };
        let possible = texts(&found.cases)
            .into_iter()
            .filter(|case| !case.is_against_default());
        possible
            .map(|case| {
                let resource = case.value.pieces.iter().find_map(|piece| match piece {
                    Piece::Hole(hole) => hole.resource.clone(),
                    _ => None,
                });
                match (resource, case.value.known()) {
                    (Some(resource), _) => TaskLink::Resource(resource.as_ref().clone()),
                    (None, Some(text)) => {
                        let tail = text.rsplit('/').next().unwrap_or(&text);
                        TaskLink::Family(tail.split(':').next().unwrap_or(tail).to_owned())
                    }
                    (None, None) => TaskLink::Open,
                }
            })
            .collect()
    }
}
