//! Offers in a few words: how they are made, and what they promise.

use std::collections::BTreeMap;

use liqo_events::{Content, ShareReported, SharingConfigured};

/// How offers are made.
pub(super) fn rules(rules: &SharingConfigured) -> String {
    let told = match rules.threshold_percent {
        0 => "every change is told".to_owned(),
        percent => format!("changes above {percent} percent are told"),
    };
    let source = if rules.monitored { "the external resource monitor" } else { "what is free" };
    let limited = match rules.limits.len() {
        0 => String::new(),
        1 => ", with limits for 1 consumer or for all".to_owned(),
        many => format!(", with {many} sets of limits"),
    };
    format!("offers are made of {source}, {told}{limited}")
}

/// What the external resource monitor said.
pub(super) fn report(report: &ShareReported) -> String {
    match &report.amounts {
        Some(amounts) => {
            format!("the external resource monitor lets {} have {}", report.peer, in_words(amounts))
        }
        None => format!("the external resource monitor was told to forget {}", report.peer),
    }
}

/// What an offer promises, and to how many others the same; nothing of other contents.
pub(super) fn promise(content: &Content) -> String {
    match content {
        Content::Offer { hard, others, .. } => format!(": {}{}", in_words(hard), also(*others)),
        Content::ResourceOffer { hard, .. } => format!(": {}", in_words(hard)),
        _ => String::new(),
    }
}

fn also(others: u32) -> String {
    match others {
        0 => String::new(),
        1 => "; the same free capacity is offered to 1 other consumer".to_owned(),
        many => format!("; the same free capacity is offered to {many} other consumers"),
    }
}

/// Amounts as Kubernetes spells them.
fn in_words(amounts: &BTreeMap<String, u64>) -> String {
    let spelled = |(resource, amount): (&String, &u64)| match amount % 1000 {
        0 => format!("{resource} {}", amount / 1000),
        _ => format!("{resource} {amount}m"),
    };
    let all: Vec<String> = amounts.iter().map(spelled).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hard() -> BTreeMap<String, u64> {
        [("cpu", 3_600), ("nvidia.com/gpu", 0)].map(|(name, amount)| (name.to_owned(), amount)).into()
    }

    fn offer(others: u32) -> Content {
        Content::Offer {
            remote: "milan-id".into(),
            id: "rome-id".into(),
            hard: hard(),
            labels: BTreeMap::new(),
            others,
            owner: Default::default(),
        }
    }

    #[test]
    fn an_offer_says_how_many_others_are_promised_the_same() {
        assert_eq!(promise(&offer(0)), ": cpu 3600m, nvidia.com/gpu 0");
        let one = ": cpu 3600m, nvidia.com/gpu 0; the same free capacity is offered to 1 other consumer";
        assert_eq!(promise(&offer(1)), one);
        assert!(promise(&offer(9)).ends_with("offered to 9 other consumers"));
    }

    #[test]
    fn what_the_monitor_said_is_shown() {
        let said = |amounts| report(&ShareReported { peer: "milan-id".into(), amounts });
        assert_eq!(
            said(Some(hard())),
            "the external resource monitor lets milan-id have cpu 3600m, nvidia.com/gpu 0"
        );
        assert_eq!(said(Some(BTreeMap::new())), "the external resource monitor lets milan-id have nothing");
        assert_eq!(said(None), "the external resource monitor was told to forget milan-id");
    }

    #[test]
    fn rules_are_shown() {
        let simple = SharingConfigured::default();
        assert_eq!(rules(&simple), "offers are made of what is free, every change is told");
        let limits = [("milan-id".into(), hard())].into();
        let limited = SharingConfigured { threshold_percent: 5, monitored: true, limits };
        let expected = "offers are made of the external resource monitor, changes above 5 percent are told, with limits \
                        for 1 consumer or for all";
        assert_eq!(rules(&limited), expected);
    }
}
