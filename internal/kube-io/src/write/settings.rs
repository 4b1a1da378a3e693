//! What is written and is the same for every command: how the process was configured.

use std::sync::Arc;

use crate::reflect::Reflections;

/// What commands are carried out with, beside what they say.
#[derive(Clone, Debug, Default)]
pub struct WriterSettings {
    /// Of virtual kubelets, whose Deployments a controller manager makes.
    pub virtual_kubelet: VirtualKubeletSettings,
    /// Of a virtual kubelet, which makes copies.
    pub reflections: Arc<Reflections>,
}

/// What the Deployment of a virtual kubelet has in every cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VirtualKubeletSettings {
    /// Its image; without one no Deployment is made.
    pub image: String,
    /// Arguments after those that name the two clusters.
    pub extra_args: Vec<String>,
    /// Environment beside the pod's own name, uid, address and namespace.
    pub env: Vec<(String, String)>,
}
