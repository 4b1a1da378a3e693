//! Names of clusters and nodes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The longest suffix of a node's name is `-control-plane`, and a node's name is a DNS label of 63 octets (RFC 1123).
const LONGEST: usize = 63 - "-control-plane".len();

/// The name of a cluster: a DNS label that leaves room for the suffixes of its nodes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClusterName(String);

impl ClusterName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the node with this ordinal: 0 is the control plane, the others are workers.
    pub fn node(&self, ordinal: usize) -> NodeName {
        NodeName(match ordinal {
            0 => format!("{self}-control-plane"),
            1 => format!("{self}-worker"),
            n => format!("{self}-worker{n}"),
        })
    }
}

impl FromStr for ClusterName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let invalid = |problem: String, fix: &str| Error::Invalid {
            what: "cluster name",
            value: text.to_owned(),
            problem,
            fix: fix.to_owned(),
        };
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() || !text.chars().all(allowed) || text.starts_with('-') || text.ends_with('-') {
            return Err(invalid(
                "is not a DNS label".into(),
                "use lower-case letters, digits and inner dashes, such as rome",
            ));
        }
        if text.len() > LONGEST {
            return Err(invalid(format!("is longer than {LONGEST} characters"), "choose a shorter name"));
        }
        if looks_like_a_node(text) {
            return Err(invalid("reads like the name of a node".into(), "choose a name without that ending"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Faults take cluster and node names alike, so a cluster must not be called as a node of another one would be.
fn looks_like_a_node(text: &str) -> bool {
    let stem = text.trim_end_matches(|c: char| c.is_ascii_digit());
    text.ends_with("-control-plane")
        || stem.ends_with("-worker")
        || text == "router"
        || text.ends_with("-router")
}

impl TryFrom<String> for ClusterName {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ClusterName> for String {
    fn from(name: ClusterName) -> Self {
        name.0
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a node: also its host name, its cgroup and its network namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeName(String);

impl NodeName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_nodes_follow_the_ordinal() {
        let rome: ClusterName = "rome".parse().unwrap();
        let names: Vec<String> = (0..3).map(|n| rome.node(n).to_string()).collect();
        assert_eq!(names, ["rome-control-plane", "rome-worker", "rome-worker2"]);
    }

    #[test]
    fn what_is_no_dns_label_is_refused_with_the_name_and_a_fix() {
        for bad in ["", "Rome", "-rome", "rome-", "ro_me", "ro me", "römе", "a.b", &"r".repeat(50)] {
            let error = bad.parse::<ClusterName>().unwrap_err().line();
            assert!(error.contains("cluster name") && error.contains("; "), "{error}");
        }
    }

    #[test]
    fn a_cluster_is_never_called_like_a_node() {
        for bad in ["rome-worker", "rome-worker12", "a-control-plane", "rome-router"] {
            assert!(bad.parse::<ClusterName>().is_err(), "{bad}");
        }
        assert!("worker".parse::<ClusterName>().is_ok());
    }
}
