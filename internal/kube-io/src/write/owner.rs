//! Owners of objects, among those of others.

use liqo_events::OwnedBy;
use liqo_model::Kind;
use serde_json::{Value, json};

use super::step::Step;

/// A ForeignCluster is the controller of an object.
pub(super) fn step(owner: &OwnedBy, object: &Value) -> Step {
    match with(&object["metadata"]["ownerReferences"], Kind::ForeignCluster, owner) {
        Some(owners) => Step::Patch(json!({"metadata": {"ownerReferences": owners}})),
        None => Step::Nothing,
    }
}

/// The reference to an owner that controls.
pub(super) fn reference(kind: Kind, owner: &OwnedBy) -> Value {
    json!({
        "apiVersion": kind.api_version(),
        "kind": kind.as_str(),
        "name": owner.name,
        "uid": owner.uid.as_str(),
        "controller": true,
        "blockOwnerDeletion": true,
    })
}

/// The owners with this one among them; nothing when it is there. An earlier life of it goes, and an object that somebody
/// else controls is only owned.
pub(super) fn with(known: &Value, kind: Kind, owner: &OwnedBy) -> Option<Value> {
    let known = known.as_array().map(Vec::as_slice).unwrap_or_default();
    let is_it = |other: &&Value| other["uid"].as_str() == Some(owner.uid.as_str());
    if owner.name.is_empty() || known.iter().any(|other| is_it(&other)) {
        return None;
    }
    let is_earlier = |other: &&Value| other["kind"] == kind.as_str() && other["name"] == owner.name.as_str();
    let mut owners: Vec<Value> = known.iter().filter(|other| !is_earlier(other)).cloned().collect();
    let mut reference = reference(kind, owner);
    if owners.iter().any(|other| other["controller"] == true) {
        reference["controller"] = json!(false);
    }
    owners.push(reference);
    Some(owners.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> OwnedBy {
        OwnedBy { name: "milan".to_owned(), uid: "f".into() }
    }

    fn own() -> Value {
        json!({
            "apiVersion": "discovery.liqo.io/v1alpha1", "kind": "ForeignCluster", "name": "milan", "uid": "f",
            "controller": true, "blockOwnerDeletion": true,
        })
    }

    #[test]
    fn an_owner_is_added_once() {
        assert_eq!(with(&Value::Null, Kind::ForeignCluster, &owner()), Some(json!([own()])));
        assert_eq!(with(&json!([own()]), Kind::ForeignCluster, &owner()), None);
        let patch = json!({"metadata": {"ownerReferences": [own()]}});
        assert_eq!(step(&owner(), &json!({"metadata": {}})), Step::Patch(patch));
    }

    #[test]
    fn those_of_others_stay_and_earlier_lives_go() {
        let other = json!({"kind": "NetworkConfig", "name": "x", "uid": "n"});
        let earlier = json!({"kind": "ForeignCluster", "name": "milan", "uid": "e", "controller": true});
        let known = json!([other, earlier]);
        assert_eq!(with(&known, Kind::ForeignCluster, &owner()), Some(json!([other, own()])));
        let controlled = json!([{"kind": "X", "name": "x", "uid": "n", "controller": true}]);
        let owners = with(&controlled, Kind::ForeignCluster, &owner()).unwrap();
        assert_eq!(owners[1]["controller"], false);
    }
}
