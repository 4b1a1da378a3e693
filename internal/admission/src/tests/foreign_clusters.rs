//! What becomes of ForeignClusters.

use serde_json::{Value, json};

use super::cluster::{Cluster, changed, request};
use crate::answer::{Admission, Refusal};
use crate::webhook::Webhook;

const MILAN: &str = "b6625701-6aeb-4c46-a864-bfce47c964c0";

fn peer(labels: Value, id: &str, name: &str) -> Value {
    json!({
        "apiVersion": "discovery.liqo.io/v1alpha1", "kind": "ForeignCluster",
        "metadata": {"name": "milan", "labels": labels},
        "spec": {
            "peeringType": "OutOfBand", "clusterIdentity": {"clusterID": id, "clusterName": name},
            "foreignAuthUrl": "https://auth.milan.example:32000",
        },
    })
}

async fn labelled(operation: &str, object: &Value) -> Result<Admission, Refusal> {
    let mut request = request(Webhook::ForeignClusterLabel, operation, "");
    request["object"] = object.clone();
    Cluster::new().asked(Webhook::ForeignClusterLabel, request).await
}

async fn updated(old: Value, new: Value) -> Result<Admission, Refusal> {
    let mut request = request(Webhook::ForeignCluster, "UPDATE", "");
    request["oldObject"] = old;
    request["object"] = new;
    Cluster::new().asked(Webhook::ForeignCluster, request).await
}

#[tokio::test]
async fn the_label_says_which_cluster_it_is() {
    let label = json!({"discovery.liqo.io/cluster-id": MILAN});
    let with_other =
        json!({"discovery.liqo.io/cluster-id": MILAN, "discovery.liqo.io/discovery-type": "Manual"});
    for (labels, expected) in [
        (json!(null), label.clone()),
        (json!({}), label.clone()),
        (json!({"discovery.liqo.io/cluster-id": "other"}), label.clone()),
        (json!({"discovery.liqo.io/discovery-type": "Manual"}), with_other),
    ] {
        for operation in ["CREATE", "UPDATE"] {
            let object = peer(labels.clone(), MILAN, "milan");
            let admission = labelled(operation, &object).await.unwrap();
            assert_eq!(changed(&object, &admission)["metadata"]["labels"], expected);
        }
    }
    for object in [peer(label, MILAN, "milan"), peer(json!({"a": "b"}), "", ""), json!({"spec": {}})] {
        assert_eq!(labelled("CREATE", &object).await, Ok(Admission::unchanged()), "{object}");
    }
    for object in [json!(null), json!("x"), json!({"spec": {"clusterIdentity": {"clusterID": 7}}}), json!([])]
    {
        assert!(matches!(labelled("CREATE", &object).await, Err(Refusal::Malformed(_))), "{object}");
    }
    let no_map = json!({"metadata": {"labels": "x"}, "spec": {"clusterIdentity": {"clusterID": MILAN}}});
    assert!(matches!(labelled("CREATE", &no_map).await, Err(Refusal::Malformed(_))));
}

#[tokio::test]
async fn what_a_peer_is_never_changes() {
    let known = || peer(json!({}), MILAN, "milan");
    let mut in_band = known();
    in_band["spec"]["peeringType"] = "InBand".into();
    let mut other_url = known();
    other_url["spec"]["foreignAuthUrl"] = "https://elsewhere.example".into();
    let mut default_type = known();
    default_type["spec"].as_object_mut().unwrap().remove("peeringType");
    for (old, new, refused) in [
        (known(), known(), None),
        (known(), other_url, None),
        (known(), default_type, None),
        (peer(json!({}), "", ""), known(), None),
        (known(), in_band, Some("spec.peeringType")),
        (known(), peer(json!({}), "", "milan"), Some("spec.clusterIdentity.clusterID")),
        (known(), peer(json!({}), MILAN, "rome"), Some("spec.clusterIdentity.clusterName")),
        (known(), json!({"spec": {"peeringType": 1}}), Some("spec.peeringType is not a text")),
        (json!("garbage"), known(), None),
    ] {
        let answer = updated(old.clone(), new.clone()).await;
        match refused {
            None => assert_eq!(answer, Ok(Admission::unchanged()), "{old} {new}"),
            Some(field) => {
                let message = answer.unwrap_err().message();
                assert!(message.starts_with(field), "{message}");
            }
        }
    }
    // There is nothing to compare a new one with.
    let mut created = request(Webhook::ForeignCluster, "CREATE", "");
    created["object"] = known();
    assert_eq!(Cluster::new().asked(Webhook::ForeignCluster, created).await, Ok(Admission::unchanged()));
}
