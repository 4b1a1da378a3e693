//! `liqoctl generate peer-command`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use liqo_identity::{Secret, read_one_time_token, way_back};
use serde_json::Value;

use crate::fake_cluster::FakeCluster;
use crate::objects::{PIN, ROME, TOKEN, installed};

const SECRETS: &str = "/api/v1/namespaces/liqo/secrets";

/// The command without its token.
fn command() -> String {
    format!(
        "liqoctl peer out-of-band rome --auth-url https://172.18.1.1:31770 --cluster-id {ROME} --auth-token "
    )
}

#[tokio::test]
async fn the_shared_token_is_printed_when_asked_for() {
    let cluster = FakeCluster::start(installed()).await;
    let ran = cluster.run("generate peer-command --only-command --shared-token").await;
    assert_eq!((ran.output, ran.error), (format!("{}{TOKEN}.{PIN}\n", command()), None));
    let ran = cluster.run("generate peer-command --only-command --shared-token --unpinned").await;
    assert_eq!((ran.output, ran.error), (format!("{}{TOKEN}\n", command()), None));
    let ran = cluster.run("generate peer-command --shared-token").await;
    assert!(ran.output.starts_with("INFO: Peering information read\n\nRun this command"), "{}", ran.output);
    assert!(ran.output.contains("; any number of clusters may use its token:\n"), "{}", ran.output);
    assert!(ran.output.ends_with(&format!("\n\n{}{TOKEN}.{PIN}\n", command())), "{}", ran.output);
    assert!(cluster.writes().is_empty());
}

/// The token in the command that was printed, and the Secret that was written for it.
async fn one_time(cluster: &FakeCluster, line: &str) -> (String, Value) {
    let ran = cluster.run(line).await;
    assert_eq!(ran.error, None);
    let printed = ran.output.lines().last().unwrap().to_owned();
    let token = printed.strip_prefix(&command()).unwrap().to_owned();
    assert_eq!(cluster.writes(), [format!("POST {SECRETS}")]);
    let kept = cluster.object_made(SECRETS, "liqo-one-time-token-");
    (token, kept)
}

#[tokio::test]
async fn a_token_for_one_cluster_is_made_and_never_kept() {
    let cluster = FakeCluster::start(installed()).await;
    let (token, kept) = one_time(&cluster, "generate peer-command --only-command").await;
    let (secret, pin) = token.split_once('.').unwrap();
    assert_eq!((secret.len(), pin), (64, PIN));
    let all = kept.to_string();
    let encoded = STANDARD.encode(secret);
    for canary in [secret, &secret[..32], &encoded, &encoded[..40]] {
        assert!(!all.contains(canary), "{all}");
    }
    assert_eq!(kept["metadata"]["labels"]["liqo.io/one-time-token"], "true");
    let data = kept["data"].as_object().unwrap().iter();
    let data =
        data.map(|(key, text)| (key.clone(), STANDARD.decode(text.as_str().unwrap()).unwrap())).collect();
    let read = read_one_time_token(&data).unwrap();
    assert_eq!((read.cluster, read.spent), (None, false));
    // It is none of those that may be used again.
    assert!(!way_back(&Secret::new(TOKEN), &ROME.into()).unwrap().matches(&Secret::new(secret)));
}

#[tokio::test]
async fn each_command_has_a_token_of_its_own() {
    let tokens = [
        one_time(&FakeCluster::start(installed()).await, "generate peer-command").await.0,
        one_time(&FakeCluster::start(installed()).await, "generate peer-command --expires-in 1h").await.0,
    ];
    assert_ne!(tokens[0], tokens[1]);
}

#[tokio::test]
async fn what_is_missing_is_named_and_no_token_is_made() {
    let without = |path: &str| {
        let objects = installed().into_iter().filter(|(key, _)| !key.ends_with(path)).collect();
        FakeCluster::start(objects)
    };
    for (path, expected) in [
        (
            "liqo-clusterid-configmap",
            "namespace liqo has 0 ConfigMaps with label app.kubernetes.io/name=clusterid",
        ),
        ("liqo-auth", "Service liqo/liqo-auth does not exist: check --namespace"),
        ("liqo-auth-key", "Secret liqo/liqo-auth-key does not exist: the authentication service makes it"),
        ("rome-worker", "peers cannot reach the Service liqo-auth, no node has an address"),
    ] {
        let cluster = without(path).await;
        let ran = cluster.run("generate peer-command -n liqo").await;
        let error = ran.error.unwrap();
        assert!(error.starts_with(expected), "{error}");
        assert_eq!(ran.output, "");
        assert!(cluster.writes().is_empty());
    }
    let ran = without("auth-token").await.run("generate peer-command --shared-token").await;
    let error = ran.error.unwrap();
    assert!(error.starts_with("Secret liqo/auth-token does not exist: the authentication"), "{error}");
}
