//! Samples of what offers are made by. They are the last lines, whatever their family: they came later than the others.

use super::{applied, pod};
use crate::{
    Command, CommandId, CommandIssued, Content, Effect, Event, Facts, OwnedBy, PodFacts, ShareReported,
    SharingConfigured, Slot,
};
use liqo_model::{Kind, ObjectKey};

/// Pods with requests beside CPU and memory, with and without a part in reflection.
pub(super) fn pods() -> Vec<Event> {
    let requests = || [("nvidia.com/gpu".to_owned(), 2_000)].into();
    let with = PodFacts { requests: requests(), ..pod() };
    let without = PodFacts { reflection: None, ..with.clone() };
    [with, without].map(|pod| applied(Facts::Pod(pod))).into()
}

pub(super) fn others() -> Vec<Event> {
    let amounts = || [("cpu".to_owned(), 4_000)].into();
    let content = Content::Offer {
        remote: "rome-id".into(),
        id: "milan-id".into(),
        hard: amounts(),
        labels: [("region".to_owned(), "eu".to_owned())].into(),
        others: 2,
        owner: OwnedBy { name: "rome".to_owned(), uid: "u-1".into() },
    };
    let slot = Slot {
        object: ObjectKey::local(Kind::ResourceOffer, "liqo-tenant-rome-f4b52b", "milan"),
        part: "object".to_owned(),
    };
    let command = Command { id: CommandId([2; 16]), slot, effect: Effect::Put { content } };
    vec![
        Event::SharingConfigured(SharingConfigured {
            threshold_percent: 5,
            monitored: true,
            limits: [("milan-id".into(), amounts()), ("".into(), amounts())].into(),
        }),
        Event::ShareReported(ShareReported { peer: "milan-id".into(), amounts: Some(amounts()) }),
        Event::ShareReported(ShareReported { peer: "milan-id".into(), amounts: None }),
        Event::CommandIssued(CommandIssued { command }),
    ]
}
