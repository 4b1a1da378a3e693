//! Everything that a person does with a cluster works on real clusters: pods, Services, DNS, volumes, `kubectl`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod fixture;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use fixture::{CURL, Cluster, get, shared_pair, succeeded, testbed};

const HELLO: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: hello, namespace: workloads}
spec:
  replicas: 2
  selector: {matchLabels: {app: hello}}
  template:
    metadata: {labels: {app: hello}}
    spec:
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: hello}}}
      containers:
      - name: hello
        image: testbed.local/toolbox:1
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: hello, namespace: workloads}
spec: {type: LoadBalancer, selector: {app: hello}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: local, namespace: workloads}
spec: {type: LoadBalancer, externalTrafficPolicy: Local, selector: {app: hello}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: workloads}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: workloads}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: client
    image: testbed.local/toolbox:1
    command: [/bin/sh, -c, 'echo kept > /data/file; exec sleep 3600']
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
";

fn jsonpath(cluster: &Cluster, object: &str, path: &str) -> String {
    cluster.kubectl(&format!("get {object} -n workloads -o jsonpath={path}"))
}

fn balanced(cluster: &Cluster, service: &str) -> String {
    let path = "{.status.loadBalancer.ingress[0].ip}";
    cluster.kubectl(&format!("wait service/{service} -n workloads --for=jsonpath={path} --timeout=30s"));
    jsonpath(cluster, &format!("service/{service}"), path)
}

#[tokio::test]
async fn cluster_pods_services_dns_volumes_and_kubectl_work() {
    let Some(testbed) = testbed("cluster_pods_services_dns_volumes_and_kubectl_work") else { return };
    let (rome, milan) = shared_pair(&testbed).await;
    rome.fresh_namespace("workloads");
    rome.apply(HELLO);
    rome.kubectl("rollout status deployment/hello -n workloads --timeout=90s");
    rome.kubectl("wait pod/client -n workloads --for=condition=Ready --timeout=90s");

    // Service and DNS from a pod, to the pod on its own node and to the one on the other.
    let from_pod = |words: &str| rome.kubectl(&format!("exec client -n workloads -- {words}"));
    let pods: std::collections::BTreeSet<String> = (0..30)
        .map(|_| from_pod("curl -s --max-time 5 http://hello.workloads.svc.cluster.local"))
        .map(pod)
        .collect();
    assert_eq!(pods.len(), 2, "{pods:?}");
    assert!(from_pod("nslookup rome-worker.").contains("Address: "));

    // NodePort and load balancer from the machine and from a node of the other cluster.
    let port = jsonpath(&rome, "service/hello", "{.spec.ports[0].nodePort}");
    let node = rome
        .kubectl("get node rome-worker -o jsonpath={.status.addresses[?(@.type==\"InternalIP\")].address}");
    let address = balanced(&rome, "hello");
    for url in [format!("http://{node}:{port}/"), format!("http://{address}/")] {
        assert!(get(&url).contains("hello-"), "{url}");
        let mut command = vec!["curl"];
        command.extend(CURL);
        command.push(&url);
        let seen = testbed.exec("milan-control-plane", &command).await.unwrap();
        assert!(seen.stdout.contains("hello-"), "{url}: {seen:?}");
    }
    // The client's address survives where the Service asks for it.
    let machine = testbed.layout().network().machine();
    let seen = get(&format!("http://{}/", balanced(&rome, "local")));
    assert!(seen.contains(&format!("\"client\":\"{machine}\"")), "{seen}");

    // The volume outlives the pod.
    assert_eq!(from_pod("cat /data/file"), "kept\n");
    assert_eq!(jsonpath(&rome, "pvc/data", "{.status.phase}"), "Bound");
    assert!(rome.kubectl("logs deployment/hello -n workloads --all-pods").contains("GET /"));
    port_forward(&rome);
    drop(milan);
    rome.kubectl("delete namespace workloads --timeout=90s");
}

/// The pod that answered.
fn pod(answer: String) -> String {
    let value: serde_json::Value = serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer}"));
    value["pod"].as_str().unwrap().to_owned()
}

fn port_forward(cluster: &Cluster) {
    let mut forward = cluster
        .command(&["port-forward", "-n", "workloads", "deployment/hello", ":8080"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    // The reader stays: kubectl ends when nobody reads what it prints.
    let mut reader = BufReader::new(forward.stdout.take().unwrap());
    reader.read_line(&mut line).unwrap();
    let port = line.split("127.0.0.1:").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let answer = get(&format!("http://127.0.0.1:{port}/through"));
    forward.kill().unwrap();
    forward.wait().unwrap();
    drop(reader);
    assert!(answer.contains("/through"), "{line}: {answer}");
}

#[tokio::test]
async fn cluster_pods_leave_their_cluster_with_the_address_of_their_node() {
    let Some(testbed) = testbed("cluster_pods_leave_their_cluster_with_the_address_of_their_node") else {
        return;
    };
    let (rome, milan) = shared_pair(&testbed).await;
    let manifest = |namespace: &str| {
        format!(
            "
apiVersion: v1
kind: Pod
metadata: {{name: peer, namespace: {namespace}, labels: {{app: peer}}}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{{name: peer, image: 'testbed.local/toolbox:1'}}]
---
apiVersion: v1
kind: Service
metadata: {{name: peer, namespace: {namespace}}}
spec: {{type: LoadBalancer, externalTrafficPolicy: Local, selector: {{app: peer}}, ports: [{{port: 80, targetPort: 8080}}]}}
"
        )
    };
    for cluster in [&rome, &milan] {
        cluster.fresh_namespace("masquerade");
        cluster.apply(&manifest("masquerade"));
        cluster.kubectl("wait pod/peer -n masquerade --for=condition=Ready --timeout=90s");
    }
    let path = "{.status.loadBalancer.ingress[0].ip}";
    milan.kubectl(&format!("wait service/peer -n masquerade --for=jsonpath={path} --timeout=30s"));
    let address = milan.kubectl(&format!("get service/peer -n masquerade -o jsonpath={path}"));
    let node = rome.kubectl("get pod peer -n masquerade -o jsonpath={.status.hostIP}");
    let mut command = vec!["exec", "peer", "-n", "masquerade", "--", "curl"];
    command.extend(CURL);
    let url = format!("http://{address}/");
    command.push(&url);
    let seen = succeeded(rome.try_kubectl(&command), &url);
    assert!(seen.contains(&format!("\"client\":\"{node}\"")), "{seen}");

    // The pods have addresses of one range, and none leads into the other cluster.
    let remote = milan.kubectl("get pod peer -n masquerade -o jsonpath={.status.podIP}");
    assert!(remote.starts_with("10.200."), "{remote}");
    let url = format!("http://{remote}:8080/");
    let direct = testbed.exec("rome-control-plane", &["curl", "-s", "--max-time", "2", &url]).await.unwrap();
    let milans = direct.stdout.contains(&remote) && !direct.stdout.contains("masquerade");
    assert!(!milans, "{direct:?}");
    for cluster in [&rome, &milan] {
        cluster.kubectl("delete namespace masquerade --timeout=90s");
    }
}

#[tokio::test]
async fn cluster_kubelets_ask_the_api_server_who_may_do_what() {
    let Some(testbed) = testbed("cluster_kubelets_ask_the_api_server_who_may_do_what") else { return };
    let (rome, _) = shared_pair(&testbed).await;
    let token = rome.kubectl("create token default -n default");
    let bearer = format!("Authorization: Bearer {}", token.trim());
    let url = "https://127.0.0.1:10250/pods";
    let ask = ["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "10", url];
    assert_eq!(testbed.exec("rome-worker", &ask).await.unwrap().stdout, "401");
    let known = [&ask[..], &["-H", &bearer]].concat();
    assert_eq!(testbed.exec("rome-worker", &known).await.unwrap().stdout, "403");
}

#[tokio::test]
async fn cluster_an_image_archive_can_be_loaded_and_run() {
    let Some(testbed) = testbed("cluster_an_image_archive_can_be_loaded_and_run") else { return };
    let (rome, _) = shared_pair(&testbed).await;
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("own.tar");
    let mut image = liqo_oci_image::Image::new("testbed.local/own:1").unwrap();
    image.add_program("/usr/bin/busybox", "/bin/busybox").unwrap();
    image.entrypoint(["/bin/busybox".to_owned(), "echo".to_owned(), "from an archive".to_owned()]);
    image.write(&archive).unwrap();
    assert!(testbed.load(&rome.name, &archive).await.unwrap().contains("own:1"));
    rome.fresh_namespace("images");
    rome.apply(
        "
apiVersion: v1
kind: Pod
metadata: {name: own, namespace: images}
spec:
  restartPolicy: Never
  nodeName: rome-worker
  containers: [{name: own, image: 'testbed.local/own:1', imagePullPolicy: Never}]
",
    );
    rome.kubectl("wait pod/own -n images --for=jsonpath={.status.phase}=Succeeded --timeout=60s");
    assert_eq!(rome.kubectl("logs own -n images"), "from an archive\n");
    rome.kubectl("delete namespace images --timeout=90s");

    std::fs::write(&archive, "no archive").unwrap();
    let error = testbed.load(&rome.name, &archive).await.unwrap_err().line();
    assert!(error.contains("own.tar") && error.contains("refused by containerd"), "{error}");
}
