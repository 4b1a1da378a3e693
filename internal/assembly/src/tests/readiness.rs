//! A process is ready while its servers serve, and not longer.

use liqo_listening::{Bounds, Socket};
use liqo_telemetry::Checks;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::oneshot;
use tokio::task::yield_now;

use crate::services::Services;

fn socket() -> Socket {
    Socket::bind(([127, 0, 0, 1], 0).into()).unwrap()
}

async fn until(readiness: &Checks, expected: &str) {
    while readiness.outcome().1 != expected {
        yield_now().await;
    }
}

#[tokio::test]
async fn a_process_is_ready_from_when_to_when_all_of_its_servers_serve() {
    let mut services = Services::ready_with(&["engine", "webhooks", "kubelet-api"]);
    let (webhooks, kubelet) = (socket(), socket());
    services.ready_while_served("webhooks", webhooks.served());
    services.ready_while_served("kubelet-api", kubelet.served());
    services.passed("engine");
    let readiness = services.readiness.clone();
    until(&readiness, "[+] engine ok\n[-] kubelet-api: not yet\n[-] webhooks: not yet\n").await;

    let bounds = Bounds { most: 1, open: Gauge::default(), grace: None };
    let serve = |socket: Socket| {
        let (stop, stopped) = oneshot::channel::<()>();
        let listening = socket.listen().unwrap();
        let serving = listening.serve(bounds.clone(), |_, _| async {}, async { drop(stopped.await) });
        (stop, tokio::spawn(serving))
    };
    let (stop, serving) = serve(webhooks);
    until(&readiness, "[+] engine ok\n[-] kubelet-api: not yet\n[+] webhooks ok\n").await;
    assert!(!readiness.outcome().0);
    let _other = serve(kubelet);
    until(&readiness, "[+] engine ok\n[+] kubelet-api ok\n[+] webhooks ok\n").await;
    assert!(readiness.outcome().0);

    stop.send(()).unwrap();
    serving.await.unwrap();
    until(&readiness, "[+] engine ok\n[+] kubelet-api ok\n[-] webhooks: it is not served any more\n").await;
    assert!(!readiness.outcome().0);
}

#[tokio::test]
async fn a_server_that_never_began_was_never_ready() {
    let mut services = Services::ready_with(&["webhooks"]);
    let webhooks = socket();
    services.ready_while_served("webhooks", webhooks.served());
    drop(webhooks);
    services.tasks.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(services.readiness.outcome(), (false, "[-] webhooks: not yet\n".to_owned()));
}
