//! What runs in the offloaded namespace, and how it is asked.

use std::collections::BTreeSet;

use serde_json::Value;

use super::secrecy::CANARY;
use super::user::{User, text, until};

/// The namespace.
pub(crate) const NAMESPACE: &str = "life";
/// The value of the ConfigMap.
pub(crate) const GREETING: &str = "buongiorno";

/// A Deployment that runs in the provider with a ConfigMap and a Secret, a Service of it, and a client that stays.
pub(crate) fn manifest() -> String {
    format!(
        "
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings, namespace: {NAMESPACE}}}
data: {{greeting: {GREETING}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: planted, namespace: {NAMESPACE}}}
stringData: {{password: {CANARY}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: hello, namespace: {NAMESPACE}}}
spec:
  selector: {{matchLabels: {{app: hello}}}}
  template:
    metadata: {{labels: {{app: hello}}}}
    spec:
      nodeSelector: {{liqo.io/type: virtual-node}}
      terminationGracePeriodSeconds: 0
      containers:
      - name: hello
        image: testbed.local/toolbox:1
        imagePullPolicy: Never
        env:
        - {{name: NODE_NAME, valueFrom: {{fieldRef: {{fieldPath: spec.nodeName}}}}}}
        - {{name: GREETING, valueFrom: {{configMapKeyRef: {{name: settings, key: greeting}}}}}}
        volumeMounts: [{{name: planted, mountPath: /planted}}]
        readinessProbe: {{httpGet: {{path: /, port: 8080}}, periodSeconds: 1}}
      volumes: [{{name: planted, secret: {{secretName: planted}}}}]
---
apiVersion: v1
kind: Service
metadata: {{name: hello, namespace: {NAMESPACE}}}
spec: {{selector: {{app: hello}}, ports: [{{port: 80, targetPort: 8080}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: client, namespace: {NAMESPACE}}}
spec:
  terminationGracePeriodSeconds: 0
  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms: [{{matchExpressions: [{{key: liqo.io/type, operator: NotIn, values: [virtual-node]}}]}}]
  containers:
  - {{name: client, image: 'testbed.local/toolbox:1', imagePullPolicy: Never, command: [sleep, infinity]}}
"
    )
}

/// A pod of the consumer and the one that runs for it in the provider.
pub(crate) struct Offloaded {
    pub(crate) name: String,
    address: String,
    pub(crate) remote_namespace: String,
    /// Its uid, and how often its container started.
    remote: (String, Value),
}

impl Offloaded {
    /// The pod of the Deployment, once both agree that it is ready.
    pub(crate) fn of(consumer: &User, provider: &User) -> Self {
        consumer.kubectl(&format!("rollout status deployment/hello -n {NAMESPACE} --timeout=60s"));
        let home = consumer.list(&format!("pods -n {NAMESPACE} -l app=hello")).remove(0);
        let offloading = consumer.get(&format!("namespaceoffloading offloading -n {NAMESPACE}"));
        let name = text(&home, "/metadata/name").to_owned();
        let remote_namespace = text(&offloading, "/status/remoteNamespaceName").to_owned();
        let remote = remote_state(provider, &remote_namespace, &name);
        Self { address: text(&home, "/status/podIP").to_owned(), name, remote_namespace, remote }
    }

    /// What a shell in the pod prints, by `kubectl exec` at home.
    pub(crate) fn says(&self, consumer: &User, script: &str) -> String {
        consumer.try_kubectl(&["exec", "-n", NAMESPACE, &self.name, "--", "sh", "-c", script]).unwrap()
    }

    /// The client at home gets an answer from the provider, by the pod's address and by the Service.
    pub(crate) fn answers(&self, consumer: &User, provider: &User) {
        for host in [format!("{}:8080", self.address), "hello".to_owned()] {
            let url = format!("http://{host}/");
            let curl = ["exec", "-n", NAMESPACE, "client", "--", "curl", "-s", "--max-time", "2", &url];
            let answer = until(&format!("answer of {url}"), || consumer.try_kubectl(&curl));
            let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{url}: {answer}"));
            assert_eq!(answer["pod"], *self.name, "{url}");
            assert_eq!(answer["node"], format!("{}-control-plane", provider.name), "{url}");
        }
    }

    /// Nobody runs it any more, and its controller has made another.
    pub(crate) fn is_given_up(&self, consumer: &User) {
        until("replacement of the pod", || {
            let pods = consumer.list(&format!("pods -n {NAMESPACE} -l app=hello"));
            let shown = |pod: &Value| {
                let is_it = text(pod, "/metadata/name") == self.name;
                (is_it, text(pod, "/status/phase").to_owned(), text(pod, "/status/reason").to_owned())
            };
            let pods: BTreeSet<_> = pods.iter().map(shown).collect();
            let it = (true, "Failed".to_owned(), "OffloadingAborted".to_owned());
            let other = (false, "Pending".to_owned(), String::new());
            if pods == BTreeSet::from([it, other]) { Ok(()) } else { Err(pods) }
        });
    }

    /// Nothing of what happened since touched it.
    pub(crate) fn is_undisturbed(&self, consumer: &User, provider: &User) {
        assert_eq!(remote_state(provider, &self.remote_namespace, &self.name), self.remote);
        let home = consumer.get(&format!("pod {} -n {NAMESPACE}", self.name));
        assert_eq!(text(&home, "/status/phase"), "Running");
        assert_eq!(home.pointer("/status/containerStatuses/0/restartCount"), Some(&Value::from(0)));
    }
}

fn remote_state(provider: &User, namespace: &str, name: &str) -> (String, Value) {
    let pod = provider.get(&format!("pod {name} -n {namespace}"));
    let restarts = pod.pointer("/status/containerStatuses/0/restartCount").cloned().unwrap_or_default();
    (text(&pod, "/metadata/uid").to_owned(), restarts)
}

/// A new pod is taken to the provider, runs, and is ended there. The webhook may not be reached yet when its process has just
/// ended: a controller would try again, as is done here.
pub(crate) fn another_pod_runs(consumer: &User) {
    let manifest = format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: another, namespace: {NAMESPACE}}}
spec:
  nodeSelector: {{liqo.io/type: virtual-node}}
  terminationGracePeriodSeconds: 0
  containers:
  - {{name: another, image: 'testbed.local/toolbox:1', imagePullPolicy: Never, command: [sleep, infinity]}}
"
    );
    until("pod that is admitted", || consumer.try_apply(&manifest));
    consumer.kubectl(&format!("wait pod/another -n {NAMESPACE} --for=condition=Ready --timeout=60s"));
    consumer.kubectl(&format!("delete pod another -n {NAMESPACE} --timeout=60s"));
}
