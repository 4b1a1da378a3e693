//! Adapters put together: the ports of one, carried out with another. Binaries parse flags and start what is here.
//!
//! | part | port of | carried out with |
//! |---|---|---|
//! | [`enrolment`] | `identity`: what a provider needs of its cluster; `kube-io`: how an identity is asked for | the API server |
//! | [`webhooks`] | `admission`: verdicts and certificates | the engine's state, the API server |
//! | [`virtual_node`] | `kubelet`: where pods are, who is reached | the engine's state, the API servers |

pub mod enrolment;
pub mod own_cluster;
pub mod virtual_node;
pub mod webhooks;
