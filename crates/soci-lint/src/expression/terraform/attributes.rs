//! Attributes of resources and data sources, as far as files say what they are.

use std::rc::Rc;

use super::super::access::repository;
use super::super::form::Access;
use super::super::text::at;
use super::super::value::{Piece, Pseudo, ResourceId, Shaped, Step, StepKind};
use super::super::{Case, Cases, Member, Scope, Symbolic, Thunk, Value};
use super::Block;
use super::resolve::Names;
use super::resource::object_of;

impl<'a> Names<'_, 'a> {
    /// An attribute of a resource or a data source; its cases, and how much of the path they used.
    pub(super) fn attribute(
        &self,
        data: bool,
        kind: &str,
        name: &str,
        path: &[Access<'a>],
        before: usize,
    ) -> (Cases<'a>, usize) {
        let index = usize::from(matches!(path.first(), Some(Access::Index(_) | Access::Each)));
        let all = before + path.len();
        let Some(Access::Attribute(attribute)) = path.get(index) else {
            return match (kind, path) {
                ("aws_ecr_repository", []) => (self.repositories(data, name), before),
                _ => (self.resource_hole(data, kind, name, ""), all),
            };
        };
        let used = before + index + 1;
        let block = self.instance.module.resource(data, kind, name);
        let own = self.module_scope();
        let repeats = block.is_some_and(|block| {
            ["count", "for_each"]
                .iter()
                .any(|name| block.body.attribute(name).is_some())
        });
        let scope = match block.filter(|_| repeats) {
            Some(block) => {
                let made = self.evaluator.instance_at(block, path.first(), &own, self.scope);
                made.map_or(own, |made| made.scope)
            }
            None => own,
        };
        let argument = |wanted: &str| {
            let found = block?.body.attribute(wanted)?;
            Some(self.evaluator.expr(found.value, &scope))
        };
        let text = |cases: Option<Cases<'a>>| {
            let cases = cases?;
            let [case] = cases.as_slice() else {
                return None;
            };
            case.value.to_text()
        };
        let unnamed = || {
            Symbolic::hole(
                &format!("${{{name}}}"),
                format!("the name of `{kind}.{name}` is not known"),
                "",
            )
        };
        let shaped = |pieces: Symbolic| {
            let value = Symbolic {
                pieces: vec![Piece::Shaped(Rc::new(Shaped {
                    written: format!("${{{}}}", self.written),
                    pieces: pieces.pieces,
                }))],
            };
            vec![Case::plain(Value::text(value), self.place)]
        };
        let region = self.evaluator.options().region.clone();
        let region = || {
            region
                .clone()
                .map_or_else(|| Symbolic::from(Pseudo::Region), Symbolic::text)
        };
        let found = match (kind, &**attribute) {
            ("aws_ecr_repository", "repository_url" | "arn") => {
                let name = text(argument("name")).unwrap_or_else(unnamed);
                shaped(repository(attribute == "arn", &region(), &name))
            }
            ("aws_ecr_repository", "registry_id") => shaped(Pseudo::AccountId.into()),
            ("aws_ecrpublic_repository", "repository_uri") => {
                let mut address = Symbolic::text("public.ecr.aws/");
                address.append(&Symbolic::hole(
                    "${alias}",
                    "the alias of the registry is not known",
                    "",
                ));
                address.append(&Symbolic::text("/"));
                address.append(&text(argument("repository_name")).unwrap_or_else(unnamed));
                shaped(address)
            }
            ("aws_ecr_image", "image_uri" | "image_digest" | "id") if data => {
                let mut digest = Symbolic::text("sha256:");
                let shown = format!("${{data.aws_ecr_image.{name}.image_digest}}");
                digest.append(&Symbolic::hole(
                    &shown,
                    "the digest is looked up when Terraform runs",
                    "",
                ));
                let mut address = Symbolic::default();
                if attribute == "image_uri" {
                    let name = text(argument("repository_name")).unwrap_or_else(unnamed);
                    address = repository(false, &region(), &name);
                    address.append(&Symbolic::text("@"));
                }
                address.append(&digest);
                shaped(address)
            }
            ("aws_caller_identity", "account_id") if data => shaped(Pseudo::AccountId.into()),
            ("aws_region", "name" | "id" | "region") if data => shaped(region()),
            ("aws_partition", "dns_suffix") if data => shaped(Pseudo::UrlSuffix.into()),
            ("aws_partition", "partition" | "id") if data => shaped(Pseudo::Partition.into()),
            ("aws_ecr_authorization_token", "proxy_endpoint") if data => {
                let mut address = Symbolic::text("https://");
                let host = repository(false, &region(), &Symbolic::default());
                address.append(&host);
                shaped(Symbolic {
                    // Without the slash in front of a repository.
                    pieces: address
                        .pieces
                        .iter()
                        .take(address.pieces.len() - 1)
                        .cloned()
                        .collect(),
                })
            }
            ("template_file", "rendered") if data => self.template_file(block, &scope, kind, name),
            ("terraform_data", "output") => {
                argument("input").unwrap_or_else(|| self.resource_hole(data, kind, name, attribute))
            }
            _ => match argument(attribute) {
                Some(cases) => {
                    let known = cases.iter().all(|case| {
                        case.value.known().is_some()
                            || matches!(case.value, Value::Object(_) | Value::List(_))
                    });
                    if known {
                        at(cases, self.place)
                    } else {
                        self.resource_hole(data, kind, name, attribute)
                    }
                }
                None => self.resource_hole(data, kind, name, attribute),
            },
        };
        let newest = (data && kind == "aws_ecr_image")
            .then(|| argument("most_recent"))
            .flatten()
            .is_some_and(|cases| {
                cases
                    .iter()
                    .any(|case| case.value.known().as_deref() == Some("true"))
            });
        let mut found = found;
        if let Some(block) = block.filter(|_| newest) {
            let told = block.body.attribute("most_recent");
            let place = told.map_or(block.header, |found| found.name_place.cover(found.value.place()));
            for case in &mut found {
                case.step(Step {
                    kind: StepKind::Newest,
                    name: format!("`data.aws_ecr_image.{name}`").into(),
                    place,
                });
            }
        }
        let found = match path.first() {
            // `x.*.name` is a list, of one item as far as is known here.
            Some(Access::Each) => {
                let items = vec![Thunk::Ready(Rc::new(found))];
                vec![Case::plain(Value::list(items), self.place)]
            }
            _ => found,
        };
        (found, used)
    }

    /// Repositories as a whole: one, a list or an object by key.
    fn repositories(&self, data: bool, name: &str) -> Cases<'a> {
        let kind = "aws_ecr_repository";
        let Some(block) = self.instance.module.resource(data, kind, name) else {
            return self.resource_hole(data, kind, name, "");
        };
        let one = || {
            let member = |attribute: &str| {
                let reader = Names {
                    written: &format!("{kind}.{name}.{attribute}"),
                    ..*self
                };
                let path = [Access::Attribute(attribute.to_owned().into())];
                let (cases, _) = reader.attribute(data, kind, name, &path, 0);
                Member {
                    key: attribute.into(),
                    key_place: block.header,
                    value: Thunk::Ready(Rc::new(cases)),
                }
            };
            object_of(
                ["repository_url", "arn", "name", "registry_id"]
                    .map(member)
                    .into(),
            )
        };
        let made = self.evaluator.instances(block, &self.module_scope());
        let value = if block.body.attribute("for_each").is_some() {
            let members = made.iter().map(|made| made.member(one(), block.header));
            object_of(members.collect())
        } else if block.body.attribute("count").is_some() {
            let items = made.iter().map(|_| Thunk::ready(one(), block.header));
            Value::list(items.collect())
        } else {
            one()
        };
        vec![Case::plain(value, self.place)]
    }

    fn resource_hole(&self, data: bool, kind: &str, name: &str, attribute: &str) -> Cases<'a> {
        let prefix = if data { "data." } else { "" };
        let shown = match attribute {
            "" => format!("{prefix}{kind}.{name}"),
            _ => format!("{prefix}{kind}.{name}.{attribute}"),
        };
        let mut cases = self.open(format!("`{shown}` is known when Terraform runs"));
        if let Some(Case {
            value: Value::Unknown(hole),
            ..
        }) = cases.first_mut()
        {
            hole.resource = Some(Rc::new(ResourceId {
                document: self.instance.document,
                address: format!("{}{prefix}{kind}.{name}", self.instance.prefix),
            }));
        }
        cases
    }

    /// `data "template_file"`: `vars` may be a map or a block.
    fn template_file(
        &self,
        block: Option<&Block<'a>>,
        scope: &Scope<'a>,
        kind: &str,
        name: &str,
    ) -> Cases<'a> {
        let Some(template) = block.and_then(|block| block.body.attribute("template")) else {
            return self.resource_hole(true, kind, name, "rendered");
        };
        let vars = block.and_then(|block| block.body.attribute("vars"));
        let names = match vars {
            Some(vars) => Thunk::new(vars.value, scope),
            None => {
                let inner = block.into_iter().flat_map(|block| &block.body.blocks);
                let members = inner
                    .filter(|inner| inner.kind == "vars")
                    .flat_map(|inner| &inner.body.attributes)
                    .map(|attribute| Member {
                        key: attribute.name.into(),
                        key_place: attribute.name_place,
                        value: Thunk::new(attribute.value, scope),
                    });
                Thunk::ready(object_of(members.collect()), template.value.place())
            }
        };
        self.evaluator.rendered(&Thunk::new(template.value, scope), names)
    }
}
