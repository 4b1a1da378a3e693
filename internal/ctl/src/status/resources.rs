//! Amounts of resources that clusters offer each other.

use std::collections::BTreeMap;

use liqo_api::ResourceOffer;
use liqo_api::labels::{REPLICATED, REPLICATION, REPLICATION_DESTINATION, REPLICATION_ORIGIN, TRUE};
use liqo_model::crd::Quantity;
use serde::Serialize;

const UNIT: i128 = 1_000_000_000;
const GIB: i128 = 1 << 30;

/// Amounts by resource; none without an offer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Exchanged {
    /// What the peer offers to this cluster.
    pub(crate) acquired: Option<BTreeMap<String, Quantity>>,
    /// What this cluster offers to the peer.
    pub(crate) shared: Option<BTreeMap<String, Quantity>>,
}

/// What is exchanged with the peer of that ID.
pub(crate) fn exchanged(offers: &[ResourceOffer], peer: &str) -> Exchanged {
    let find = |labels: [(&str, &str); 2]| {
        let mut found = offers.iter().filter(|offer| {
            let has = offer.metadata.labels.as_ref();
            labels
                .iter()
                .all(|(key, value)| has.and_then(|has| has.get(*key)).is_some_and(|text| text == value))
        });
        found.next().map(|offer| offer.spec.resource_quota.hard.clone())
    };
    Exchanged {
        acquired: find([(REPLICATED, TRUE), (REPLICATION_ORIGIN, peer)]),
        shared: find([(REPLICATION, TRUE), (REPLICATION_DESTINATION, peer)]),
    }
}

/// An amount for people: processors in thousandths, bytes in GiB. Nothing when there is none of it.
pub(crate) fn amount(resource: &str, quantity: &Quantity) -> Option<String> {
    let Some(billionths) = quantity.billionths() else { return Some(quantity.to_string()) };
    match resource {
        _ if billionths == 0 => None,
        "cpu" => Some(format!("{}m", billionths * 1_000 / UNIT)),
        "memory" | "ephemeral-storage" => {
            let hundredths = billionths / UNIT * 100 / GIB;
            Some(format!("{}.{:02}GiB", hundredths / 100, hundredths % 100))
        }
        _ if billionths % UNIT == 0 => Some((billionths / UNIT).to_string()),
        _ => Some(quantity.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_are_shown_in_units_for_people() {
        let table = [
            ("cpu", "3600m", Some("3600m")),
            ("cpu", "4", Some("4000m")),
            ("memory", "45404M", Some("42.28GiB")),
            ("memory", "1Gi", Some("1.00GiB")),
            ("ephemeral-storage", "482125742080", Some("449.01GiB")),
            ("pods", "450", Some("450")),
            ("hugepages-2Mi", "0", None),
            ("example.com/gpu", "2", Some("2")),
            ("odd", "x", Some("x")),
        ];
        for (resource, quantity, expected) in table {
            assert_eq!(amount(resource, &quantity.into()).as_deref(), expected, "{resource} {quantity}");
        }
    }

    #[test]
    fn the_labels_of_an_offer_tell_its_direction() {
        let offer = |labels: serde_json::Value, cpu: &str| -> ResourceOffer {
            let spec = json!({"clusterId": "x", "resourceQuota": {"hard": {"cpu": cpu}}});
            serde_json::from_value(json!({"metadata": {"labels": labels}, "spec": spec})).unwrap()
        };
        let offers = [
            offer(json!({REPLICATED: "true", REPLICATION: "false", REPLICATION_ORIGIN: "1"}), "1"),
            offer(json!({REPLICATION: "true", REPLICATION_DESTINATION: "1"}), "2"),
            offer(json!({REPLICATION: "true", REPLICATION_DESTINATION: "2"}), "3"),
        ];
        let cpu = |amounts: &Option<BTreeMap<String, Quantity>>| amounts.as_ref().unwrap()["cpu"].to_string();
        let with = exchanged(&offers, "1");
        assert_eq!((cpu(&with.acquired), cpu(&with.shared)), ("1".to_owned(), "2".to_owned()));
        assert_eq!(exchanged(&offers, "3"), Exchanged::default());
    }
}
