//! Somebody who works with one cluster by its commands, and keeps what liqoctl says.

use std::cell::RefCell;
use std::fmt::Debug;
use std::time::{Duration, Instant};

use liqo_installation::{Administrator, install, programs};
use liqo_testbed::{ClusterName, ClusterSpec, Testbed};
use serde_json::Value;

/// How long anything may take: seconds on a machine that does nothing else, and others compile beside.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The namespace that Liqo is installed in.
pub(crate) const LIQO: &str = liqo_installation::NAMESPACE;

/// One cluster and what was said in it.
pub(crate) struct User {
    pub(crate) name: &'static str,
    administrator: Administrator,
    /// Everything that liqoctl printed.
    said: RefCell<Vec<String>>,
}

/// The testbed, and in each of two clusters a user who has installed Liqo there; none when this process may not make nodes.
pub(crate) async fn pair(names: [&'static str; 2]) -> Option<(Testbed, User, User)> {
    if let Err(error) = Testbed::privileges() {
        eprintln!("SKIPPED: cluster_life_of_a_peering: {}", error.line());
        return None;
    }
    let testbed = Testbed::open().unwrap();
    let clusters: [ClusterName; 2] = names.map(|name| name.parse().unwrap());
    testbed.up(&clusters.clone().map(ClusterSpec::new)).await.unwrap();
    let mut users = Vec::new();
    for (name, cluster) in names.into_iter().zip(&clusters) {
        let administrator = install(&testbed, cluster, &programs()).await.unwrap();
        users.push(User { name, administrator, said: RefCell::default() });
    }
    let [consumer, provider] = <[User; 2]>::try_from(users).ok()?;
    Some((testbed, consumer, provider))
}

impl User {
    pub(crate) fn administrator(&self) -> &Administrator {
        &self.administrator
    }

    /// What `kubectl` prints with these words, split at spaces. It must succeed.
    pub(crate) fn kubectl(&self, words: &str) -> String {
        self.administrator
            .kubectl(&words.split(' ').collect::<Vec<_>>())
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same, with words that have spaces in them.
    pub(crate) fn try_kubectl(&self, words: &[&str]) -> liqo_installation::Result<String> {
        self.administrator.kubectl(words)
    }

    /// What `kubectl get` knows of objects.
    pub(crate) fn get(&self, words: &str) -> Value {
        serde_json::from_str(&self.kubectl(&format!("get {words} -o json"))).unwrap()
    }

    /// All objects that `kubectl get` lists.
    pub(crate) fn list(&self, words: &str) -> Vec<Value> {
        match self.get(words)["items"].take() {
            Value::Array(items) => items,
            other => panic!("get {words}: {other}"),
        }
    }

    pub(crate) fn apply(&self, manifest: &str) {
        self.try_apply(manifest).unwrap_or_else(|error| panic!("{error}"));
    }

    pub(crate) fn try_apply(&self, manifest: &str) -> liqo_installation::Result<String> {
        self.administrator.apply(manifest)
    }

    /// What `liqoctl` prints with these words. It must succeed.
    pub(crate) fn liqoctl(&self, words: &str) -> String {
        let words: Vec<&str> = words.split(' ').collect();
        let said = self.administrator.liqoctl(&words).unwrap_or_else(|error| panic!("{error}"));
        self.said.borrow_mut().push(said.clone());
        said
    }

    /// Everything that liqoctl has printed.
    pub(crate) fn said(&self) -> String {
        self.said.borrow().concat()
    }
}

/// Looks until there is something to see, and fails with what was seen last.
pub(crate) fn until<T, E: Debug>(what: &str, mut look: impl FnMut() -> Result<T, E>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(seen) => return seen,
            Err(seen) if Instant::now() > deadline => panic!("no {what} within {PATIENCE:?}: {seen:?}"),
            Err(_) => {}
        }
    }
}

/// The text at a path of an object.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
