//! A definition as facts: one line for each name and column, and one entry for each node of the schema.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// The pattern of quantities.
const QUANTITY: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";
/// Keywords of a node that are no fact of their own: they are the tree, or say nothing to the API server.
const OTHER_KEYWORDS: &[&str] = &[
    "additionalProperties",
    "anyOf",
    "description",
    "items",
    "properties",
    "required",
    "type",
    "x-kubernetes-int-or-string",
];
/// The mark of a node that keeps fields which it does not know.
pub(crate) const KEEPS_UNKNOWN: &str = "keeps-unknown";

/// What is to be known of a definition.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Names, scope, columns and subresources, as lines.
    pub(crate) head: BTreeSet<String>,
    /// What is demanded of each node of the schema, by its path.
    pub(crate) nodes: BTreeMap<String, String>,
}

impl Facts {
    /// Reads the notation of `fixtures/definitions`.
    pub(crate) fn read(text: &str) -> Self {
        let mut facts = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if !line.starts_with('.') {
                facts.head.insert(line.to_owned());
            } else if let Some((path, model)) = line.split_once(" like ") {
                facts.copy(path, model);
            } else {
                let (path, rest) = line.split_once(' ').expect("a path and a type");
                facts.nodes.insert(path.to_owned(), rest.to_owned());
            }
        }
        facts
    }

    /// What is below `model` is below `path` too.
    fn copy(&mut self, path: &str, model: &str) {
        let below = |(at, rest): (&String, &String)| {
            let tail = at.strip_prefix(model).filter(|tail| tail.starts_with(['.', '[', '{']))?;
            Some((format!("{path}{tail}"), rest.clone()))
        };
        let copies: Vec<_> = self.nodes.iter().filter_map(below).collect();
        assert!(!copies.is_empty(), "{path} is like {model}, below which there is nothing");
        self.nodes.extend(copies);
    }

    /// The facts of a definition.
    pub(crate) fn of(definition: &Value) -> Self {
        let mut facts = Self { head: head(definition), ..Self::default() };
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        facts.add_children(schema.as_object().expect("a schema"), "");
        facts
    }

    /// Every fact as a line of the notation.
    pub(crate) fn lines(&self) -> BTreeSet<String> {
        let nodes = self.nodes.iter().map(|(path, rest)| format!("{path} {rest}"));
        self.head.iter().cloned().chain(nodes).collect()
    }

    fn add_children(&mut self, node: &Map<String, Value>, path: &str) {
        let required = node.get("required").and_then(Value::as_array);
        for (name, child) in node.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let required = required.is_some_and(|required| required.iter().any(|field| field == name));
            self.add(child, format!("{path}.{name}"), required);
        }
        for (keyword, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
            if let Some(child) = node.get(keyword) {
                self.add(child, format!("{path}{mark}"), false);
            }
        }
    }

    fn add(&mut self, node: &Value, path: String, required: bool) {
        let node = node.as_object().expect("a node");
        self.add_children(node, &path);
        let mut words = vec![type_of(node).to_owned()];
        words.extend(required.then(|| "required".to_owned()));
        words.extend(demands(node));
        self.nodes.insert(path, words.join(" "));
    }
}

fn head(definition: &Value) -> BTreeSet<String> {
    let (spec, version) = (&definition["spec"], &definition["spec"]["versions"][0]);
    let names = &spec["names"];
    assert_eq!(spec["versions"].as_array().map(Vec::len), Some(1));
    let subresources = version["subresources"].as_object();
    let subresources: Vec<_> = subresources.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let mut lines = BTreeSet::from([
        format!("name {}", text(&definition["metadata"]["name"])),
        format!("group {}", text(&spec["group"])),
        format!("scope {}", text(&spec["scope"])),
        format!("kind {}", text(&names["kind"])),
        format!("list {}", text(&names["listKind"])),
        format!("plural {}", text(&names["plural"])),
        format!("singular {}", text(&names["singular"])),
        format!("short {}", list(&texts(&names["shortNames"]))),
        format!("categories {}", list(&texts(&names["categories"]))),
        format!(
            "version {} served={} storage={}",
            text(&version["name"]),
            version["served"],
            version["storage"]
        ),
        format!("subresources {}", list(&subresources)),
    ]);
    let columns = version["additionalPrinterColumns"].as_array();
    lines.extend(columns.into_iter().flatten().enumerate().map(|(index, column)| {
        let priority = column.get("priority").and_then(Value::as_i64).unwrap_or(0);
        let (name, path) = (&column["name"], text(&column["jsonPath"]));
        format!("column {index} {name} {} priority={priority} {path}", text(&column["type"]))
    }));
    lines
}

fn type_of(node: &Map<String, Value>) -> &str {
    let Some(name) = node.get("type") else {
        assert_eq!(node.get("x-kubernetes-int-or-string"), Some(&Value::Bool(true)), "{node:?}");
        assert_eq!(node.get("anyOf"), Some(&serde_json::json!([{"type": "integer"}, {"type": "string"}])));
        return if is_quantity(node) { "quantity" } else { "int-or-string" };
    };
    text(name)
}

fn is_quantity(node: &Map<String, Value>) -> bool {
    node.get("pattern").is_some_and(|pattern| pattern == QUANTITY)
}

/// What is demanded of a node beside its type, in the order of the notation.
fn demands(node: &Map<String, Value>) -> Vec<String> {
    const ORDER: &[&str] = &["default", "enum", "pattern", "minimum", "format"];
    let known =
        |keyword: &&String| !ORDER.contains(&keyword.as_str()) && !OTHER_KEYWORDS.contains(&keyword.as_str());
    let demand = |keyword: &str| {
        let value = node.get(keyword)?;
        Some(match keyword {
            "pattern" if is_quantity(node) => return None,
            "format" => format!("format={}", text(value)),
            "minimum" => format!("minimum={}", value.as_f64().expect("a number")),
            "x-kubernetes-list-type" => format!("list-type={}", text(value)),
            "x-kubernetes-list-map-keys" => format!("list-map-keys={}", texts(value).join(",")),
            "x-kubernetes-map-type" => format!("map-type={}", text(value)),
            "x-kubernetes-preserve-unknown-fields" => KEEPS_UNKNOWN.to_owned(),
            _ => format!("{keyword}={value}"),
        })
    };
    let mut extensions: Vec<_> = node.keys().filter(known).map(String::as_str).collect();
    extensions.sort_by_key(|keyword| (keyword.contains("list-map-keys"), *keyword));
    ORDER.iter().copied().chain(extensions).filter_map(demand).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(text).collect()
}

fn list(texts: &[&str]) -> String {
    if texts.is_empty() { "-".to_owned() } else { texts.join(",") }
}
