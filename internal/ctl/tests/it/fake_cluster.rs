//! An API server that keeps objects by path, and lets a test play the controllers behind it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;
use clap::Parser;
use liqo_ctl::{Arguments, Console, report, run};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What the server keeps, and what it was asked.
#[derive(Default)]
pub(crate) struct World {
    /// Objects by their path.
    pub(crate) objects: BTreeMap<String, Value>,
    /// Every request that changes something: method and path.
    pub(crate) writes: Vec<String>,
    /// Whether it does not know Liqo's kinds.
    pub(crate) without_liqo: bool,
    /// Headers of requests that tell who asks.
    pub(crate) asked_as: Vec<String>,
    version: u64,
}

/// Plays the controllers: it is called after each request.
type Controllers = Box<dyn FnMut(&mut World) + Send>;

pub(crate) struct FakeCluster {
    world: Arc<Mutex<World>>,
    directory: tempfile::TempDir,
}

/// What a command wrote, and how it ended.
pub(crate) struct Ran {
    pub(crate) output: String,
    /// What was said beside it.
    pub(crate) aside: String,
    pub(crate) error: Option<String>,
}

impl FakeCluster {
    pub(crate) async fn start(objects: Vec<(String, Value)>) -> Self {
        Self::with(objects, |_| {}).await
    }

    pub(crate) async fn with(
        objects: Vec<(String, Value)>,
        controllers: impl FnMut(&mut World) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let world = World { objects: objects.into_iter().collect(), ..World::default() };
        let world = Arc::new(Mutex::new(world));
        let controllers: Arc<Mutex<Controllers>> = Arc::new(Mutex::new(Box::new(controllers)));
        let kept = Arc::clone(&world);
        let router = Router::new().fallback(move |request: Request| {
            let (world, controllers) = (Arc::clone(&kept), Arc::clone(&controllers));
            async move {
                let (method, uri) = (request.method().to_string(), request.uri().clone());
                let who = identity(request.headers());
                let bytes = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
                let body = serde_json::from_slice(&bytes).unwrap_or_default();
                let mut world = world.lock().unwrap();
                world.asked_as.extend(who);
                let answer = world.answer((&method, uri.path()), uri.query().unwrap_or_default(), &body);
                controllers.lock().unwrap()(&mut world);
                answer
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self::at(&address.to_string(), world)
    }

    /// One that takes connections, and never answers.
    pub(crate) async fn silent() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok(connection) = listener.accept().await {
                held.push(connection);
            }
        });
        Self::at(&address.to_string(), Arc::default())
    }

    fn at(address: &str, world: Arc<Mutex<World>>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "a",
            "users": [{"name": "a", "user": {}}],
            "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
            "clusters": [{"name": "a", "cluster": {"server": format!("http://{address}")}}],
        });
        std::fs::write(directory.path().join("kubeconfig"), kubeconfig.to_string()).unwrap();
        Self { world, directory }
    }

    /// Runs a command line, of which the program's name and `--kubeconfig` are added.
    pub(crate) async fn run(&self, line: &str) -> Ran {
        let kubeconfig = self.kubeconfig();
        let words = ["liqoctl", "--kubeconfig", &kubeconfig];
        self.run_words(words.into_iter().chain(line.split_whitespace())).await
    }

    /// What is answered to a completion script of a line and the word that is typed at.
    pub(crate) async fn complete(&self, line: &str, typed: &str) -> String {
        let kubeconfig = self.kubeconfig();
        let words = ["liqoctl", "__complete", "--", "--kubeconfig", &kubeconfig];
        let ran = self.run_words(words.into_iter().chain(line.split_whitespace()).chain([typed])).await;
        assert_eq!(ran.error, None);
        ran.output
    }

    fn kubeconfig(&self) -> String {
        self.directory.path().join("kubeconfig").to_str().unwrap().to_owned()
    }

    async fn run_words(&self, words: impl Iterator<Item = &str>) -> Ran {
        let arguments = Arguments::try_parse_from(words).unwrap();
        let (written, aside) = (Written::default(), Written::default());
        let mut console = Console::plain(written.clone()).with_aside(aside.clone());
        let ended = run(arguments, &mut console).await;
        Ran { output: written.text(), aside: aside.text(), error: ended.err().map(|error| report(&error)) }
    }

    /// Changes what the server keeps.
    pub(crate) fn change(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.world.lock().unwrap());
    }

    /// Who the requests since the last call were from.
    pub(crate) fn asked_as(&self) -> Vec<String> {
        std::mem::take(&mut self.world.lock().unwrap().asked_as)
    }

    pub(crate) fn object(&self, path: &str) -> Option<Value> {
        self.world.lock().unwrap().objects.get(path).cloned()
    }

    /// The only object of a collection whose name begins so.
    pub(crate) fn object_made(&self, collection: &str, beginning: &str) -> Value {
        let world = self.world.lock().unwrap();
        let begins = format!("{collection}/{beginning}");
        let mut found = world.objects.iter().filter(|(path, _)| path.starts_with(&begins));
        let (Some((_, object)), None) = (found.next(), found.next()) else { panic!("one of {begins}") };
        object.clone()
    }

    /// What was written since the last call.
    pub(crate) fn writes(&self) -> Vec<String> {
        std::mem::take(&mut self.world.lock().unwrap().writes)
    }
}

impl World {
    fn answer(&mut self, (method, path): (&str, &str), query: &str, body: &Value) -> Response {
        if method != "GET" {
            self.writes.push(format!("{method} {path}"));
        }
        self.version += 1;
        if self.without_liqo && path.contains(".liqo.io/") {
            let builder = Response::builder().status(404).header("Content-Type", "text/plain");
            return builder.body(Body::from("404 page not found\n")).unwrap();
        }
        match (method, self.objects.get(path).cloned()) {
            ("GET", Some(object)) => reply(200, &object),
            ("GET", None) if self.is_collection(path) => reply(200, &self.list(path, query)),
            ("POST", _) => self.create(path, body),
            ("PATCH", Some(object)) => {
                let changed = self.merged(object, body);
                self.objects.insert(path.to_owned(), changed.clone());
                reply(200, &changed)
            }
            ("DELETE", Some(object)) => {
                self.delete(path, object);
                reply(200, &json!({"kind": "Status", "status": "Success"}))
            }
            _ => refusal(404, "NotFound", &format!("{path} not found")),
        }
    }

    /// Kinds are in lower case and plural; names here never are.
    fn is_collection(&self, path: &str) -> bool {
        let last = path.rsplit('/').next().unwrap_or_default();
        COLLECTIONS.contains(&last)
    }

    fn list(&self, path: &str, query: &str) -> Value {
        let selector = query.split('&').find_map(|pair| pair.strip_prefix("labelSelector="));
        let selector =
            selector.unwrap_or_default().replace("%2F", "/").replace("%3D", "=").replace("%2C", ",");
        let wanted: Vec<(&str, &str)> = selector.split(',').filter_map(|pair| pair.split_once('=')).collect();
        let node = query.split('&').find_map(|pair| pair.strip_prefix("fieldSelector=spec.nodeName%3D"));
        let fits = |object: &Value| {
            node.is_none_or(|node| object["spec"]["nodeName"] == node)
                && wanted.iter().all(|(key, value)| object["metadata"]["labels"][key] == json!(value))
        };
        let within = |key: &str| {
            let (collection, _) = key.rsplit_once('/').unwrap();
            collection == path || everywhere(collection) == path
        };
        let found = self.objects.iter().filter(|(key, object)| within(key) && fits(object));
        let items: Vec<Value> = found.map(|(_, object)| object.clone()).collect();
        json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "1"}, "items": items})
    }

    fn create(&mut self, path: &str, body: &Value) -> Response {
        if let Some((namespace, _)) =
            path.split_once("/namespaces/").and_then(|(_, rest)| rest.split_once('/'))
            && !self.objects.contains_key(&format!("/api/v1/namespaces/{namespace}"))
        {
            return refusal(404, "NotFound", &format!("namespaces \"{namespace}\" not found"));
        }
        let key = format!("{path}/{}", body["metadata"]["name"].as_str().unwrap());
        if self.objects.contains_key(&key) {
            return refusal(409, "AlreadyExists", &format!("{key} already exists"));
        }
        let mut object = body.clone();
        object["metadata"]["uid"] = json!(format!("uid-{}", self.version));
        object["metadata"]["generation"] = json!(1);
        object["metadata"]["creationTimestamp"] = json!("2026-11-22T13:51:40Z");
        self.objects.insert(key, object.clone());
        reply(201, &object)
    }

    fn merged(&self, mut object: Value, patch: &Value) -> Value {
        let spec = object["spec"].clone();
        merge(&mut object, patch);
        if object["spec"] != spec {
            let generation = object["metadata"]["generation"].as_i64().unwrap_or_default();
            object["metadata"]["generation"] = json!(generation + 1);
        }
        object
    }

    fn delete(&mut self, path: &str, mut object: Value) {
        let kept =
            object["metadata"]["finalizers"].as_array().is_some_and(|finalizers| !finalizers.is_empty());
        if kept {
            object["metadata"]["deletionTimestamp"] = json!("2026-11-22T14:00:00Z");
            self.objects.insert(path.to_owned(), object);
        } else {
            self.objects.remove(path);
        }
    }

    /// Changes an object as a controller does.
    pub(crate) fn change(&mut self, path: &str, patch: Value) {
        if let Some(object) = self.objects.get_mut(path) {
            merge(object, &patch);
        }
    }
}

const COLLECTIONS: &[&str] = &[
    "configmaps",
    "daemonsets",
    "deployments",
    "foreignclusters",
    "ipamstorages",
    "namespaces",
    "namespacemaps",
    "namespaceoffloadings",
    "namespaces",
    "nodes",
    "pods",
    "resourceoffers",
    "secrets",
    "services",
    "tunnelendpoints",
];

/// The path of a collection without its namespace.
fn everywhere(collection: &str) -> String {
    match collection.split_once("/namespaces/") {
        Some((group, rest)) => match rest.split_once('/') {
            Some((_, plural)) => format!("{group}/{plural}"),
            None => collection.to_owned(),
        },
        None => collection.to_owned(),
    }
}

/// RFC 7386.
fn merge(target: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in fields {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut target[key], value);
        }
    }
}

fn refusal(code: u16, reason: &str, message: &str) -> Response {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason,
        "code": code,
    });
    reply(code, &status)
}

fn reply(code: u16, body: &Value) -> Response {
    let builder = Response::builder().status(code).header("Content-Type", "application/json");
    builder.body(Body::from(body.to_string())).unwrap()
}

/// Headers that tell who asks.
fn identity(headers: &HeaderMap) -> Vec<String> {
    let told = headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("impersonate-") || *name == "authorization");
    told.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().map_err(|_| io::Error::other("poisoned"))?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
