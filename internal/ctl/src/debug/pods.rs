//! Which pod is meant.

use k8s_openapi::api::core::v1::Pod;

use crate::CtlError;

/// What of a pod matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) name: String,
    pub(crate) running: bool,
}

impl From<&Pod> for Candidate {
    fn from(pod: &Pod) -> Self {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        let ending = pod.metadata.deletion_timestamp.is_some();
        Self {
            name: pod.metadata.name.clone().unwrap_or_default(),
            running: phase == Some("Running") && !ending,
        }
    }
}

/// The label that pods of a component have.
pub(crate) fn selector(component: &str) -> String {
    format!("app.kubernetes.io/name={component}")
}

/// The only pod that runs.
pub(crate) fn choose(component: &str, namespace: &str, pods: &[Candidate]) -> Result<String, CtlError> {
    let running: Vec<&str> = pods.iter().filter(|pod| pod.running).map(|pod| pod.name.as_str()).collect();
    match (running.as_slice(), pods) {
        ([name], _) => Ok((*name).to_owned()),
        ([], []) => Err(CtlError::Pod(format!(
            "namespace {namespace} has no pod of component {component} (label {}): check --namespace and --component",
            selector(component)
        ))),
        ([], [first, ..]) => Err(CtlError::Pod(format!(
            "no pod of component {component} runs in namespace {namespace}; there is {}: see `kubectl -n {namespace} \
             describe pod {}`",
            first.name, first.name
        ))),
        (several, _) => Err(CtlError::Pod(format!(
            "namespace {namespace} has several pods of component {component}: say which with --pod: {}",
            several.join(", ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(pods: &[(&str, bool)]) -> Result<String, String> {
        let candidate =
            |(name, running): &(&str, bool)| Candidate { name: (*name).to_owned(), running: *running };
        let pods: Vec<Candidate> = pods.iter().map(candidate).collect();
        choose("controller-manager", "liqo", &pods).map_err(|error| error.to_string())
    }

    #[test]
    fn the_one_that_runs_is_meant() {
        assert_eq!(chosen(&[("old", false), ("new", true)]), Ok("new".into()));
    }

    #[test]
    fn without_one_or_with_several_it_is_said_what_to_do() {
        assert!(chosen(&[]).unwrap_err().contains("check --namespace and --component"));
        assert!(chosen(&[("old", false)]).unwrap_err().contains("describe pod old"));
        assert!(chosen(&[("a", true), ("b", true)]).unwrap_err().ends_with("say which with --pod: a, b"));
    }
}
