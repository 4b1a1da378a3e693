//! A peering from its first command to its last, as a user goes through it, with processes of Liqo that end meanwhile.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod life;

use std::collections::BTreeSet;

use life::expected;
use life::faults::Process;
use life::inventory::Inventory;
use life::rights::Peer;
use life::secrecy::{self, CANARY, Logs};
use life::user::{LIQO, User, pair, text};
use life::workload::{GREETING, NAMESPACE, Offloaded, another_pod_runs, manifest};
use liqo_testbed::Testbed;

/// The cluster that uses resources, and the one that gives them.
const CLUSTERS: [&str; 2] = ["paris", "lyon"];

/// What outlives a peering in both clusters, as it does in 0.8.3: the tenant namespace, with what Kubernetes makes in each,
/// the identity of each side and the basic rights of the peer; and the token that the peer was asked for.
const OUTLIVING: [&str; 7] = [
    "Namespace /TENANT",
    "ConfigMap TENANT/kube-root-ca.crt",
    "ServiceAccount TENANT/default",
    "RoleBinding TENANT/liqo-binding-liqo-remote-peering-basic",
    "Secret TENANT/liqo-identity-UNIQUE",
    "Secret TENANT/liqo-remote-certificate",
    "Secret liqo/remote-token-PEER",
];
/// What the virtual kubelet had besides; in 0.8.3 it is its service account. Its successor goes on with them.
const OF_KUBELET: [&str; 2] = ["Secret TENANT/liqo-log-key", "Lease TENANT/virtual-kubelet"];

#[tokio::test]
async fn cluster_a_peering_lives_through_the_end_of_processes_and_leaves_nothing() {
    let Some((testbed, consumer, provider)) = pair(CLUSTERS).await else { return };
    let before = [Inventory::of(&consumer), Inventory::of(&provider)];

    // The last line of what is printed there is the command to run here.
    let printed = provider.liqoctl("generate peer-command");
    let command = printed.lines().find_map(|line| line.trim().strip_prefix("liqoctl peer ")).unwrap();
    consumer.liqoctl(&format!("peer {command}"));
    consumer.kubectl(&format!("wait node/liqo-{} --for=condition=Ready --timeout=60s", provider.name));
    expected::peering_is_shown(&consumer, &provider);
    let foreign = consumer.get(&format!("foreigncluster {}", provider.name));
    let [tenant, remote_tenant] =
        ["local", "remote"].map(|side| text(&foreign, &format!("/status/tenantNamespace/{side}")).to_owned());

    let pod = offload(&consumer, &provider);
    pod.answers(&consumer, &provider);
    let peer = Peer::of(&consumer, &tenant, &remote_tenant);
    peer.may_do_what_a_peering_needs(&pod.remote_namespace);

    let mut logs = Logs::default();
    survive(&testbed, (&consumer, &provider), (&pod, &tenant), &mut logs).await;
    keep_secrets(&testbed, (&consumer, &provider), &tenant, &mut logs).await;

    consumer.liqoctl(&format!("unoffload namespace {NAMESPACE}"));
    let namespace = consumer.get(&format!("namespace {NAMESPACE}"));
    assert_eq!(text(&namespace, "/metadata/labels/liqo.io~1scheduling-enabled"), "");
    pod.is_given_up(&consumer);
    logs.take(&consumer);
    consumer.liqoctl(&format!("unpeer out-of-band {}", provider.name));
    peer.may_ask_again_and_no_more(&pod.remote_namespace);
    // What was once can be again.
    consumer.liqoctl(&format!("peer {command}"));
    expected::everything_is_established(&consumer, &provider);
    consumer.liqoctl(&format!("unpeer out-of-band {}", provider.name));
    logs.take(&consumer);
    logs.take(&provider);
    consumer.kubectl(&format!("delete namespace {NAMESPACE} --timeout=60s"));
    assert_eq!(logs.errors(), [""; 0]);

    let [at_home, there] = before;
    let at_home = Side { user: &consumer, tenant, before: at_home };
    let there = Side { user: &provider, tenant: remote_tenant, before: there };
    at_home.is_as_before(&there, &[&OUTLIVING[..], &OF_KUBELET].concat());
    there.is_as_before(&at_home, &OUTLIVING);
}

/// A Deployment of the consumer runs in the provider, with what it needs.
fn offload(consumer: &User, provider: &User) -> Offloaded {
    consumer.kubectl(&format!("create namespace {NAMESPACE}"));
    consumer.liqoctl(&format!("offload namespace {NAMESPACE}"));
    consumer.apply(&manifest());
    consumer.kubectl(&format!("wait pod/client -n {NAMESPACE} --for=condition=Ready --timeout=60s"));
    let client = consumer.get(&format!("pod client -n {NAMESPACE}"));
    let tolerations = client["spec"]["tolerations"].as_array().unwrap();
    let is_ours = |key: &&serde_json::Value| text(key, "/key") == "virtual-node.liqo.io/not-allowed";
    assert_eq!(tolerations.iter().filter(is_ours).count(), 1, "{tolerations:?}");

    let pod = Offloaded::of(consumer, provider);
    assert_eq!(pod.says(consumer, "echo $GREETING; cat /planted/password"), format!("{GREETING}\n{CANARY}"));
    // Its probe asks.
    assert!(consumer.kubectl(&format!("logs {} -n {NAMESPACE}", pod.name)).contains("GET /"));
    pod
}

/// Each process of the consumer ends twice; the pod and its answers go on.
async fn survive(
    testbed: &Testbed,
    (consumer, provider): (&User, &User),
    (pod, tenant): (&Offloaded, &str),
    logs: &mut Logs,
) {
    let processes = [
        Process { namespace: LIQO, name: "controller-manager" },
        Process { namespace: tenant, name: "virtual-kubelet" },
        Process { namespace: LIQO, name: "gateway" },
    ];
    for process in processes {
        process.kill(testbed, consumer).await;
        pod.answers(consumer, provider);
        process.delete(consumer, logs);
        pod.answers(consumer, provider);
        expected::everything_is_established(consumer, provider);
        another_pod_runs(consumer);
        pod.is_undisturbed(consumer, provider);
    }
    assert_eq!(pod.says(consumer, "echo $GREETING"), format!("{GREETING}\n"));
}

async fn keep_secrets(
    testbed: &Testbed,
    (consumer, provider): (&User, &User),
    tenant: &str,
    logs: &mut Logs,
) {
    logs.take(consumer);
    logs.take(provider);
    let [manager, kubelet] = secrecy::of_consumer(tenant);
    secrecy::is_kept(consumer, logs, &[&manager, &kubelet]);
    secrecy::is_kept(provider, logs, &[&manager]);
    for cluster in CLUSTERS {
        secrecy::is_on_no_disk(testbed, &format!("{cluster}-control-plane")).await;
    }
}

/// A cluster, and its namespace for the other one.
struct Side<'a> {
    user: &'a User,
    tenant: String,
    before: Inventory,
}

impl Side<'_> {
    /// Nothing is here that was not before, but for what outlives a peering.
    fn is_as_before(&self, other: &Side<'_>, outliving: &[&str]) {
        let identity = other.user.get(&format!("configmap liqo-clusterid-configmap -n {LIQO}"));
        let id = text(&identity, "/data/CLUSTER_ID");
        let named = |name: &&str| {
            name.replace("TENANT", &self.tenant)
                .replace("UNIQUE", self.tenant.trim_start_matches("liqo-tenant-"))
                .replace("PEER", id)
        };
        let outliving: BTreeSet<String> = outliving.iter().map(named).collect();
        let after = Inventory::of(self.user);
        // Kubernetes deletes these an hour later, and Liqo the token that was printed a day after its end.
        let ends_later = ["CertificateSigningRequest ", "Secret liqo/liqo-one-time-token-"];
        let is_left = |name: &String| {
            !outliving.contains(name) && !ends_later.iter().any(|beginning| name.starts_with(beginning))
        };
        let left: BTreeSet<String> = after.more_than(&self.before).into_iter().filter(is_left).collect();
        let name = self.user.name;
        assert_eq!(left, BTreeSet::new(), "left in {name}");
        assert_eq!(after.other_than(&self.before), [""; 0], "changed in {name}");
        assert_eq!(self.before.more_than(&after), BTreeSet::new(), "missing in {name}");
        let missing: Vec<&String> = outliving.iter().filter(|name| !after.has(name)).collect();
        assert_eq!(
            missing, [""; 0],
            "ended in {name}, and need not be in the list of what outlives a peering"
        );
    }
}
