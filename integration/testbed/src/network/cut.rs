//! Links that are cut: frames are dropped in the switch, as by a broken cable; both ends still believe in their link.
//!
//! All cuts are one table in each segment, replaced whole on every change, so cuts never pile up and healing is the
//! same operation as cutting.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::namespace::{exists, nft};
use super::segment::{NodeLink, segment_of};
use super::switch::{MACHINE_PORT, SWITCH};
use crate::error::{Error, Result};
use crate::layout::{Layout, write_file};
use crate::model::{ClusterName, ClusterRecord, NodeName};

/// One link that is cut.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// A node's cable: nobody reaches it, the machine included.
    Node(NodeName),
    /// A cluster's uplink: its nodes reach each other and the machine, no other cluster.
    Cluster(ClusterName),
    /// The link between two clusters, in both directions. The names are in order.
    Pair(ClusterName, ClusterName),
}

impl Cut {
    /// The cut between two clusters, whichever is named first.
    pub fn pair(left: ClusterName, right: ClusterName) -> Self {
        if left <= right { Self::Pair(left, right) } else { Self::Pair(right, left) }
    }

    /// Whether the cut concerns this cluster.
    pub fn concerns(&self, record: &ClusterRecord) -> bool {
        let name = &record.spec.name;
        match self {
            Self::Node(node) => record.spec.node_names().contains(node),
            Self::Cluster(cluster) => cluster == name,
            Self::Pair(left, right) => left == name || right == name,
        }
    }
}

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Node(node) => write!(f, "{node}"),
            Self::Cluster(cluster) => write!(f, "{cluster}"),
            Self::Pair(left, right) => write!(f, "{left} {right}"),
        }
    }
}

/// All cuts.
pub(crate) type Cuts = BTreeSet<Cut>;

/// The cuts that are in force.
///
/// # Errors
/// [`Error::File`] when they are recorded but cannot be read.
pub(crate) fn read_cuts(layout: &Layout) -> Result<Cuts> {
    let path = layout.cuts();
    match std::fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text)
            .map_err(|e| Error::file("understand", &path)(std::io::Error::other(e))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Cuts::new()),
        Err(error) => Err(Error::file("read", &path)(error)),
    }
}

/// Puts exactly these cuts in force and records them. Cuts of clusters that are gone are forgotten.
///
/// # Errors
/// [`Error::Command`] when the kernel refuses the rules.
pub(crate) async fn apply_cuts(layout: &Layout, records: &[ClusterRecord], cuts: &Cuts) -> Result<()> {
    let cuts: Cuts = cuts.iter().filter(|cut| records.iter().any(|r| cut.concerns(r))).cloned().collect();
    for (segment, rules) in rules(layout, records, &cuts) {
        if exists(&segment) {
            nft(&segment, &rules).await?;
        }
    }
    let text = serde_json::to_vec(&cuts)
        .map_err(|e| Error::file("write", layout.cuts())(std::io::Error::other(e)))?;
    write_file(&layout.cuts(), text)
}

/// The rules of one segment, by the hooks they are for.
#[derive(Default)]
struct Rules {
    /// Frames from port to port.
    bridged: String,
    /// Frames from a port to the segment itself, which routes to load balancers.
    to_segment: String,
    /// Frames from the segment itself to a port.
    from_segment: String,
    /// Packets that the segment routes.
    routed: String,
}

fn rules(layout: &Layout, records: &[ClusterRecord], cuts: &Cuts) -> BTreeMap<PathBuf, String> {
    let mut segments: BTreeMap<PathBuf, Rules> = BTreeMap::new();
    segments.entry(layout.netns(SWITCH)).or_default();
    for record in records {
        segments.entry(segment_of(layout, record)).or_default();
    }
    for cut in cuts {
        match cut {
            Cut::Node(node) => {
                for record in records {
                    if let Some(ordinal) = record.spec.node_names().iter().position(|n| n == node) {
                        let link = NodeLink::of(layout, record, ordinal);
                        cut_node(segments.entry(link.segment).or_default(), &link.port);
                    }
                }
            }
            Cut::Cluster(name) => {
                let switch = segments.entry(layout.netns(SWITCH)).or_default();
                records.iter().filter(|r| r.spec.name == *name).for_each(|r| cut_cluster(switch, r));
            }
            Cut::Pair(left, right) => {
                let of = |name: &ClusterName| records.iter().find(|r| r.spec.name == *name);
                if let (Some(left), Some(right)) = (of(left), of(right)) {
                    let switch = segments.entry(layout.netns(SWITCH)).or_default();
                    cut_direction(switch, left, right);
                    cut_direction(switch, right, left);
                }
            }
        }
    }
    segments.into_iter().map(|(path, rules)| (path, rules.render())).collect()
}

fn cut_node(rules: &mut Rules, port: &str) {
    let _ =
        writeln!(rules.bridged, "    iifname \"{port}\" counter drop\n    oifname \"{port}\" counter drop");
    let _ = writeln!(rules.to_segment, "    iifname \"{port}\" counter drop");
    let _ = writeln!(rules.from_segment, "    oifname \"{port}\" counter drop");
}

fn cut_cluster(rules: &mut Rules, record: &ClusterRecord) {
    let (port, machine) = (format!("c{}.*", record.index), MACHINE_PORT);
    let (own, machine_address) = (record.addresses().seen_from_outside(), record.network.machine());
    for (here, there) in [("iifname", "oifname"), ("oifname", "iifname")] {
        let _ = writeln!(
            rules.bridged,
            "    {here} \"{port}\" {there} != \"{port}\" {there} != \"{machine}\" counter drop"
        );
    }
    for (here, there) in [("saddr", "daddr"), ("daddr", "saddr")] {
        let _ = writeln!(
            rules.routed,
            "    ip {here} {own} ip {there} != {own} ip {there} != {machine_address} counter drop"
        );
    }
}

fn cut_direction(rules: &mut Rules, from: &ClusterRecord, to: &ClusterRecord) {
    let _ =
        writeln!(rules.bridged, "    iifname \"c{}.*\" oifname \"c{}.*\" counter drop", from.index, to.index);
    let (from, to) = (from.addresses().seen_from_outside(), to.addresses().seen_from_outside());
    let _ = writeln!(rules.routed, "    ip saddr {from} ip daddr {to} counter drop");
}

impl Rules {
    fn render(&self) -> String {
        let mut text = String::new();
        for family in ["bridge", "ip"] {
            let _ = writeln!(text, "table {family} cuts\ndelete table {family} cuts");
        }
        let chain = |text: &mut String, hook: &str, rules: &str| {
            let _ = writeln!(
                text,
                "  chain {hook} {{\n    type filter hook {hook} priority 0; policy accept;\n{rules}  }}"
            );
        };
        text.push_str("table bridge cuts {\n");
        chain(&mut text, "forward", &self.bridged);
        chain(&mut text, "input", &self.to_segment);
        chain(&mut text, "output", &self.from_segment);
        text.push_str("}\ntable ip cuts {\n");
        chain(&mut text, "forward", &self.routed);
        text.push_str("}\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClusterSpec, Network};

    fn records() -> Vec<ClusterRecord> {
        let record = |name: &str, index, behind_nat| {
            let mut spec = ClusterSpec::new(name.parse().unwrap());
            spec.behind_nat = behind_nat;
            ClusterRecord { spec, index, network: Network::default() }
        };
        vec![record("rome", 1, false), record("milan", 2, false), record("turin", 3, true)]
    }

    fn rendered(cut: Cut) -> BTreeMap<PathBuf, String> {
        let layout = Layout::from_environment().unwrap();
        rules(&layout, &records(), &Cuts::from([cut]))
    }

    fn on(segments: &BTreeMap<PathBuf, String>, name: &str) -> String {
        segments.iter().find(|(path, _)| path.ends_with(name)).unwrap().1.clone()
    }

    #[test]
    fn a_pair_is_one_cut_whichever_is_named_first() {
        let [rome, milan] = ["rome", "milan"].map(|n| n.parse::<ClusterName>().unwrap());
        assert_eq!(Cut::pair(rome.clone(), milan.clone()), Cut::pair(milan, rome));
    }

    #[test]
    fn a_node_behind_nat_is_cut_at_its_router() {
        let turin: ClusterName = "turin".parse().unwrap();
        let segments = rendered(Cut::Node(turin.node(0)));
        assert!(on(&segments, "turin-router").contains("iifname \"c3.0\" counter drop"));
        assert!(!on(&segments, SWITCH).contains("drop"));
    }

    #[test]
    fn a_cluster_that_is_cut_still_reaches_the_machine() {
        let rules = on(&rendered(Cut::Cluster("rome".parse().unwrap())), SWITCH);
        assert!(
            rules.contains("iifname \"c1.*\" oifname != \"c1.*\" oifname != \"machine\" counter drop"),
            "{rules}"
        );
        assert!(rules.contains("ip saddr 172.30.1.0/24 ip daddr != 172.30.1.0/24"), "{rules}");
    }

    #[test]
    fn a_pair_is_cut_both_ways_bridged_and_routed() {
        let pair = Cut::pair("rome".parse().unwrap(), "turin".parse().unwrap());
        let rules = on(&rendered(pair), SWITCH);
        for expected in [
            "iifname \"c1.*\" oifname \"c3.*\"",
            "iifname \"c3.*\" oifname \"c1.*\"",
            "ip saddr 172.30.1.0/24 ip daddr 172.30.255.3/32",
            "ip saddr 172.30.255.3/32 ip daddr 172.30.1.0/24",
        ] {
            assert!(rules.contains(expected), "{rules}");
        }
    }

    #[test]
    fn no_cut_is_an_empty_table() {
        let layout = Layout::from_environment().unwrap();
        assert!(rules(&layout, &records(), &Cuts::new()).values().all(|rules| !rules.contains("drop")));
    }
}
