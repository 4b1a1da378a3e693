//! Who a cluster says that it is, and whether that can be accepted.

use liqo_model::{ClusterId, ClusterName, check_dns_label, tenant_namespace_name};
use thiserror::Error;

/// ID and name of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// Unique; also the user name of the cluster at the API servers of its peers.
    pub id: ClusterId,
    /// What people call it; may be empty when a peer does not say.
    pub name: ClusterName,
}

/// Why a cluster cannot have an identity. The texts show nothing of what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum ClusterFault {
    /// Anything but a UUID could be the name of a user that this cluster gives rights to.
    #[error("cluster.clusterID is invalid: it must be a UUID in lower case")]
    Id,
    /// It becomes part of names of objects.
    #[error(
        "cluster.clusterName is invalid: it must consist of lower case alphanumeric characters or '-', and must start \
         and end with an alphanumeric character"
    )]
    Name,
    /// The tenant namespace could not be called after it.
    #[error("cluster.clusterName is invalid: it must be no more than 44 characters")]
    Length,
    /// It would be its own tenant.
    #[error("cluster.clusterID is the ID of this cluster itself")]
    Own,
}

impl Cluster {
    /// Whether a peer may have an identity under this ID and name at the cluster called `own`.
    pub(crate) fn check_peer(&self, own: &ClusterId) -> Result<(), ClusterFault> {
        if !is_uuid(self.id.as_str()) {
            return Err(ClusterFault::Id);
        }
        if self.id == *own {
            return Err(ClusterFault::Own);
        }
        let label = |text: &str| check_dns_label("cluster.clusterName", text);
        label(self.name.as_str()).map_err(|_| ClusterFault::Name)?;
        label(tenant_namespace_name(&self.name, &self.id).as_str()).map_err(|_| ClusterFault::Length)
    }
}

/// The form of RFC 9562, in lower case: what the chart of Liqo 0.8.3 makes and asks for.
fn is_uuid(text: &str) -> bool {
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => hexadecimal(byte),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "11111111-2222-4333-8444-555555555555";
    const OWN: &str = "b6625701-6aeb-4c46-a864-bfce47c964c0";

    fn check(id: &str, name: &str) -> Result<(), ClusterFault> {
        Cluster { id: id.into(), name: name.into() }.check_peer(&OWN.into())
    }

    #[test]
    fn a_uuid_and_a_label_are_accepted() {
        assert_eq!(check(ID, "fiction"), Ok(()));
        assert_eq!(check(ID, &"x".repeat(44)), Ok(()));
    }

    #[test]
    fn ids_that_could_be_users_are_refused() {
        let upper = ID.replace("8444", "A444");
        for id in
            ["", "rome", "kubernetes-admin", "system:kube-controller-manager", "../..", &upper, &ID[1..]]
        {
            assert_eq!(check(id, "fiction"), Err(ClusterFault::Id), "{id}");
        }
        assert_eq!(check(&ID.replace('5', "g"), "fiction"), Err(ClusterFault::Id));
    }

    #[test]
    fn names_that_make_no_namespace_are_refused() {
        for name in ["", "Not A Label", "-a", "a.b", &"x".repeat(64)] {
            assert_eq!(check(ID, name), Err(ClusterFault::Name), "{name}");
        }
        assert_eq!(check(ID, &"x".repeat(45)), Err(ClusterFault::Length));
    }

    #[test]
    fn nobody_is_its_own_peer() {
        assert_eq!(check(OWN, "milan"), Err(ClusterFault::Own));
    }
}
