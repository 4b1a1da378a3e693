//! Dashboards name metrics that exist, and are what Grafana reads.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::Value;

/// Each dashboard with its file name.
fn dashboards() -> Vec<(String, Value)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../grafana");
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        found.push((name, serde_json::from_str(&text).expect("a dashboard is JSON")));
    }
    assert!(!found.is_empty(), "there are no dashboards");
    found
}

/// The series that a process exposes, by the names that queries use.
struct Series {
    exact: BTreeSet<String>,
    /// Metrics with labels, of which nothing is exposed before they count: they are known by the registry alone.
    empty: BTreeSet<String>,
}

impl Series {
    fn of_a_process() -> Self {
        let mut registry = liqo_telemetry::registry("test", "0");
        liqo_engine::Metrics::register(&mut registry);
        Self::of(&registry)
    }

    fn of(registry: &Registry) -> Self {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        let types: Vec<(&str, &str)> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
        let suffixes = |kind: &str| match kind {
            "counter" => vec!["_total"],
            "histogram" => vec!["_bucket", "_sum", "_count"],
            "info" => vec!["_info"],
            _ => vec![""],
        };
        let named = |(name, kind): &(&str, &str)| {
            suffixes(kind).into_iter().map(|end| format!("{name}{end}")).collect::<Vec<_>>()
        };
        let exact = types.iter().flat_map(named).collect();
        let seen: BTreeSet<&str> = types.iter().map(|(name, _)| *name).collect();
        // The registry has no other way to tell what is in it.
        let debug = format!("{registry:?}");
        let registered = debug.split("name: \"").skip(1).filter_map(|rest| rest.split('"').next());
        Self { exact, empty: registered.filter(|name| !seen.contains(name)).map(str::to_owned).collect() }
    }

    /// A metric with labels is a counter, until one of another type is needed.
    fn contains(&self, metric: &str) -> bool {
        let counter = metric.strip_suffix("_total").unwrap_or_default();
        self.exact.contains(metric) || self.empty.contains(counter)
    }
}

/// Every query in a dashboard: of panels and of variables.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member {
                    Value::String(text) if key == "expr" || key == "definition" => found.push(text.clone()),
                    other => queries(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| queries(item, found)),
        _ => {}
    }
}

fn metrics_in(query: &str) -> impl Iterator<Item = &str> {
    let words = query.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("liqo_"))
}

#[test]
fn every_query_names_metrics_that_exist() {
    let known = Series::of_a_process();
    for (file, dashboard) in dashboards() {
        let mut found = Vec::new();
        queries(&dashboard, &mut found);
        assert!(found.iter().any(|query| metrics_in(query).next().is_some()), "{file} has no query");
        let unknown: BTreeSet<&str> = found
            .iter()
            .flat_map(|query| metrics_in(query))
            .filter(|metric| !known.contains(metric))
            .collect();
        assert_eq!(unknown, BTreeSet::new(), "{file} asks for metrics that no process has");
    }
}

#[test]
fn a_query_of_an_unknown_metric_would_be_noticed() {
    let known = Series::of_a_process();
    assert!(
        known.contains("liqo_build_info") && known.contains("liqo_engine_commands_total"),
        "known metrics are not found"
    );
    let query = "sum(rate(liqo_engine_commands{a=\"b\"}[5m])) / liqo_log_append_seconds_bucket";
    let unknown: Vec<&str> = metrics_in(query).filter(|metric| !known.contains(metric)).collect();
    assert_eq!(unknown, ["liqo_engine_commands"]);
}

#[test]
fn every_panel_explains_itself_and_has_a_place_of_its_own() {
    for (file, dashboard) in dashboards() {
        let panels = dashboard["panels"].as_array().unwrap();
        let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
        for panel in panels {
            let title = panel["title"].as_str().unwrap();
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{file}: {title}: its id is used twice");
            let place = |name: &str| panel["gridPos"][name].as_u64().unwrap();
            for row in place("y")..place("y") + place("h") {
                for column in place("x")..place("x") + place("w") {
                    assert!(
                        column < 24 && places.insert((row, column)),
                        "{file}: {title}: it covers another panel"
                    );
                }
            }
            if panel["type"] == "row" {
                continue;
            }
            assert!(
                panel["description"].as_str().is_some_and(|text| text.len() > 20),
                "{file}: {title}: no description"
            );
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{file}: {title}");
            assert!(
                panel["targets"].as_array().is_some_and(|targets| !targets.is_empty()),
                "{file}: {title}"
            );
        }
    }
}
