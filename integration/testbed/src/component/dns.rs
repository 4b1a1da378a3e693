//! Cluster DNS: CoreDNS on the control plane, behind the usual Service `kube-dns`.

use super::CONFIG;
use crate::node::Component;

pub(super) fn coredns() -> Component {
    Component::new("coredns", ["-conf".into(), format!("{CONFIG}/Corefile")])
}

/// Names of the cluster and of its nodes. There is nobody to forward other names to: they are refused at once instead of
/// after a time-out.
pub(super) fn corefile() -> String {
    format!(
        ".:53 {{
  errors
  health 127.0.0.1:18080
  ready 127.0.0.1:18181
  kubernetes cluster.local in-addr.arpa ip6.arpa {{
    kubeconfig {CONFIG}/coredns.kubeconfig
    pods insecure
    fallthrough in-addr.arpa ip6.arpa
  }}
  hosts /etc/hosts {{
    fallthrough
  }}
  cache 30 {{
    disable success cluster.local
    disable denial cluster.local
  }}
  loadbalance
}}
"
    )
}
