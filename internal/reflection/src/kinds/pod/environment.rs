//! What a remote pod needs in its environment to find the API server of its home.

use serde_json::{Value, json};

use crate::names::DEFAULT_SERVICE_ACCOUNT;
use crate::{HomeApiServer, ReflectError, fields};

/// Path by which a pod asks for the name of its service account.
const SERVICE_ACCOUNT_PATH: &str = "spec.serviceAccountName";
/// Host names of an API server that the certificate holds and that pods use.
const HOST_NAMES: &[&str] = &[HomeApiServer::DEFAULT_HOST, "kubernetes.default.svc"];

/// The containers of one list of the pod's spec, with the environment that the kubelet of home would have given them.
pub(super) fn containers(
    home: &Value,
    list: &str,
    server: &HomeApiServer,
) -> Result<Vec<Value>, ReflectError> {
    let containers = fields::list(home, &format!("/spec/{list}"))?.iter();
    Ok(containers.map(|container| with_environment(container, home, server)).collect())
}

fn with_environment(container: &Value, home: &Value, server: &HomeApiServer) -> Value {
    let mut variables: Vec<Value> = fields::items(container, "/env").to_vec();
    for variable in &mut variables {
        // The remote pod has another service account.
        if fields::text(variable, "/valueFrom/fieldRef/fieldPath") == SERVICE_ACCOUNT_PATH {
            *variable = json!({"name": fields::text(variable, "/name"), "value": service_account(home)});
        }
    }
    // A variable that the pod defines itself wins over those of the kubelet.
    let added = of_server(server).into_iter().filter(|(name, _)| {
        !fields::items(container, "/env").iter().any(|variable| fields::text(variable, "/name") == name)
    });
    variables.extend(added.map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>());
    let mut container = container.clone();
    if let Value::Object(fields) = &mut container {
        fields.insert("env".to_owned(), variables.into());
    }
    container
}

/// The variables by which pods find the API server.
fn of_server(server: &HomeApiServer) -> [(String, String); 7] {
    let (host, port) = (&server.host, server.port);
    let url = format!("tcp://{host}:{port}");
    [
        ("KUBERNETES_SERVICE_HOST".to_owned(), host.clone()),
        ("KUBERNETES_SERVICE_PORT".to_owned(), port.to_string()),
        ("KUBERNETES_PORT".to_owned(), url.clone()),
        (format!("KUBERNETES_PORT_{port}_TCP"), url),
        (format!("KUBERNETES_PORT_{port}_TCP_PROTO"), "tcp".to_owned()),
        (format!("KUBERNETES_PORT_{port}_TCP_ADDR"), host.clone()),
        (format!("KUBERNETES_PORT_{port}_TCP_PORT"), port.to_string()),
    ]
}

fn service_account(home: &Value) -> &str {
    let names =
        ["/spec/serviceAccountName", "/spec/serviceAccount"].map(|pointer| fields::text(home, pointer));
    names.into_iter().find(|name| !name.is_empty()).unwrap_or(DEFAULT_SERVICE_ACCOUNT)
}

/// The host aliases of the pod, and one for the API server when it is reached at a translated address: the
/// certificate holds the names, not the address.
pub(super) fn host_aliases(home: &Value, server: &HomeApiServer) -> Result<Vec<Value>, ReflectError> {
    let mut aliases = fields::list(home, "/spec/hostAliases")?.to_vec();
    aliases.extend(server.alias.map(|ip| json!({"ip": ip.to_string(), "hostnames": HOST_NAMES})));
    Ok(aliases)
}
