//! An agent and control planes that come and go.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use liqo_events::Seq;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::test_process::{Process, view};
use crate::test_server::{GATEWAY, NODE, SERVER_NAME, TestServer, certificates};
use crate::{AgentReport, TunnelReport, TunnelStatus};

struct Agent {
    known: watch::Receiver<Followed>,
    _following: JoinHandle<()>,
}

struct Held {
    token: &'static str,
    authority: String,
}

impl Credentials for Held {
    fn token(&self) -> io::Result<String> {
        Ok(self.token.to_owned())
    }

    fn authority(&self) -> io::Result<String> {
        Ok(self.authority.clone())
    }
}

fn connection(server: &TestServer) -> Connection {
    Connection {
        address: format!("https://{}", server.address),
        server_name: SERVER_NAME.to_owned(),
        topic: "gateway".to_owned(),
        seed: 1,
    }
}

impl Agent {
    fn of(server: &TestServer, start: Acceptance) -> Self {
        let connection = connection(server);
        let (into, known) = watch::channel(Followed::default());
        let credentials = Held { token: GATEWAY, authority: server.authority.clone() };
        Self { known, _following: tokio::spawn(follow(connection, credentials, start, into)) }
    }

    /// What the agent knows when this is so.
    async fn when(&mut self, so: impl FnMut(&Followed) -> bool) -> Followed {
        let known = timeout(Duration::from_secs(60), self.known.wait_for(so)).await;
        known.expect("it is so within a minute").unwrap().clone()
    }
}

fn at(epoch: u64, seq: u64) -> Option<Position> {
    Some(Position { epoch, seq: Seq(seq) })
}

#[tokio::test]
async fn an_agent_keeps_what_it_knows_while_control_is_away() {
    // given an agent that follows a control plane
    let process = Process::leading(7);
    process.show("gateway", &[("a", "1")]);
    let pki = certificates();
    let server = TestServer::start_on(([127, 0, 0, 1], 0).into(), process.clone(), pki.clone()).await;
    let address = server.address;
    let mut agent = Agent::of(&server, Acceptance::default());
    let known = agent.when(|known| known.current).await;
    assert_eq!(known, Followed { at: at(7, 1), view: Arc::new(view(&[("a", "1")])), current: true });
    process.show("gateway", &[("a", "2")]);
    agent.when(|known| *known.view == view(&[("a", "2")])).await;
    // when the control plane goes, then the agent knows that, and everything else as before
    server.stop.send_replace(true);
    server.server.await.unwrap().unwrap();
    let known = agent.when(|known| !known.current).await;
    assert_eq!(known, Followed { at: at(7, 2), view: Arc::new(view(&[("a", "2")])), current: false });
    // when the next leader comes, then the agent follows that
    let next = Process::leading(8);
    next.show("gateway", &[("a", "2"), ("b", "1")]);
    let _server = TestServer::start_on(address, next, pki).await;
    let known = agent.when(|known| known.current).await;
    assert_eq!(
        known,
        Followed { at: at(8, 1), view: Arc::new(view(&[("a", "2"), ("b", "1")])), current: true }
    );
}

#[tokio::test]
async fn an_old_leader_is_not_listened_to() {
    let old = Process::leading(6);
    old.show("gateway", &[("a", "old")]);
    let server = TestServer::start(old.clone()).await;
    let known = Acceptance::starting_from(Position { epoch: 7, seq: Seq(3) }, view(&[("a", "new")]));
    let mut agent = Agent::of(&server, known);
    let stale = agent.when(|known| known.at.is_some()).await;
    assert_eq!(stale, Followed { at: at(7, 3), view: Arc::new(view(&[("a", "new")])), current: false });
    // when the process leads again, in a later epoch, then it is listened to, and nothing of before was taken
    old.lead(8, true);
    let known = agent.when(|known| *known.view != view(&[("a", "new")])).await;
    assert_eq!((known.at, known.current), (at(8, 1), true));
}

fn seen(status: TunnelStatus) -> AgentReport {
    let tunnel = TunnelReport { status, message: String::new(), latency_micros: None };
    AgentReport { address: "10.200.1.9".to_owned(), tunnels: [("milan-id".into(), tunnel)].into() }
}

#[tokio::test]
async fn what_a_gateway_reports_is_heard_by_each_leader() {
    let process = Process::leading(7);
    let pki = certificates();
    let server = TestServer::start_on(([127, 0, 0, 1], 0).into(), process.clone(), pki.clone()).await;
    let address = server.address;
    let (reports, told) = watch::channel(seen(TunnelStatus::Connecting));
    let credentials = Held { token: GATEWAY, authority: server.authority.clone() };
    let reporting = tokio::spawn(report(connection(&server), credentials, told));
    let hears = async |process: Arc<Process>, report: AgentReport| {
        let mut heard = process.heard();
        let heard = timeout(Duration::from_secs(60), heard.wait_for(|heard| *heard == report)).await;
        heard.expect("it is heard within a minute").unwrap();
    };
    hears(process.clone(), seen(TunnelStatus::Connecting)).await;
    reports.send_replace(seen(TunnelStatus::Connected));
    hears(process.clone(), seen(TunnelStatus::Connected)).await;
    // when the next leader comes, then it is told as well
    server.stop.send_replace(true);
    server.server.await.unwrap().unwrap();
    let next = Process::leading(8);
    let _server = TestServer::start_on(address, next.clone(), pki).await;
    hears(next, seen(TunnelStatus::Connected)).await;
    // when there is nothing to be reported any more, then that is the end
    drop(reports);
    timeout(Duration::from_secs(60), reporting).await.expect("it ends within a minute").unwrap();
}

#[tokio::test]
async fn a_node_may_not_speak_for_the_gateway() {
    let process = Process::leading(7);
    let server = TestServer::start(process.clone()).await;
    let credentials = Held { token: NODE, authority: server.authority.clone() };
    let mut dialled = dial::dial(&connection(&server), &credentials).await.unwrap();
    let message = seen(TunnelStatus::Connected).to_wire("gateway".to_owned());
    let request = dialled.request(futures::stream::iter([message]));
    let refused = dialled.client.report(request).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::PermissionDenied);
    assert_eq!(*process.heard().borrow(), AgentReport::default());
}
