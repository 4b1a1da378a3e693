//! The state of Liqo in this cluster, as it is shown.

use serde::Serialize;

use super::component::Component;
use super::home::Home;

/// Everything that `liqoctl status` shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Overview {
    pub(crate) namespace: NamespaceCheck,
    /// What runs; nothing is looked at when the namespace does not exist.
    #[serde(rename = "controlPlane")]
    pub(crate) components: Vec<Component>,
    /// Who this cluster is and how it is reached.
    #[serde(rename = "localCluster")]
    pub(crate) home: Option<Home>,
}

/// Whether Liqo is where it is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct NamespaceCheck {
    pub(crate) name: String,
    pub(crate) exists: bool,
}

impl Overview {
    /// How many things are wrong.
    pub(crate) fn faults(&self) -> usize {
        let of_components: usize = self.components.iter().map(|component| component.faults.len()).sum();
        let of_home = self.home.as_ref().map_or(0, |home| home.faults.len());
        usize::from(!self.namespace.exists) + of_components + of_home
    }
}
