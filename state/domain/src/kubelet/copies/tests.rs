//! Decision tables of the virtual kubelet's copies: what goes, what is kept, what is held.

use liqo_events::{
    Applied, BodyDigest, CommandIssued, CommandSucceeded, Configured, ContainerFacts, Effect, Event, Facts,
    KubeletSettings, MappingFacts, NamespaceMapFacts, PodFacts, Proof, Recorded, Reflection, RelistCompleted,
    Seq, Settings, ShadowPodFacts, Status, UnixMillis, Vanished, WatchKey,
};
use liqo_model::{ClusterRef, Kind, ObjectKey};

use crate::{KubeletMachine, Machine, Output, State, effect_hash};

/// A virtual kubelet and what it has done.
#[derive(Default)]
struct Kubelet {
    state: State,
    last: u64,
}

fn milan() -> ClusterRef {
    ClusterRef::Remote("milan-id".into())
}

fn there(kind: Kind, name: &str) -> ObjectKey {
    ObjectKey { cluster: milan(), kind, namespace: "shop-rome".to_owned(), name: name.to_owned() }
}

fn here(kind: Kind, name: &str) -> ObjectKey {
    ObjectKey::local(kind, "shop", name)
}

fn list(cluster: ClusterRef, kind: Kind, selector: &str) -> Event {
    Event::RelistCompleted(RelistCompleted {
        watch: WatchKey { cluster, kind, selector: selector.to_owned() },
        resource_version: "1".into(),
        generation: 0,
        objects: 0,
        differences: 0,
    })
}

fn pod(phase: &str, content: u8, status: u8) -> PodFacts {
    PodFacts {
        node: "liqo-milan".to_owned(),
        phase: phase.to_owned(),
        content: BodyDigest([content; 16]),
        status: BodyDigest([status; 16]),
        ..PodFacts::default()
    }
}

fn copied(home_uid: &str) -> Reflection {
    Reflection {
        home_uid: home_uid.into(),
        origin: "rome-id".into(),
        destination: "milan-id".into(),
        ..Reflection::default()
    }
}

fn shadow(home_uid: &str) -> Facts {
    Facts::ShadowPod(ShadowPodFacts { reflection: copied(home_uid), ..ShadowPodFacts::default() })
}

fn remote_pod(phase: &str, status: u8, home_uid: &str) -> Facts {
    let reflection = Some(Box::new(copied(home_uid)));
    Facts::Pod(PodFacts { reflection, node: "milan-worker".to_owned(), ..pod(phase, 9, status) })
}

impl Kubelet {
    /// One that has listed everything of a namespace that extends to milan.
    fn settled() -> Self {
        let mut kubelet = Self::default();
        let settings = KubeletSettings {
            remote: "milan-id".into(),
            home: "rome-id".into(),
            tenant: "liqo-tenant-milan".into(),
            node: "liqo-milan".to_owned(),
            ..KubeletSettings::default()
        };
        kubelet.see(Event::Configured(Configured { settings: Settings::Kubelet(settings) }));
        kubelet.map("Accepted");
        kubelet.see(list(ClusterRef::Local, Kind::NamespaceMap, "namespace=liqo-tenant-milan"));
        for kind in [Kind::Pod, Kind::ShadowPod, Kind::ConfigMap, Kind::Secret] {
            kubelet.see(list(milan(), kind, "namespace=shop-rome"));
        }
        kubelet.see(list(ClusterRef::Local, Kind::Pod, "fields=spec.nodeName=liqo-milan"));
        kubelet.see(list(ClusterRef::Local, Kind::ConfigMap, "namespace=shop"));
        kubelet.see(list(ClusterRef::Local, Kind::Secret, "namespace=shop"));
        kubelet
    }

    /// The provider says how it is with its part of the namespace.
    fn map(&mut self, phase: &str) -> Vec<Effect> {
        let map = NamespaceMapFacts {
            remote_cluster: "milan-id".into(),
            origin: true,
            current: [(
                "shop".to_owned(),
                MappingFacts { remote: "shop-rome".into(), phase: phase.to_owned() },
            )]
            .into(),
            ..NamespaceMapFacts::default()
        };
        self.apply(
            ObjectKey::local(Kind::NamespaceMap, "liqo-tenant-milan", "m"),
            "m",
            Facts::NamespaceMap(map),
        )
    }

    fn record(&mut self, event: Event) {
        self.last += 1;
        let recorded_at = UnixMillis(i64::try_from(self.last).unwrap());
        let recorded = Recorded { seq: Seq(self.last), recorded_at, caused_by: None, event };
        KubeletMachine::evolve(&mut self.state, &recorded);
    }

    /// Effects of the commands that an event brings.
    fn see(&mut self, event: Event) -> Vec<Effect> {
        self.record(event.clone());
        let last = Recorded { seq: Seq(self.last), recorded_at: UnixMillis(0), caused_by: None, event };
        let mut effects = Vec::new();
        for output in KubeletMachine::decide(&self.state, &last) {
            let event = match output {
                Output::Record(event) => event,
                Output::Do(command) => Event::CommandIssued(CommandIssued { command }),
            };
            if !KubeletMachine::is_news(&self.state, &event) {
                continue;
            }
            if let Event::CommandIssued(issued) = &event {
                effects.push(issued.command.effect.clone());
            }
            self.record(event);
        }
        effects
    }

    fn apply_as(&mut self, key: ObjectKey, uid: &str, deleting: bool, facts: Facts) -> Vec<Effect> {
        let version = (self.last + 100).to_string();
        self.see(Event::Applied(Applied {
            object: key,
            uid: uid.into(),
            resource_version: version.into(),
            generation: 1,
            created_at: UnixMillis(1),
            deleting,
            digest: BodyDigest::default(),
            facts,
            coalesced: 0,
        }))
    }

    fn apply(&mut self, key: ObjectKey, uid: &str, facts: Facts) -> Vec<Effect> {
        self.apply_as(key, uid, false, facts)
    }

    fn vanish(&mut self, key: ObjectKey, uid: &str) -> Vec<Effect> {
        let version = (self.last + 100).to_string();
        let proof = Proof::Deleted;
        self.see(Event::Vanished(Vanished {
            object: key,
            uid: uid.into(),
            resource_version: version.into(),
            proof,
        }))
    }

    /// Every command is carried out; nothing is seen yet.
    fn act(&mut self) {
        for ready in KubeletMachine::ready(&self.state) {
            let command = ready.command;
            self.see(Event::CommandSucceeded(CommandSucceeded {
                id: command.id,
                effect: effect_hash(&command.effect),
                destructive: command.effect.is_destructive(),
                slot: command.slot,
                resource_version: (self.last + 50).to_string().into(),
            }));
        }
    }

    /// A pod that runs on both sides.
    fn running() -> Self {
        let mut kubelet = Self::settled();
        kubelet.apply(here(Kind::Pod, "web"), "h", Facts::Pod(pod("Pending", 1, 0)));
        kubelet.act();
        kubelet.apply(there(Kind::ShadowPod, "web"), "s", shadow("h"));
        kubelet.apply(there(Kind::Pod, "web"), "r", remote_pod("Running", 5, "h"));
        kubelet.act();
        kubelet.apply(here(Kind::Pod, "web"), "h", Facts::Pod(pod("Running", 1, 6)));
        kubelet
    }
}

fn names(effects: &[Effect]) -> Vec<&'static str> {
    effects.iter().map(Effect::name).collect()
}

#[test]
fn a_pod_goes_and_its_status_comes_back() {
    let mut kubelet = Kubelet::settled();
    let effects = kubelet.apply(here(Kind::Pod, "web"), "h", Facts::Pod(pod("Pending", 1, 0)));
    let reflect =
        Effect::Reflect { from: here(Kind::Pod, "web"), uid: "h".into(), content: BodyDigest([1; 16]) };
    assert_eq!(effects, [reflect]);
    kubelet.act();
    assert_eq!(names(&kubelet.apply(there(Kind::ShadowPod, "web"), "s", shadow("h"))), [""; 0]);
    let effects = kubelet.apply(there(Kind::Pod, "web"), "r", remote_pod("Running", 5, "h"));
    let mirror =
        Effect::MirrorStatus { from: there(Kind::Pod, "web"), uid: "h".into(), status: BodyDigest([5; 16]) };
    assert_eq!(effects, [mirror]);
    kubelet.act();
    // What the other side says again is no news, and what home says now is what was written.
    assert_eq!(names(&kubelet.apply(there(Kind::Pod, "web"), "r", remote_pod("Running", 5, "h"))), [""; 0]);
    let effects = kubelet.apply(there(Kind::Pod, "web"), "r", remote_pod("Succeeded", 7, "h"));
    assert_eq!(names(&effects), ["MirrorStatus"]);
}

#[test]
fn a_pod_that_is_let_go_ends_there_first_and_then_here() {
    let mut kubelet = Kubelet::running();
    let effects = kubelet.apply_as(here(Kind::Pod, "web"), "h", true, Facts::Pod(pod("Running", 1, 6)));
    let effect = effects.iter().find(|effect| matches!(effect, Effect::Delete { .. }));
    assert!(
        matches!(effect, Some(Effect::Delete { uid, grace: None, .. }) if uid.as_str() == "s"),
        "{effects:?}"
    );
    kubelet.act();
    assert!(!names(&kubelet.vanish(there(Kind::ShadowPod, "web"), "s")).contains(&"Delete"));
    let effects = kubelet.vanish(there(Kind::Pod, "web"), "r");
    assert!(
        matches!(effects.as_slice(), [Effect::Delete { uid, grace: Some(0), .. }] if uid.as_str() == "h"),
        "{effects:?}"
    );
}

#[test]
fn a_shadow_whose_pod_has_gone_goes_as_well() {
    let mut kubelet = Kubelet::running();
    assert_eq!(names(&kubelet.vanish(here(Kind::Pod, "web"), "h")), ["Delete"]);
}

#[test]
fn terminal_is_terminal() {
    let mut kubelet = Kubelet::running();
    kubelet.apply(here(Kind::Pod, "web"), "h", Facts::Pod(pod("Succeeded", 1, 8)));
    kubelet.act();
    kubelet.vanish(there(Kind::Pod, "web"), "r");
    let effects = kubelet.vanish(there(Kind::ShadowPod, "web"), "s");
    assert_eq!(names(&effects), [""; 0], "a pod that ended never runs again");
}

#[test]
fn a_shadow_that_somebody_deleted_is_made_again() {
    let mut kubelet = Kubelet::running();
    assert_eq!(names(&kubelet.vanish(there(Kind::ShadowPod, "web"), "s")), ["Reflect"]);
}

#[test]
fn a_shadow_of_an_earlier_life_goes_before_the_new_one_comes() {
    let mut kubelet = Kubelet::running();
    kubelet.act();
    let effects = kubelet.apply(here(Kind::Pod, "web"), "h2", Facts::Pod(pod("Pending", 1, 0)));
    assert_eq!(names(&effects), ["Delete"]);
    kubelet.act();
    let effects = kubelet.vanish(there(Kind::ShadowPod, "web"), "s");
    assert_eq!(names(&effects), ["Reflect"]);
}

#[test]
fn objects_are_copied_once_again_when_they_change_and_deleted_when_they_go() {
    let mut kubelet = Kubelet::settled();
    let facts = |content: u8| {
        Facts::Reflected(Reflection { content: BodyDigest([content; 16]), ..Reflection::default() })
    };
    assert_eq!(names(&kubelet.apply(here(Kind::ConfigMap, "conf"), "c", facts(1))), ["Reflect"]);
    kubelet.act();
    let copy = || Facts::Reflected(Reflection { content: BodyDigest([9; 16]), ..copied("c") });
    assert_eq!(names(&kubelet.apply(there(Kind::ConfigMap, "conf"), "d", copy())), [""; 0]);
    assert_eq!(names(&kubelet.apply(here(Kind::ConfigMap, "conf"), "c", facts(2))), ["Reflect"]);
    kubelet.act();
    assert_eq!(names(&kubelet.vanish(here(Kind::ConfigMap, "conf"), "c")), ["Delete"]);
}

#[test]
fn what_is_not_ours_or_not_to_be_copied_is_left_alone() {
    let mut kubelet = Kubelet::settled();
    let skipped = Facts::Reflected(Reflection { skipped: true, ..Reflection::default() });
    assert_eq!(names(&kubelet.apply(here(Kind::ConfigMap, "conf"), "c", skipped)), [""; 0]);
    let token = Facts::Reflected(Reflection { belongs_to: "default".to_owned(), ..Reflection::default() });
    assert_eq!(names(&kubelet.apply(here(Kind::Secret, "token"), "t", token)), [""; 0]);
    let theirs = Facts::Reflected(Reflection::default());
    assert_eq!(names(&kubelet.apply(there(Kind::ConfigMap, "theirs"), "x", theirs)), [""; 0]);
}

/// Pods that trust the API server of their cluster mount it by that name.
#[test]
fn root_certificates_go_under_a_name_that_the_provider_has_not_taken() {
    let mut kubelet = Kubelet::settled();
    let certificates = Facts::Reflected(Reflection { content: BodyDigest([1; 16]), ..Reflection::default() });
    kubelet.apply(here(Kind::ConfigMap, "kube-root-ca.crt"), "c", certificates);
    let issued = KubeletMachine::ready(&kubelet.state);
    let slots: Vec<_> = issued.iter().map(|ready| &ready.command.slot.object).collect();
    assert_eq!(slots, [&there(Kind::ConfigMap, "kube-root-ca.crt.rome-")]);
    kubelet.act();
    let copy = Facts::Reflected(copied("c"));
    assert_eq!(names(&kubelet.apply(there(Kind::ConfigMap, "kube-root-ca.crt.rome-"), "d", copy)), [""; 0]);
    assert_eq!(names(&kubelet.vanish(here(Kind::ConfigMap, "kube-root-ca.crt"), "c")), ["Delete"]);
}

#[test]
fn pods_are_given_up_or_wait_when_their_namespace_extends_no_more() {
    let told = |facts: PodFacts| {
        let mut kubelet = Kubelet::running();
        kubelet.apply(here(Kind::Pod, "other"), "o", Facts::Pod(facts));
        kubelet.act();
        let refused = Effect::PutStatus { uid: "o".into(), status: Status::UnmappedPod };
        kubelet.map("Terminating").contains(&refused)
    };
    let with_reason = |phase: &str, reason: &str| PodFacts { reason: reason.to_owned(), ..pod(phase, 1, 0) };
    let started = PodFacts { containers: vec![ContainerFacts::default()], ..pod("Pending", 1, 0) };
    for (case, facts, expected) in [
        ("runs", pod("Running", 1, 6), true),
        ("failed by itself", pod("Failed", 1, 6), true),
        ("is given up", with_reason("Failed", "OffloadingAborted"), false),
        ("is done", pod("Succeeded", 1, 6), false),
        ("has not started", pod("Pending", 1, 0), true),
        ("waits", with_reason("Pending", "OffloadingBackOff"), false),
        ("starts", started, true),
    ] {
        assert_eq!(told(facts), expected, "{case}");
    }
}

#[test]
fn no_pod_is_given_up_before_it_is_known_which_namespaces_extend() {
    let mut kubelet = Kubelet::default();
    let settings = KubeletSettings { node: "liqo-milan".to_owned(), ..KubeletSettings::default() };
    kubelet.see(Event::Configured(Configured { settings: Settings::Kubelet(settings) }));
    let effects = kubelet.apply(here(Kind::Pod, "web"), "h", Facts::Pod(pod("Running", 1, 0)));
    assert_eq!(effects, []);
}
