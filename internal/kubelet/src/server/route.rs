//! Which path of the kubelet API a request is about.

use http::Method;

use crate::peer::{Stream, is_name};

/// A container of a pod, by the names that they have in this cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub(super) namespace: &'a str,
    pub(super) pod: &'a str,
    /// Empty when it is about the whole pod.
    pub(super) container: &'a str,
}

/// A path of the kubelet API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    Health,
    Pods,
    Summary,
    /// Metrics that the peer gathers, at the same path.
    Scrape(&'static str),
    Log(Place<'a>),
    Stream(Stream, Place<'a>),
    Unknown,
}

/// Metrics that Liqo gathers in the peer.
const SCRAPED: [&str; 4] = ["/metrics", "/metrics/cadvisor", "/metrics/resource", "/metrics/probes"];

impl<'a> Route<'a> {
    /// What a path is about.
    pub(super) fn of(path: &'a str) -> Self {
        let trimmed = path.strip_suffix('/').unwrap_or(path);
        match trimmed {
            "/healthz" => return Self::Health,
            "/pods" | "/runningpods" => return Self::Pods,
            "/stats/summary" => return Self::Summary,
            _ => {}
        }
        if let Some(known) = SCRAPED.iter().find(|known| **known == path) {
            return Self::Scrape(known);
        }
        let segments: Vec<_> = path.split('/').skip(1).collect();
        let Some((kind, names)) = segments.split_first() else { return Self::Unknown };
        match (*kind, Place::of(names)) {
            ("containerLogs", Some(place)) if place.is_container() => Self::Log(place),
            ("exec", Some(place)) if place.is_container() => Self::Stream(Stream::Exec, place),
            ("attach", Some(place)) if place.is_container() => Self::Stream(Stream::Attach, place),
            ("portForward", Some(place)) if !place.is_container() => Self::Stream(Stream::PortForward, place),
            _ => Self::Unknown,
        }
    }

    /// The word for metrics.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Pods => "pods",
            Self::Summary => "summary",
            Self::Scrape(_) => "metrics",
            Self::Log(_) => "log",
            Self::Stream(Stream::Exec, _) => "exec",
            Self::Stream(Stream::Attach, _) => "attach",
            Self::Stream(Stream::PortForward, _) => "port_forward",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it can be asked for like this.
    pub(super) fn takes(self, method: &Method) -> bool {
        let is_stream = matches!(self, Self::Stream(..));
        *method == Method::GET || (is_stream && *method == Method::POST)
    }
}

impl<'a> Place<'a> {
    fn of(names: &[&'a str]) -> Option<Self> {
        let (namespace, pod, container) = match *names {
            [namespace, pod, container] if is_name(container) => (namespace, pod, container),
            [namespace, pod] => (namespace, pod, ""),
            _ => return None,
        };
        (is_name(namespace) && is_name(pod)).then_some(Self { namespace, pod, container })
    }

    fn is_container(&self) -> bool {
        !self.container.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTAINER: Place<'static> = Place { namespace: "shop", pod: "web-0", container: "nginx" };
    const POD: Place<'static> = Place { namespace: "shop", pod: "web-0", container: "" };

    #[test]
    fn paths_are_those_of_kubelets() {
        for (path, expected) in [
            ("/healthz", Route::Health),
            ("/pods", Route::Pods),
            ("/pods/", Route::Pods),
            ("/runningpods/", Route::Pods),
            ("/stats/summary", Route::Summary),
            ("/stats/summary/", Route::Summary),
            ("/metrics", Route::Scrape("/metrics")),
            ("/metrics/cadvisor", Route::Scrape("/metrics/cadvisor")),
            ("/metrics/resource", Route::Scrape("/metrics/resource")),
            ("/metrics/probes", Route::Scrape("/metrics/probes")),
            ("/containerLogs/shop/web-0/nginx", Route::Log(CONTAINER)),
            ("/exec/shop/web-0/nginx", Route::Stream(Stream::Exec, CONTAINER)),
            ("/attach/shop/web-0/nginx", Route::Stream(Stream::Attach, CONTAINER)),
            ("/portForward/shop/web-0", Route::Stream(Stream::PortForward, POD)),
        ] {
            assert_eq!(Route::of(path), expected, "{path}");
        }
    }

    #[test]
    fn other_paths_are_none() {
        for path in [
            "",
            "/",
            "*",
            "/metrics/other",
            "/metrics/resource/..",
            "/stats",
            "/containerLogs/shop/web-0",
            "/containerLogs/shop/web-0/nginx/",
            "/containerLogs/shop/../nginx",
            "/containerLogs/shop/web%2F0/nginx",
            "/containerLogs//web-0/nginx",
            "/exec/shop/web-0/nginx/uid",
            "/exec/shop/web-0",
            "/portForward/shop/web-0/uid",
            "/run/shop/web-0/nginx",
            "/logs/",
            "/configz",
        ] {
            assert_eq!(Route::of(path), Route::Unknown, "{path}");
        }
    }

    #[test]
    fn only_streams_can_be_posted() {
        let stream = Route::Stream(Stream::Exec, CONTAINER);
        assert!(stream.takes(&Method::POST) && stream.takes(&Method::GET) && !stream.takes(&Method::PUT));
        assert!(Route::Log(CONTAINER).takes(&Method::GET) && !Route::Log(CONTAINER).takes(&Method::POST));
    }
}
