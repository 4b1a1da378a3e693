//! The request for a stream to a pod: exec, attach or forwarded ports.

use form_urlencoded::{Serializer, parse};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use super::{QueryFault, RemotePod};

/// Subprotocols of a WebSocket with this prefix are bearer tokens.
const TOKEN_PROTOCOL: &str = "base64url.bearer.authorization.k8s.io.";

/// What is streamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// A command.
    Exec,
    /// What runs already.
    Attach,
    /// Ports.
    PortForward,
}

impl Stream {
    /// The subresource of the pod.
    fn subresource(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::Attach => "attach",
            Self::PortForward => "portforward",
        }
    }
}

/// Path and query for a stream to a pod, from the query of a request to a kubelet, which has other names for all of it.
pub(crate) fn stream_target(
    stream: Stream,
    pod: &RemotePod,
    container: &str,
    query: &str,
) -> Result<String, QueryFault> {
    let path = pod.path(stream.subresource()).ok_or(QueryFault::Place)?;
    let query = match stream {
        Stream::Exec => terminal(container, query, true)?,
        Stream::Attach => terminal(container, query, false)?,
        Stream::PortForward => ports(query)?,
    };
    Ok(if query.is_empty() { path } else { format!("{path}?{query}") })
}

fn terminal(container: &str, query: &str, with_command: bool) -> Result<String, QueryFault> {
    let given: Vec<_> = parse(query.as_bytes()).collect();
    let has = |field: &str| given.iter().any(|(name, value)| name == field && value == "1");
    let tty = has("tty");
    // A terminal has one output. Kubelets leave the other away, and so do the ends of the stream.
    let streams =
        [("stdin", has("input")), ("stdout", has("output")), ("stderr", has("error") && !tty), ("tty", tty)];
    if !streams[..3].iter().any(|(_, wanted)| *wanted) {
        return Err(QueryFault::NoStream);
    }
    let mut query = Serializer::new(String::new());
    query.append_pair("container", container);
    for (field, _) in streams.iter().filter(|(_, wanted)| *wanted) {
        query.append_pair(field, "true");
    }
    for (_, word) in given.iter().filter(|(name, _)| with_command && name == "command") {
        query.append_pair("command", word);
    }
    Ok(query.finish())
}

fn ports(query: &str) -> Result<String, QueryFault> {
    let mut ports = Serializer::new(String::new());
    for (_, value) in parse(query.as_bytes()).filter(|(name, _)| name == "port") {
        let is_port = value.parse::<u16>().is_ok_and(|port| port > 0);
        if !is_port {
            return Err(QueryFault::Value { field: "port", expected: "a number from 1 to 65535" });
        }
        ports.append_pair("ports", &value);
    }
    Ok(ports.finish())
}

/// The headers of a handshake that are for the other end, of a request or its answer. All others are for us: what a caller
/// says about itself must never reach the peer, which knows us and not the caller. Nothing when no stream is asked for.
pub(crate) fn handshake(headers: &HeaderMap) -> Option<HeaderMap> {
    let upgrade = headers.get(header::UPGRADE)?;
    let mut passed = HeaderMap::new();
    passed.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    passed.insert(header::UPGRADE, upgrade.clone());
    for (name, value) in headers {
        if *name == header::SEC_WEBSOCKET_PROTOCOL {
            passed.extend(without_tokens(value).map(|value| (name.clone(), value)));
        } else if is_for_the_other_end(name) {
            passed.append(name.clone(), value.clone());
        }
    }
    Some(passed)
}

fn is_for_the_other_end(name: &HeaderName) -> bool {
    name.as_str() == "x-stream-protocol-version" || name.as_str().starts_with("sec-websocket-")
}

/// Subprotocols but for bearer tokens, which browsers have no other place for.
fn without_tokens(protocols: &HeaderValue) -> Option<HeaderValue> {
    let protocols = protocols.to_str().ok()?.split(',').map(str::trim);
    let kept: Vec<_> = protocols.filter(|one| !one.is_empty() && !one.starts_with(TOKEN_PROTOCOL)).collect();
    HeaderValue::from_str(&kept.join(", ")).ok().filter(|value| !value.is_empty())
}

/// How a stream is asked for: WebSockets begin with GET, and SPDY is granted to more callers with POST, which is what
/// roles of Liqo 0.8.3 allow.
pub(crate) fn method(handshake: &HeaderMap) -> Method {
    let is_websocket = handshake
        .get(header::UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    if is_websocket { Method::GET } else { Method::POST }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/api/v1/namespaces/shop-rome/pods/web-0";

    fn target(stream: Stream, query: &str) -> Result<String, QueryFault> {
        let pod = RemotePod { namespace: "shop-rome".to_owned(), name: "web-0".to_owned() };
        stream_target(stream, &pod, "nginx", query)
    }

    #[test]
    fn queries_are_carried_over() {
        use Stream::{Attach, Exec, PortForward};
        for (stream, query, expected) in [
            (Exec, "command=ls&output=1&error=1", "exec?container=nginx&stdout=true&stderr=true&command=ls"),
            (
                Exec,
                "command=sh&command=-c&command=echo+a%26b%3Dc&input=1&output=1&tty=1",
                "exec?container=nginx&stdin=true&stdout=true&tty=true&command=sh&command=-c&command=echo+a%26b%3Dc",
            ),
            (Exec, "command=&output=1&error=1&tty=1", "exec?container=nginx&stdout=true&tty=true&command="),
            (
                Exec,
                "command=ls&output=1&container=other&stdin=true",
                "exec?container=nginx&stdout=true&command=ls",
            ),
            (Attach, "input=1&output=1&command=ls", "attach?container=nginx&stdin=true&stdout=true"),
            (PortForward, "", "portforward"),
            (PortForward, "port=80&port=8080&x=y", "portforward?ports=80&ports=8080"),
        ] {
            assert_eq!(target(stream, query), Ok(format!("{PATH}/{expected}")), "{query}");
        }
    }

    #[test]
    fn what_makes_no_stream_is_refused() {
        for query in ["", "command=ls", "command=ls&output=0", "command=ls&output=true", "tty=1&error=1"] {
            assert_eq!(target(Stream::Exec, query), Err(QueryFault::NoStream), "{query}");
        }
        for query in ["port=0", "port=65536", "port=http", "port="] {
            let refused = target(Stream::PortForward, query);
            assert!(matches!(refused, Err(QueryFault::Value { field: "port", .. })), "{query}");
        }
        let pod = RemotePod { namespace: "..".to_owned(), name: "c".to_owned() };
        assert_eq!(stream_target(Stream::PortForward, &pod, "", ""), Err(QueryFault::Place));
    }

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let pair =
            |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        lines.iter().map(pair).collect()
    }

    #[test]
    fn only_the_handshake_passes() {
        let asked = headers(&[
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "SPDY/3.1"),
            ("x-stream-protocol-version", "v5.channel.k8s.io"),
            ("x-stream-protocol-version", "v4.channel.k8s.io"),
            ("authorization", "Bearer t"),
            ("impersonate-user", "admin"),
            ("x-remote-user", "admin"),
            ("x-forwarded-for", "1.2.3.4"),
            ("cookie", "c"),
            ("host", "h"),
        ]);
        let expected = headers(&[
            ("connection", "Upgrade"),
            ("upgrade", "SPDY/3.1"),
            ("x-stream-protocol-version", "v5.channel.k8s.io"),
            ("x-stream-protocol-version", "v4.channel.k8s.io"),
        ]);
        assert_eq!(handshake(&asked), Some(expected.clone()));
        assert_eq!(method(&expected), Method::POST);
        assert_eq!(handshake(&headers(&[("connection", "Upgrade")])), None);
    }

    #[test]
    fn tokens_in_subprotocols_do_not_pass() {
        let token = "base64url.bearer.authorization.k8s.io.dG9rZW4";
        let asked = headers(&[
            ("upgrade", "WebSocket"),
            ("sec-websocket-key", "k"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-protocol", &format!("{token}, v4.channel.k8s.io")),
            ("sec-websocket-protocol", token),
        ]);
        let expected = headers(&[
            ("connection", "Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-key", "k"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-protocol", "v4.channel.k8s.io"),
        ]);
        assert_eq!(handshake(&asked), Some(expected.clone()));
        assert_eq!(method(&expected), Method::GET);
    }
}
