//! A cluster that offers resources, beside a real engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use liqo_domain::LiqoMachine;
use liqo_engine::{
    Actuator, Authority, Engine, Input, LogSource, OpenedLog, Options, Outcome, Running, SystemClock,
};
use liqo_events::{
    Applied, BodyDigest, ClusterIdentityFacts, Command, Configured, Content, ControlPlaneSettings, Effect,
    Event, Facts, ForeignClusterFacts, GenerationChanged, LeaseGained, NamespaceFacts, RelistCompleted,
    Replication, ResourceOfferFacts, ResourceRequestFacts, Settings, SharingConfigured, Started, UnixMillis,
    WatchKey,
};
use liqo_log::{EventLog, LogError, MemoryLog, Snapshot};
use liqo_model::{ClusterRef, Kind, ObjectKey};
use prometheus_client::registry::Registry;
use tokio::sync::mpsc;

/// Keeps nothing, and may everything.
struct Simple;

impl Authority for Simple {
    fn may_act(&self) -> bool {
        true
    }
}

impl LogSource for Simple {
    fn open(&mut self) -> Result<OpenedLog, LogError> {
        Ok(OpenedLog { log: Box::new(MemoryLog::default()), quarantined: None, lost: 0 })
    }

    fn begin(&mut self, _: &Snapshot) -> Result<Box<dyn EventLog>, LogError> {
        Ok(Box::new(MemoryLog::default()))
    }
}

/// Every command succeeds; offers are handed to the test.
struct Offers(mpsc::UnboundedSender<(String, BTreeMap<String, u64>)>);

impl Actuator for Offers {
    async fn act(&self, command: &Command, _: u32) -> Outcome {
        if let Effect::Put { content: Content::Offer { remote, hard, .. } } = &command.effect {
            self.0.send((remote.to_string(), hard.clone())).unwrap();
        }
        Outcome::Succeeded { resource_version: "50".into() }
    }
}

/// A cluster whose offers an external monitor decides on.
pub(super) struct Provider {
    pub(super) engine: Running<LiqoMachine>,
    offers: mpsc::UnboundedReceiver<(String, BTreeMap<String, u64>)>,
    versions: u64,
}

fn tenant(consumer: &str) -> String {
    format!("liqo-tenant-{consumer}")
}

impl Provider {
    /// One that leads, with consumers that have asked for resources.
    pub(super) async fn with(consumers: &[&str]) -> Self {
        let (sender, offers) = mpsc::unbounded_channel();
        let engine = Engine::<LiqoMachine>::start(Options {
            log: Box::new(Simple),
            started: Started {
                instance: "pod".into(),
                version: "0.1.0".to_owned(),
                namespace: "liqo".into(),
                cluster_name: "rome".into(),
                entropy: [7; 16],
            },
            actuator: Offers(sender),
            authority: Arc::new(Simple),
            clock: Arc::new(SystemClock),
            metrics: liqo_engine::Metrics::register(&mut Registry::default()),
        });
        let mut provider = Self { engine: engine.await.unwrap(), offers, versions: 10 };
        let identity = ClusterIdentityFacts { id: "rome-id".into(), name: "rome".into() };
        let identity_key = ObjectKey::local(Kind::ConfigMap, "liqo", "liqo-clusterid-configmap");
        let settings = ControlPlaneSettings { sharing_percentage: 50, incoming: true, ..Default::default() };
        let mut events = vec![
            Event::LeaseGained(LeaseGained { epoch: 1, continued: false }),
            Event::GenerationChanged(GenerationChanged {
                cluster: ClusterRef::Local,
                uid: "life".into(),
                generation: 1,
                reason: "first contact".to_owned(),
            }),
            Event::Configured(Configured { settings: Settings::ControlPlane(settings) }),
            Event::SharingConfigured(SharingConfigured { monitored: true, ..Default::default() }),
            provider.applied(identity_key, Facts::ClusterIdentity(identity)),
        ];
        events.extend(Kind::ALL.iter().map(|kind| listed(*kind)));
        for consumer in consumers {
            events.extend(provider.known(consumer));
        }
        provider.see(events).await;
        provider.engine.handle.inbox().send_durably(Input::GoLive { epoch: 1 }).await.unwrap();
        for consumer in consumers {
            provider.asks(consumer, false).await;
        }
        provider
    }

    async fn see(&self, events: Vec<Event>) {
        self.engine.handle.inbox().send_durably(Input::Observe(events)).await.unwrap();
    }

    fn applied(&mut self, object: ObjectKey, facts: Facts) -> Event {
        self.versions += 1;
        Event::Applied(Applied {
            uid: format!("uid-{object}").into(),
            object,
            resource_version: self.versions.to_string().as_str().into(),
            generation: 1,
            created_at: UnixMillis(0),
            deleting: false,
            digest: BodyDigest::default(),
            facts,
            coalesced: 0,
        })
    }

    fn known(&mut self, consumer: &str) -> [Event; 2] {
        let namespace = ObjectKey::local_cluster_scoped(Kind::Namespace, tenant(consumer));
        let peer = ObjectKey::local_cluster_scoped(Kind::ForeignCluster, consumer);
        let facts = ForeignClusterFacts {
            cluster_id: consumer.into(),
            cluster_name: consumer.into(),
            labelled_id: consumer.into(),
            auth_url: "https://peer.example".to_owned(),
            ..ForeignClusterFacts::default()
        };
        let tenant = NamespaceFacts { tenant_of: consumer.into(), ..NamespaceFacts::default() };
        [self.applied(namespace, Facts::Namespace(tenant)), self.applied(peer, Facts::ForeignCluster(facts))]
    }

    /// A consumer asks for resources, or takes that back.
    pub(super) async fn asks(&mut self, consumer: &str, withdrawn: bool) {
        let replication =
            Replication { replicated: true, origin_id: consumer.into(), ..Replication::default() };
        let facts = ResourceRequestFacts {
            replication,
            cluster_id: consumer.into(),
            cluster_name: consumer.into(),
            withdrawn,
            ..ResourceRequestFacts::default()
        };
        let key = ObjectKey::local(Kind::ResourceRequest, tenant(consumer), consumer);
        let event = self.applied(key, Facts::ResourceRequest(facts));
        self.see(vec![event]).await;
    }

    /// The next offer that is written, in millicores; the watch shows it.
    pub(super) async fn offer(&mut self) -> (String, u64) {
        let (consumer, hard) = self.offers.recv().await.unwrap();
        let cpu = hard["cpu"];
        let replication =
            Replication { origin: true, remote_id: consumer.as_str().into(), ..Replication::default() };
        let facts = ResourceOfferFacts {
            replication,
            cluster_id: "rome-id".into(),
            hard,
            ..ResourceOfferFacts::default()
        };
        let key = ObjectKey::local(Kind::ResourceOffer, tenant(&consumer), "rome");
        self.versions = self.versions.max(50);
        let event = self.applied(key, Facts::ResourceOffer(facts));
        self.see(vec![event]).await;
        (consumer, cpu)
    }

    /// Whether nothing more was offered.
    pub(super) fn offers_nothing(&mut self) -> bool {
        self.offers.try_recv().is_err()
    }
}

fn listed(kind: Kind) -> Event {
    Event::RelistCompleted(RelistCompleted {
        watch: WatchKey { cluster: ClusterRef::Local, kind, selector: String::new() },
        resource_version: "5".into(),
        generation: 1,
        objects: 0,
        differences: 0,
    })
}
