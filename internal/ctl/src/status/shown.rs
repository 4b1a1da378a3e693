//! Reports as boxes.

mod home;
mod peer;

use std::collections::BTreeMap;

use liqo_api::names::VIRTUAL_KUBELET;

use super::boxes::{Entry, Section};
use super::component::{Component, DAEMON_SET, DEPLOYMENT};
use super::overview::{NamespaceCheck, Overview};
use super::peer::Peers;
use crate::debug::plain;

/// Title of those that are in tenant namespaces.
const VIRTUAL_KUBELETS: &str = "Virtual kubelets, by namespace";

/// The state of Liqo in this cluster.
pub(crate) fn overview(overview: &Overview, verbose: bool) -> Vec<Section> {
    let mut sections = vec![namespace(&overview.namespace)];
    if overview.namespace.exists {
        sections.push(control_plane(&overview.components, verbose));
    }
    if let Some(home) = &overview.home {
        sections.push(Section { title: "Local cluster information", entries: home::entries(home) });
    }
    sections
}

/// The state of peerings.
pub(crate) fn peers(peers: &Peers, verbose: bool) -> Section {
    let mut entries: Vec<Entry> = peers.peers.iter().map(|peer| peer::entry(peer, verbose)).collect();
    let missing = |name: &String| {
        let meant = peers.meant.get(name).map(|meant| format!(": {meant}")).unwrap_or_default();
        Entry::Fault(format!("{} - peer not found{meant}", plain(name)))
    };
    entries.extend(peers.not_found.iter().map(missing));
    Section { title: "Peered Cluster Information", entries }
}

fn namespace(check: &NamespaceCheck) -> Section {
    let name = plain(&check.name);
    let entry = if check.exists {
        Entry::Line(format!("✔ namespace {name} exists"))
    } else {
        Entry::Fault(format!("namespace {name} does not exist: check --namespace, or install Liqo"))
    };
    Section { title: "Namespace existence check", entries: vec![entry] }
}

fn control_plane(components: &[Component], verbose: bool) -> Section {
    let mut entries = Vec::new();
    for title in [DEPLOYMENT, DAEMON_SET, VIRTUAL_KUBELETS] {
        let found = components.iter().filter(|component| component.exists && group_of(component) == title);
        let found: Vec<Entry> = found.map(counts).collect();
        if !found.is_empty() {
            entries.push(Entry::group(title, found));
        }
    }
    if verbose {
        entries.push(Entry::group("Images", images(components)));
    }
    for component in components {
        let (kind, name) = (component.kind, plain(&component.name));
        let place =
            if is_virtual_kubelet(component) { format!("{}/", component.namespace) } else { String::new() };
        let fault = |fault: &String| Entry::Fault(format!("{kind} {}{name}: {fault}", plain(&place)));
        entries.extend(component.faults.iter().map(fault));
    }
    Section { title: "Control plane check", entries }
}

fn group_of(component: &Component) -> &'static str {
    if is_virtual_kubelet(component) { VIRTUAL_KUBELETS } else { component.kind }
}

fn is_virtual_kubelet(component: &Component) -> bool {
    component.name == VIRTUAL_KUBELET
}

/// Virtual kubelets all have one name, and each has a namespace of its own.
fn named(component: &Component) -> String {
    plain(if is_virtual_kubelet(component) { &component.namespace } else { &component.name })
}

fn counts(component: &Component) -> Entry {
    let Component { desired, ready, available, .. } = component;
    let text = format!("Desired: {desired}, Ready: {ready}/{desired}, Available: {available}/{desired}");
    Entry::pair(&named(component), text)
}

fn images(components: &[Component]) -> Vec<Entry> {
    let of_all: BTreeMap<String, String> = components
        .iter()
        .filter(|component| !component.images.is_empty())
        .map(|component| (named(component), plain(&component.images.join(", "))))
        .collect();
    of_all.into_iter().map(|(name, images)| Entry::Pair(name, images)).collect()
}
