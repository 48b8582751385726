//! Intrinsic functions in their long form (`{"Fn::Sub": …}`) and short form (`!Sub …`).

use crate::source::Node;

/// A call of an intrinsic function.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    /// Without `Fn::`, as in `Sub`, `Ref`, `Condition`.
    pub(crate) function: &'a str,
    /// In the short form the node itself, whose tag is the function.
    pub(crate) argument: Node<'a>,
}

/// The call that a node is, if it is one.
pub(crate) fn call(node: Node<'_>) -> Option<Call<'_>> {
    if let Some(tag) = node.tag() {
        return Some(Call {
            function: tag,
            argument: node,
        });
    }
    if !node.is_mapping() || node.len() != 1 {
        return None;
    }
    let member = node.members().next()?;
    let function = match member.key {
        "Ref" | "Condition" => member.key,
        key => key.strip_prefix("Fn::")?,
    };
    Some(Call {
        function,
        argument: member.value,
    })
}

/// The resource and attribute of `GetAtt`: `A.B` or `[A, B]`.
pub(crate) fn get_att(argument: Node<'_>) -> Option<(&str, &str)> {
    if let Some(text) = argument.as_str() {
        return text.split_once('.');
    }
    let mut items = argument.items();
    Some((items.next()?.as_str()?, items.next()?.as_str()?))
}
