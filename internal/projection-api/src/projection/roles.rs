//! Which topics a role may see.

use std::collections::BTreeMap;

use super::Identity;

/// Topics that a service account may see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topics {
    /// These.
    pub named: Vec<String>,
    /// For each of these prefixes, the one that ends with the caller's own node: `node` stands for `node/NODE`.
    pub of_own_node: Vec<String>,
}

/// Roles by the service account that has them. Who is not in it may see nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles(pub BTreeMap<String, Topics>);

impl Roles {
    /// Whether the caller may see the topic.
    pub fn allow(&self, caller: &Identity, topic: &str) -> bool {
        let Some(topics) = self.0.get(&caller.service_account) else { return false };
        let own = |prefix: &String| match (topic.split_once('/'), &caller.node) {
            (Some((before, node)), Some(own)) => before == prefix && node == own,
            _ => false,
        };
        topics.named.iter().any(|named| named == topic) || topics.of_own_node.iter().any(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles() -> Roles {
        let gateway = Topics { named: vec!["gateway".into()], of_own_node: vec![] };
        let node = Topics { named: vec![], of_own_node: vec!["node".into()] };
        Roles([("liqo/gateway".into(), gateway), ("liqo/node".into(), node)].into())
    }

    fn caller(account: &str, node: Option<&str>) -> Identity {
        Identity { service_account: account.into(), node: node.map(str::to_owned) }
    }

    #[test]
    fn each_role_sees_its_own_topics() {
        assert!(roles().allow(&caller("liqo/gateway", None), "gateway"));
        assert!(roles().allow(&caller("liqo/node", Some("n1")), "node/n1"));
    }

    #[test]
    fn nobody_sees_what_belongs_to_others() {
        for (account, node, topic) in [
            ("liqo/gateway", Some("n1"), "node/n1"),
            ("liqo/node", Some("n1"), "node/n2"),
            ("liqo/node", Some("n1"), "gateway"),
            ("liqo/node", None, "node/n1"),
            ("liqo/node", Some(""), "node"),
            ("liqo/node", Some("n1"), "node/n1/x"),
            ("other/gateway", None, "gateway"),
            ("", None, ""),
        ] {
            assert!(!roles().allow(&caller(account, node), topic), "{account} {node:?} {topic}");
        }
    }
}
