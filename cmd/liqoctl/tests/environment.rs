//! What the program takes from its environment: kubeconfigs, credential plugins, and the shell that asks for completions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_liqoctl");

/// An API server that has one `ForeignCluster`, milan, and tells which requests came.
struct ApiServer {
    address: SocketAddr,
    requests: Receiver<String>,
}

impl ApiServer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = channel();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                answer(connection, &sender);
            }
        });
        Self { address, requests }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Heads of the requests since the last call.
    fn requests(&self) -> Vec<String> {
        self.requests.try_iter().collect()
    }
}

fn answer(mut connection: TcpStream, requests: &Sender<String>) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && connection.read(&mut byte).is_ok_and(|read| read == 1) {
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let is_one = head.contains("/deployments/");
    let peers = head.contains("/foreignclusters");
    requests.send(head).unwrap();
    let peer = json!({"metadata": {"name": "milan"}, "spec": {"foreignAuthUrl": "https://a.example.org"}});
    let items = if peers { json!([peer]) } else { json!([]) };
    let (status, body) = if is_one {
        let refusal = json!({"kind": "Status", "reason": "NotFound", "message": "not found", "code": 404});
        ("404 Not Found", refusal)
    } else {
        ("200 OK", json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items}))
    };
    let body = body.to_string();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(answer.as_bytes()).unwrap();
}

fn kubeconfig(path: &Path, current: Option<&str>, clusters: Value, user: Value) -> PathBuf {
    let text = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": current.unwrap_or_default(),
        "clusters": clusters,
        "users": if user.is_null() { json!([]) } else { json!([{"name": "me", "user": user}]) },
        "contexts": [{"name": "rome", "context": {"cluster": "rome", "user": "me"}}],
    });
    fs::write(path, text.to_string()).unwrap();
    path.to_owned()
}

fn rome(server: &ApiServer) -> Value {
    json!([{"name": "rome", "cluster": {"server": server.url()}}])
}

fn liqoctl(kubeconfig: &std::ffi::OsStr, words: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    // One that is there for everything else does not count for this machine.
    command.env("HTTPS_PROXY", "http://proxy.invalid:3128");
    command.env("KUBECONFIG", kubeconfig).args(words).output().unwrap()
}

fn error(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn all_files_of_the_variable_count_together() {
    let (server, directory) = (ApiServer::start(), tempfile::tempdir().unwrap());
    let at = |name: &str| directory.path().join(name);
    // given the context in one file, and its cluster in another
    let first = kubeconfig(&at("first"), Some("rome"), json!([]), json!({"token": "mine"}));
    let second = kubeconfig(&at("second"), None, rome(&server), Value::Null);
    let all = std::env::join_paths([first, at("missing"), second]).unwrap();
    let output = liqoctl(&all, &["status", "peer", "milan"]);
    assert!(output.status.success(), "{output:?}");
    let requests = server.requests();
    assert!(requests.iter().all(|head| head.contains("authorization: Bearer mine\r\n")), "{requests:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("milan"));
}

#[test]
fn a_server_is_reached_without_any_kubeconfig() {
    let server = ApiServer::start();
    let missing = std::ffi::OsStr::new("/nowhere/kubeconfig");
    let output = liqoctl(missing, &["--server", &server.url(), "--token", "mine", "status", "peer"]);
    assert!(output.status.success(), "{output:?}");
    assert!(server.requests()[0].contains("authorization: Bearer mine\r\n"));
    let said = error(&liqoctl(missing, &["status", "peer"]));
    let expected = "liqoctl: there is no kubeconfig (/nowhere/kubeconfig), and this does not run in a pod: name one by \
                    --kubeconfig or the environment variable KUBECONFIG\n";
    assert_eq!(said, expected);
}

/// A kubeconfig whose user is what a program says.
fn with_plugin(directory: &Path, server: &ApiServer, program: &str) -> PathBuf {
    let path = directory.join("login");
    fs::write(&path, format!("#!/bin/sh\n{program}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "command": "./login", "args": ["canary"],
        "interactiveMode": "Never", "env": [{"name": "REALM", "value": "canary"}],
    });
    kubeconfig(&directory.join("kubeconfig"), Some("rome"), rome(server), json!({"exec": exec}))
}

#[test]
fn a_credential_plugin_is_asked_who_the_user_is() {
    let (server, directory) = (ApiServer::start(), tempfile::tempdir().unwrap());
    let program = r#"test "$1 $REALM" = "canary canary" && test -n "$KUBERNETES_EXEC_INFO" && echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "of-the-plugin"}}'"#;
    let path = with_plugin(directory.path(), &server, program);
    let output = liqoctl(path.as_os_str(), &["status", "peer"]);
    assert!(output.status.success(), "{output:?}");
    let requests = server.requests();
    assert!(requests[0].contains("authorization: Bearer of-the-plugin\r\n"), "{requests:?}");
}

#[test]
fn a_credential_plugin_that_fails_is_told_without_its_secrets() {
    let (server, directory) = (ApiServer::start(), tempfile::tempdir().unwrap());
    let path = with_plugin(directory.path(), &server, "echo canary; echo log in first >&2; exit 3");
    let said = error(&liqoctl(path.as_os_str(), &["status", "peer"]));
    assert!(said.contains("/login: it failed with exit status: 3: log in first; log in again"), "{said}");
    assert!(!said.contains("canary"), "{said}");
    let path = with_plugin(directory.path(), &server, "echo canary");
    let said = error(&liqoctl(path.as_os_str(), &["status", "peer"]));
    assert!(said.contains("what it wrote is no ExecCredential") && !said.contains("canary"), "{said}");
    assert!(server.requests().is_empty());
}

/// What bash would offer for a line, with the cursor at its end.
fn offered(path: &Path, line: &str) -> Vec<String> {
    let script = format!(
        "set -u; source <({PROGRAM} completion bash); COMP_LINE={line:?}; COMP_POINT=${{#COMP_LINE}}; _liqoctl; printf \
         '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let output = Command::new("bash").args(["-c", &script]).env("KUBECONFIG", path).output().unwrap();
    assert!(output.status.success(), "{line}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_and_names() {
    let (server, directory) = (ApiServer::start(), tempfile::tempdir().unwrap());
    let path = kubeconfig(&directory.path().join("k"), Some("rome"), rome(&server), Value::Null);
    let program = |rest: &str| format!("{PROGRAM} {rest}");
    assert_eq!(offered(&path, &program("unp")), ["unpeer"]);
    assert_eq!(offered(&path, &program("unpeer ")), ["out-of-band", "help", "milan"]);
    assert_eq!(offered(&path, &program("unpeer out-of-band ")), ["milan"]);
    assert_eq!(offered(&path, &program("status peer --context rome mi")), ["milan"]);
    // What is in front of the = stays as it is typed.
    assert_eq!(offered(&path, &program("status --output=y")), ["yaml"]);
    assert_eq!(offered(&path, &program("status --kubeconfig ")), [""; 0]);
}
