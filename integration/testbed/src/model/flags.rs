//! Additional command-line flags for the components of Kubernetes.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The components that take flags of the user.
pub(crate) const FLAGGED_COMPONENTS: [&str; 6] =
    ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"];

/// One flag for one component, written `COMPONENT=--flag=value`. It comes after the testbed's own, so it wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentFlag {
    /// One of [`FLAGGED_COMPONENTS`].
    pub component: String,
    /// The flag as the component takes it.
    pub flag: String,
}

impl FromStr for ComponentFlag {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let invalid = |problem: &str| Error::Invalid {
            what: "--kubernetes-flags",
            value: text.to_owned(),
            problem: problem.to_owned(),
            fix: format!(
                "write COMPONENT=--flag=value with one of {}, such as kube-proxy=--proxy-mode=iptables",
                FLAGGED_COMPONENTS.join(", ")
            ),
        };
        let (component, flag) = text.split_once('=').ok_or_else(|| invalid("names no flag"))?;
        if !FLAGGED_COMPONENTS.contains(&component) {
            return Err(invalid("names no component that takes flags"));
        }
        // With a value of its own a flag cannot swallow what comes behind it.
        let Some((name, _)) = flag.split_once('=') else { return Err(invalid("gives the flag no value")) };
        if !name.starts_with("--") || name.len() < 3 {
            return Err(invalid("has no flag that starts with --"));
        }
        Ok(Self { component: component.to_owned(), flag: flag.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_keeps_its_own_equals_sign() {
        let flag: ComponentFlag = "kube-proxy=--proxy-mode=iptables".parse().unwrap();
        assert_eq!((flag.component.as_str(), flag.flag.as_str()), ("kube-proxy", "--proxy-mode=iptables"));
    }

    #[test]
    fn what_is_no_flag_of_a_component_is_refused() {
        for bad in ["", "kubelet", "kubelet=v=4", "docker=--v=4", "kubelet=--", "kubelet=--=1", "etcd=--name"]
        {
            assert!(bad.parse::<ComponentFlag>().is_err(), "{bad}");
        }
    }
}
