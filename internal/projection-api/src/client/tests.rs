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
use crate::test_server::{GATEWAY, SERVER_NAME, TestServer, certificates};

struct Agent {
    known: watch::Receiver<Followed>,
    _following: JoinHandle<()>,
}

struct Held {
    authority: String,
}

impl Credentials for Held {
    fn token(&self) -> io::Result<String> {
        Ok(GATEWAY.to_owned())
    }

    fn authority(&self) -> io::Result<String> {
        Ok(self.authority.clone())
    }
}

impl Agent {
    fn of(server: &TestServer, start: Acceptance) -> Self {
        let connection = Connection {
            address: format!("https://{}", server.address),
            server_name: SERVER_NAME.to_owned(),
            topic: "gateway".to_owned(),
            seed: 1,
        };
        let (into, known) = watch::channel(Followed::default());
        let credentials = Held { authority: server.authority.clone() };
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
