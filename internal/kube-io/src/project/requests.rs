//! What a scheduler sets aside for a pod.
//!
//! Containers run together, and with those among the init containers that go on running. The other init containers run one
//! after the other, each beside those that go on and began before it. What the pod asks for as a whole counts instead, where
//! it does, and its overhead comes on top.

use std::collections::BTreeMap;

use super::fields::{Fields, Read};
use super::quantities::billionths;

/// Amounts by resource, in billionths of the unit.
type Amounts = BTreeMap<String, i128>;

/// What a pod asks for, in billionths of the unit.
pub(super) fn requests(pod: &Fields<'_>) -> Read<Amounts> {
    let (mut running, mut starting, mut lasting) = (Amounts::new(), Amounts::new(), Amounts::new());
    for container in pod.items("spec.containers")? {
        add(&mut running, &amounts(&container, "resources.requests")?);
    }
    for container in pod.items("spec.initContainers")? {
        let own = amounts(&container, "resources.requests")?;
        if container.text("restartPolicy")? == "Always" {
            add(&mut lasting, &own);
            raise(&mut starting, &lasting);
        } else {
            let mut together = lasting.clone();
            add(&mut together, &own);
            raise(&mut starting, &together);
        }
    }
    add(&mut running, &lasting);
    raise(&mut running, &starting);
    running.extend(amounts(pod, "spec.resources.requests")?);
    add(&mut running, &amounts(pod, "spec.overhead")?);
    Ok(running)
}

/// So many units of `unit` billionths, rounded up.
pub(super) fn in_units(amount: i128, unit: i128) -> u64 {
    let whole = amount / unit + i128::from(amount % unit != 0);
    u64::try_from(whole).unwrap_or(u64::MAX)
}

fn amounts(object: &Fields<'_>, path: &str) -> Read<Amounts> {
    let entries = object.entries(path)?.into_iter();
    let read = entries.map(|(resource, amount)| {
        let known = billionths(amount.value()).filter(|amount| *amount >= 0);
        let known = known.ok_or_else(|| amount.refuse_itself("is no quantity"))?;
        Ok((resource.to_owned(), known))
    });
    read.collect()
}

fn add(sum: &mut Amounts, more: &Amounts) {
    for (resource, amount) in more {
        let sum = sum.entry(resource.clone()).or_default();
        *sum = sum.saturating_add(*amount);
    }
}

fn raise(least: &mut Amounts, to: &Amounts) {
    for (resource, amount) in to {
        let known = least.entry(resource.clone()).or_default();
        *known = (*known).max(*amount);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn cpu_of(spec: Value) -> i128 {
        let pod = json!({"spec": spec});
        let requests = requests(&Fields::new(&pod)).unwrap();
        requests.get("cpu").copied().unwrap_or_default() / 1_000_000
    }

    fn container(cpu: &str) -> Value {
        json!({"resources": {"requests": {"cpu": cpu}}})
    }

    fn lasting(cpu: &str) -> Value {
        json!({"restartPolicy": "Always", "resources": {"requests": {"cpu": cpu}}})
    }

    #[test]
    fn what_runs_together_is_summed_and_what_runs_before_counts_when_it_is_more() {
        let containers = json!([container("200m"), container("300m"), {}]);
        assert_eq!(cpu_of(json!({"containers": containers})), 500);
        for (init, expected) in [
            (json!([container("400m"), container("100m")]), 500),
            (json!([container("900m"), container("100m")]), 900),
            (json!([lasting("100m")]), 600),
            (json!([lasting("100m"), container("450m")]), 600),
            (json!([lasting("100m"), container("600m")]), 700),
            (json!([container("600m"), lasting("50m")]), 600),
        ] {
            let spec = json!({"containers": containers, "initContainers": init});
            assert_eq!(cpu_of(spec.clone()), expected, "{spec}");
        }
    }

    #[test]
    fn a_whole_pod_may_ask_for_itself_and_its_runtime_takes_some_more() {
        let containers = json!([container("200m")]);
        let whole = json!({"requests": {"cpu": "1"}});
        assert_eq!(cpu_of(json!({"containers": containers, "resources": whole})), 1000);
        let overhead = json!({"cpu": "50m"});
        assert_eq!(cpu_of(json!({"containers": containers, "overhead": overhead})), 250);
    }

    #[test]
    fn units_are_rounded_up() {
        assert_eq!(
            (in_units(1, 1_000_000), in_units(0, 1_000_000), in_units(2_000_000, 1_000_000)),
            (1, 0, 2)
        );
        assert_eq!(in_units(i128::MAX, 1), u64::MAX);
    }
}
