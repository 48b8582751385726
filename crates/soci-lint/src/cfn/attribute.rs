//! Attributes of resources. An ECR repository's address and ARN have a known shape; all others are open.

use super::eval::Evaluator;
use super::intrinsic::get_att;
use crate::model::value::{Piece, Pseudo, Symbolic};
use crate::source::Node;

impl<'a> Evaluator<'a> {
    /// What `GetAtt` comes to.
    pub(super) fn attribute(&self, argument: Node<'a>) -> Symbolic {
        let Some((name, attribute)) = get_att(argument) else {
            return Symbolic::hole("${Fn::GetAtt}", "`Fn::GetAtt` is incomplete", "");
        };
        self.named_attribute(name, attribute)
    }

    pub(super) fn named_attribute(&self, name: &str, attribute: &str) -> Symbolic {
        let resources = self.template.map(|template| &template.resources);
        let resource = resources.and_then(|resources| resources.get(name));
        let repository = || {
            let named = resource.and_then(|found| found.properties?.get("RepositoryName"));
            match named
                .and_then(Node::as_str)
                .filter(|_| named.and_then(Node::tag).is_none())
            {
                Some(name) => Symbolic::text(name),
                None => Symbolic::hole(
                    &format!("${{{name}}}"),
                    format!("the repository `{name}` gets its name when the stack is deployed"),
                    "",
                ),
            }
        };
        let pieces = |shape: &[&dyn Fn() -> Symbolic]| {
            let mut out = Symbolic::default();
            for piece in shape {
                out.append(&piece());
            }
            out
        };
        let pseudo = |pseudo| {
            move || Symbolic {
                pieces: vec![Piece::Pseudo(pseudo)],
            }
        };
        let text = |text: &'static str| move || Symbolic::text(text);
        let is_repository = resource.is_some_and(|found| found.kind == "AWS::ECR::Repository");
        match attribute {
            "RepositoryUri" if is_repository => pieces(&[
                &pseudo(Pseudo::AccountId),
                &text(".dkr.ecr."),
                &pseudo(Pseudo::Region),
                &text("."),
                &pseudo(Pseudo::UrlSuffix),
                &text("/"),
                &repository,
            ]),
            "Arn" if is_repository => pieces(&[
                &text("arn:"),
                &pseudo(Pseudo::Partition),
                &text(":ecr:"),
                &pseudo(Pseudo::Region),
                &text(":"),
                &pseudo(Pseudo::AccountId),
                &text(":repository/"),
                &repository,
            ]),
            _ => Symbolic::hole(
                &format!("${{{name}.{attribute}}}"),
                format!("`{name}.{attribute}` is known when the stack is deployed"),
                "",
            ),
        }
    }
}
