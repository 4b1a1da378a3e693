//! What the probes of a process say whose API server does not answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

/// Ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An address that nobody listens on.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn get(address: SocketAddr, path: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    write!(connection, "GET {path} HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_process_without_its_api_server_is_alive_and_not_ready() {
    // given a kubeconfig whose server refuses connections
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = directory.path().join("kubeconfig");
    let config = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
         clusters: [{{name: c, cluster: {{server: 'http://{}'}}}}]\n\
         contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
         users: [{{name: u, user: {{}}}}]\n",
        free()
    );
    std::fs::write(&kubeconfig, config).unwrap();
    // when the process has tried to reach it, a few times
    let probes = free();
    let mut command = Command::new(env!("CARGO_BIN_EXE_liqo-controller-manager"));
    command.arg("--kubeconfig").arg(&kubeconfig).arg("--metrics-address").arg(probes.to_string());
    for flag in ["--auth-address", "--webhook-address", "--projection-address"] {
        command.args([flag, "127.0.0.1:0"]);
    }
    let started = command.env_remove("LIQO_LOG").stderr(Stdio::piped()).spawn().unwrap();
    let mut process = Process(started);
    let printed = BufReader::new(process.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let waits: Vec<String> = printed.take(3).collect();
    // then it says so, and that is no error of the program
    for line in &waits {
        assert!(line.contains(" WARN ") && line.contains("waiting for the key of the log"), "{waits:#?}");
    }
    // and it is not started anew for it, nor asked for anything
    assert!(get(probes, "/livez").starts_with("HTTP/1.1 200"));
    let ready = get(probes, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    let missing =
        ["authentication", "cluster", "engine", "webhooks"].map(|what| format!("[-] {what}: not yet\n"));
    assert!(ready.ends_with(&format!("\r\n\r\n{}", missing.concat())), "{ready}");
    assert!(get(probes, "/metrics").contains("liqo_engine_live 0"));
}

#[test]
fn a_port_of_somebody_else_is_said_at_once() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for flag in ["--auth-address", "--webhook-address", "--projection-address", "--metrics-address"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_liqo-controller-manager"));
        for other in ["--auth-address", "--webhook-address", "--projection-address", "--metrics-address"] {
            command.args([other, if other == flag { &address } else { "127.0.0.1:0" }]);
        }
        // Before anything is asked of an API server, or anybody is told that the process is well.
        let ended = command.env_remove("LIQO_LOG").output().unwrap();
        assert!(!ended.status.success());
        let printed = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(printed.contains(&format!("error: cannot listen on {address}: check")), "{flag}: {printed}");
    }
}
