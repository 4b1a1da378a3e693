//! What a request to a kubelet is called in RBAC: a verb on a subresource of the node.

use http::Method;

/// A verb on a subresource of the node, such as `get` on `nodes/metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attributes {
    /// The verb; empty for methods that Kubernetes has no verb for.
    pub verb: &'static str,
    /// The subresource of `nodes`.
    pub subresource: &'static str,
}

/// Paths with a subresource of their own, and whether `proxy` grants them too. All others are `proxy` alone.
const SUBRESOURCES: &[(&str, &str, bool)] = &[
    ("/pods", "pods", true),
    ("/healthz", "healthz", true),
    ("/configz", "configz", true),
    ("/runningpods", "pods", true),
    ("/stats", "stats", false),
    ("/metrics", "metrics", false),
    ("/logs", "log", false),
    ("/checkpoint", "checkpoint", false),
    ("/statusz", "statusz", false),
    ("/flagz", "configz", false),
];

/// What a caller needs for a request, as kubelets of Kubernetes 1.34 see it: any one of these is enough.
pub(crate) fn attributes(method: &Method, path: &str) -> Vec<Attributes> {
    let verb = verb(method);
    let found = SUBRESOURCES.iter().find(|(prefix, _, _)| is_below(path, prefix));
    let subresources = match found {
        Some((_, own, true)) => vec![*own, "proxy"],
        Some((_, own, false)) => vec![*own],
        None => vec!["proxy"],
    };
    subresources.into_iter().map(|subresource| Attributes { verb, subresource }).collect()
}

fn verb(method: &Method) -> &'static str {
    match method.as_str() {
        "POST" => "create",
        "GET" => "get",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "",
    }
}

fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_named_as_kubelets_name_them() {
        let named = |method, path| -> Vec<String> {
            let all = attributes(&method, path);
            all.iter().map(|one| format!("{} {}", one.verb, one.subresource)).collect()
        };
        for (method, path, expected) in [
            (Method::GET, "/containerLogs/a/b/c", &["get proxy"][..]),
            (Method::POST, "/exec/a/b/c", &["create proxy"]),
            (Method::GET, "/exec/a/b/c", &["get proxy"]),
            (Method::POST, "/attach/a/b/c", &["create proxy"]),
            (Method::POST, "/portForward/a/b", &["create proxy"]),
            (Method::GET, "/pods", &["get pods", "get proxy"]),
            (Method::GET, "/runningpods/", &["get pods", "get proxy"]),
            (Method::GET, "/healthz", &["get healthz", "get proxy"]),
            (Method::GET, "/healthz/ping", &["get healthz", "get proxy"]),
            (Method::GET, "/stats/summary", &["get stats"]),
            (Method::GET, "/stats", &["get stats"]),
            (Method::GET, "/statsx", &["get proxy"]),
            (Method::GET, "/metrics", &["get metrics"]),
            (Method::GET, "/metrics/resource", &["get metrics"]),
            (Method::GET, "/metrics/cadvisor", &["get metrics"]),
            (Method::GET, "/logs/", &["get log"]),
            (Method::GET, "/configz", &["get configz", "get proxy"]),
            (Method::GET, "/flagz", &["get configz"]),
            (Method::GET, "/statusz", &["get statusz"]),
            (Method::POST, "/checkpoint/a/b/c", &["create checkpoint"]),
            (Method::GET, "/", &["get proxy"]),
            (Method::PUT, "/pods", &["update pods", "update proxy"]),
            (Method::PATCH, "/stats", &["patch stats"]),
            (Method::DELETE, "/exec", &["delete proxy"]),
            (Method::HEAD, "/metrics", &[" metrics"]),
        ] {
            assert_eq!(named(method.clone(), path), expected, "{method} {path}");
        }
    }
}
