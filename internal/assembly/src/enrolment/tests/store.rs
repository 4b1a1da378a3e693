//! An API server that keeps objects by their path, with versions: what is read is what was written, and a write with a
//! precondition that does not hold is refused.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[derive(Default)]
struct Kept {
    objects: BTreeMap<String, Value>,
    version: u64,
}

/// The server.
#[derive(Clone)]
pub(super) struct Store {
    kept: Arc<Mutex<Kept>>,
    client: kube::Client,
}

impl Store {
    pub(super) async fn start() -> Self {
        let kept = Arc::<Mutex<Kept>>::default();
        let answering = Arc::clone(&kept);
        let router = Router::new().fallback(move |request: Request| {
            let kept = Arc::clone(&answering);
            async move {
                let (method, uri) = (request.method().to_string(), request.uri().clone());
                let bytes = to_bytes(request.into_body(), 1 << 20).await.unwrap();
                let body = serde_json::from_slice(&bytes).unwrap_or_default();
                let query = uri.query().unwrap_or_default();
                kept.lock().unwrap().answer((&method, uri.path()), query, &body)
            }
        });
        let address = serve(router).await;
        let config = kube::Config::new(format!("http://{address}").parse().unwrap());
        Self { kept, client: config.try_into().unwrap() }
    }

    pub(super) fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// Puts an object under its path; its version is new.
    pub(super) fn put(&self, path: &str, object: Value) {
        self.kept.lock().unwrap().put(path, object);
    }

    pub(super) fn get(&self, path: &str) -> Value {
        self.kept.lock().unwrap().objects.get(path).cloned().unwrap_or_default()
    }

    pub(super) fn remove(&self, path: &str) {
        self.kept.lock().unwrap().objects.remove(path);
    }
}

/// Serves on loopback; the address.
pub(super) async fn serve(router: Router) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

impl Kept {
    fn answer(&mut self, (method, path): (&str, &str), query: &str, body: &Value) -> Response {
        match (method, self.objects.get(path).cloned()) {
            ("GET", Some(object)) => reply(200, &object),
            ("GET", None) if path.ends_with('s') => reply(200, &self.list(path, query)),
            ("POST", _) => {
                let path = format!("{path}/{}", body["metadata"]["name"].as_str().unwrap());
                if self.objects.contains_key(&path) {
                    refusal(409)
                } else {
                    reply(201, &self.put(&path, body.clone()))
                }
            }
            ("PATCH", Some(object)) => {
                let held = |field: &str| {
                    let wanted = &body["metadata"][field];
                    wanted.is_null() || *wanted == object["metadata"][field]
                };
                if !held("resourceVersion") || !held("uid") {
                    return refusal(409);
                }
                let mut changed = object.clone();
                merge(&mut changed, body);
                reply(200, &self.put(path, changed))
            }
            _ => refusal(404),
        }
    }

    fn put(&mut self, path: &str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.objects.insert(path.to_owned(), object.clone());
        object
    }

    fn list(&self, path: &str, query: &str) -> Value {
        let selector =
            query.split('&').find_map(|pair| pair.strip_prefix("labelSelector=")).unwrap_or_default();
        let selector = selector.replace("%2F", "/").replace("%3D", "=");
        let fits = |object: &Value| {
            let wanted = selector.split_once('=');
            wanted.is_none_or(|(key, value)| object["metadata"]["labels"][key] == json!(value))
        };
        let (group, plural) = path.rsplit_once('/').unwrap();
        let within = |key: &str| {
            let collection = key.rsplit_once('/').unwrap().0;
            collection == path
                || (collection.starts_with(group) && collection.ends_with(&format!("/{plural}")))
        };
        let found = self.objects.iter().filter(|(key, object)| within(key) && fits(object));
        let items: Vec<Value> = found.map(|(_, object)| object.clone()).collect();
        json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "1"}, "items": items})
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

fn refusal(code: u16) -> Response {
    let reason = if code == 404 { "NotFound" } else { "Conflict" };
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "no", "reason": reason, "code": code,
    });
    reply(code, &status)
}

fn reply(code: u16, body: &Value) -> Response {
    let builder = Response::builder().status(code).header("Content-Type", "application/json");
    builder.body(Body::from(body.to_string())).unwrap()
}
