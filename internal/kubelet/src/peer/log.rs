//! The request for the log of a container.

use form_urlencoded::{Serializer, parse};
use jiff::Timestamp;

use super::{QueryFault, RemotePod};

/// Path and query for the log of a container, from the query of a request to a kubelet.
///
/// What is unknown is left out, what is no value is refused. A value of zero counts, other than in Liqo 0.8.3: the last 0
/// lines of a log are none.
pub(crate) fn log_target(pod: &RemotePod, container: &str, query: &str) -> Result<String, QueryFault> {
    let path = pod.path("log").ok_or(QueryFault::Place)?;
    let given: Vec<_> = parse(query.as_bytes()).collect();
    let value = |field: &str| given.iter().find(|(name, _)| name == field).map(|(_, value)| value);
    if value("sinceTime").is_some() && value("sinceSeconds").is_some() {
        return Err(QueryFault::TwoBeginnings);
    }
    let mut query = Serializer::new(String::new());
    query.append_pair("container", container);
    for field in ["follow", "previous", "timestamps"] {
        if value(field).is_some_and(|value| is_true(value)) {
            query.append_pair(field, "true");
        }
    }
    for (field, expected, check) in FIELDS {
        if let Some(value) = value(field) {
            if !check(value) {
                return Err(QueryFault::Value { field, expected });
            }
            query.append_pair(field, value);
        }
    }
    Ok(format!("{path}?{}", query.finish()))
}

type Field = (&'static str, &'static str, fn(&str) -> bool);

const FIELDS: [Field; 5] = [
    ("sinceSeconds", "a number of at least 1", |value| is_number(value, 1)),
    ("sinceTime", "a time such as 2026-01-02T03:04:05Z", |value| value.parse::<Timestamp>().is_ok()),
    ("tailLines", "a number of at least 0", |value| is_number(value, 0)),
    ("limitBytes", "a number of at least 1", |value| is_number(value, 1)),
    // Only newer API servers know it; others give all.
    ("stream", "All, Stdout or Stderr", |value| matches!(value, "All" | "Stdout" | "Stderr")),
];

/// As Kubernetes reads it in queries: what is there is true, but for these two.
fn is_true(value: &str) -> bool {
    !matches!(value.to_ascii_lowercase().as_str(), "false" | "0")
}

fn is_number(value: &str, least: i64) -> bool {
    value.parse::<i64>().is_ok_and(|number| number >= least)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/api/v1/namespaces/shop-rome/pods/web-0/log?container=nginx";

    fn target(query: &str) -> Result<String, QueryFault> {
        let pod = RemotePod { namespace: "shop-rome".to_owned(), name: "web-0".to_owned() };
        log_target(&pod, "nginx", query)
    }

    #[test]
    fn queries_are_carried_over() {
        for (query, expected) in [
            ("", ""),
            ("follow=true", "&follow=true"),
            ("follow=false&previous=0&timestamps", "&timestamps=true"),
            ("tailLines=0", "&tailLines=0"),
            ("tailLines=10&follow=true&limitBytes=1", "&follow=true&tailLines=10&limitBytes=1"),
            ("sinceSeconds=1&previous=true", "&previous=true&sinceSeconds=1"),
            ("sinceTime=2026-01-02T03%3A04%3A05Z", "&sinceTime=2026-01-02T03%3A04%3A05Z"),
            ("sinceTime=2026-01-02T03%3A04%3A05%2B01%3A00", "&sinceTime=2026-01-02T03%3A04%3A05%2B01%3A00"),
            ("stream=Stderr", "&stream=Stderr"),
            ("container=other&insecureSkipTLSVerifyBackend=true&pretty=1", ""),
        ] {
            assert_eq!(target(query), Ok(format!("{PATH}{expected}")), "{query}");
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for (query, field) in [
            ("tailLines=-1", "tailLines"),
            ("tailLines=all", "tailLines"),
            ("limitBytes=0", "limitBytes"),
            ("sinceSeconds=0", "sinceSeconds"),
            ("sinceTime=yesterday", "sinceTime"),
            ("stream=stdout%26follow%3Dtrue", "stream"),
        ] {
            let refused = target(query).unwrap_err();
            assert!(matches!(refused, QueryFault::Value { field: f, .. } if f == field), "{query}");
        }
        let both = "sinceSeconds=1&sinceTime=2026-01-02T03:04:05Z";
        assert_eq!(target(both), Err(QueryFault::TwoBeginnings));
        let pod = RemotePod { namespace: "a/b".to_owned(), name: "c".to_owned() };
        assert_eq!(log_target(&pod, "nginx", ""), Err(QueryFault::Place));
    }
}
