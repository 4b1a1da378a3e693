//! What everybody may do.

use std::collections::BTreeSet;

use liqo_reflection::{Access, REFLECTORS};
use serde_json::Value;

use crate::objects::{name, named, of_kind, strings};

/// Things that may be done, as `verb group/resource`.
type Rights = BTreeSet<String>;

/// What a role allows on objects of any name.
fn allowed(role: &Value) -> Rights {
    let rules = role["rules"].as_array().unwrap().iter().filter(|rule| rule["resourceNames"].is_null());
    rules
        .flat_map(|rule| {
            of_rule(strings(&rule["apiGroups"]), &strings(&rule["resources"]), &strings(&rule["verbs"]))
        })
        .collect()
}

fn of_rule(groups: Vec<&str>, resources: &[&str], verbs: &[&str]) -> Rights {
    let mut rights = Rights::new();
    for group in groups {
        for resource in resources {
            rights.extend(verbs.iter().map(|verb| format!("{verb} {group}/{resource}")));
        }
    }
    rights
}

/// A group, resources and verbs, the latter with spaces between them.
type Row = (&'static str, &'static str, &'static str);

fn table(rows: &[Row]) -> Rights {
    rows.iter()
        .flat_map(|(group, resources, verbs)| {
            let (resources, verbs): (Vec<_>, Vec<_>) =
                (resources.split(' ').collect(), verbs.split(' ').collect());
            of_rule(vec![group], &resources, &verbs)
        })
        .collect()
}

/// What a virtual kubelet needs for everything that it reflects.
fn needed(access: impl Fn(&liqo_reflection::Reflector) -> &'static [Access]) -> Rights {
    let accesses = REFLECTORS.iter().flat_map(access);
    accesses.flat_map(|access| of_rule(vec![access.group], &[access.resource], access.verbs)).collect()
}

#[test]
fn no_role_says_everything() {
    for role in [of_kind("ClusterRole"), of_kind("Role")].concat() {
        for rule in role["rules"].as_array().unwrap() {
            assert!(!rule.to_string().contains('*'), "{}: {rule}", name(&role));
        }
    }
    let known: BTreeSet<_> = of_kind("ClusterRole").iter().map(|role| name(role).to_owned()).collect();
    for binding in of_kind("ClusterRoleBinding") {
        assert!(known.contains(binding["roleRef"]["name"].as_str().unwrap()), "{}", name(&binding));
    }
}

const ALL: &str = "create delete get list patch update watch";
const ALL_AT_ONCE: &str = "create delete deletecollection get list patch update watch";

/// Source: the ClusterRoles of Liqo 0.8.3. Its clusters peer with ours and rely on them.
#[test]
fn peers_may_do_what_0_8_3_lets_them() {
    let expected: [(&str, &[Row]); 4] = [
        (
            "liqo-remote-peering-basic",
            &[("discovery.liqo.io", "resourcerequests resourcerequests/status", ALL_AT_ONCE)],
        ),
        (
            "liqo-remote-peering-incoming",
            &[
                ("net.liqo.io", "networkconfigs networkconfigs/status", ALL_AT_ONCE),
                ("virtualkubelet.liqo.io", "namespacemaps namespacemaps/status", ALL_AT_ONCE),
            ],
        ),
        (
            "liqo-remote-peering-outgoing",
            &[
                ("net.liqo.io", "networkconfigs networkconfigs/status", ALL_AT_ONCE),
                ("sharing.liqo.io", "resourceoffers resourceoffers/status", ALL_AT_ONCE),
            ],
        ),
        (
            "liqo-virtual-kubelet-remote",
            &[
                ("", "configmaps secrets services persistentvolumeclaims", ALL),
                ("", "pods", "get list watch"),
                ("", "pods/attach pods/exec", "create"),
                ("", "pods/log", "get list"),
                ("", "pods/portforward", "create get"),
                ("metrics.k8s.io", "pods", "get list watch"),
                ("networking.k8s.io", "ingresses", ALL),
                ("virtualkubelet.liqo.io", "shadowendpointslices shadowpods", ALL),
            ],
        ),
    ];
    for (role, rows) in expected {
        assert_eq!(allowed(&named("ClusterRole", role)), table(rows), "{role}");
    }
}

#[test]
fn roles_of_peers_say_which_part_of_a_peering_they_are_for() {
    for part in ["basic", "incoming", "outgoing"] {
        let role = named("ClusterRole", &format!("liqo-remote-peering-{part}"));
        assert_eq!(role["metadata"]["labels"]["auth.liqo.io/remote-peering-permissions"], part);
    }
}

#[test]
fn a_virtual_kubelet_may_reflect_what_is_reflected() {
    let cases = [
        ("liqo-virtual-kubelet-local", needed(|reflector| reflector.home_access)),
        ("liqo-virtual-kubelet-remote", needed(|reflector| reflector.remote_access)),
    ];
    for (role, needed) in cases {
        let allowed = allowed(&named("ClusterRole", role));
        let missing: Vec<_> = needed.difference(&allowed).collect();
        assert!(missing.is_empty(), "{role} lacks {missing:?}");
    }
}

/// Who can bind any role, approve for any signer or change any webhook, can do everything.
#[test]
fn what_would_give_everything_is_limited_to_named_objects() {
    let manager = named("ClusterRole", "liqo-controller-manager");
    let allowed = allowed(&manager);
    for verb in ["approve", "bind", "escalate", "impersonate", "sign"] {
        let found: Vec<_> = allowed.iter().filter(|right| right.starts_with(&format!("{verb} "))).collect();
        assert!(found.is_empty(), "{found:?}");
    }
    assert!(!allowed.iter().any(|right| right.contains("webhookconfigurations")));
    let bound = manager["rules"].as_array().unwrap().iter().find(|rule| rule["verbs"][0] == "bind").unwrap();
    let known: BTreeSet<_> = of_kind("ClusterRole").iter().map(|role| name(role).to_owned()).collect();
    assert!(strings(&bound["resourceNames"]).into_iter().all(|role| known.contains(role)));
}

#[test]
fn agents_have_no_rights() {
    let bindings = [of_kind("ClusterRoleBinding"), of_kind("RoleBinding")].concat();
    let subjects = bindings.iter().flat_map(|binding| binding["subjects"].as_array().unwrap());
    let subjects: BTreeSet<_> = subjects.map(|subject| subject["name"].as_str().unwrap()).collect();
    assert_eq!(subjects, ["liqo-controller-manager"].into());
}
