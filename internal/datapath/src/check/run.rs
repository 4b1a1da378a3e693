//! The connection check as it runs: one socket at the end of the tunnel.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use liqo_model::ClusterId;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::message::MOST_BYTES;
use super::{Checker, Health, Now, PORT};
use crate::network::TUNNEL_ADDRESS;

/// Where each peer is asked.
pub(crate) type Target = BTreeMap<ClusterId, Ipv4Addr>;

/// Without peers there is nothing to ask; a change of them wakes the task.
const IDLE: Duration = Duration::from_secs(60);

/// A check that runs until this is dropped.
pub(crate) struct Checking {
    targets: watch::Sender<Target>,
    health: watch::Receiver<BTreeMap<ClusterId, Health>>,
    task: JoinHandle<()>,
}

impl Checking {
    /// Begins; the address of the tunnel has to be there.
    pub(crate) async fn start() -> io::Result<Self> {
        let socket = UdpSocket::bind(SocketAddrV4::new(TUNNEL_ADDRESS, PORT)).await?;
        let (targets, changed) = watch::channel(Target::new());
        let (told, health) = watch::channel(BTreeMap::new());
        let task = tokio::spawn(run(socket, changed, told));
        Ok(Self { targets, health, task })
    }

    /// Checks these peers from now on.
    pub(crate) fn set_targets(&self, targets: Target) {
        self.targets.send_if_modified(|current| {
            let modified = *current != targets;
            *current = targets;
            modified
        });
    }

    /// What is known of the peers, as it changes.
    pub(crate) fn health(&self) -> watch::Receiver<BTreeMap<ClusterId, Health>> {
        self.health.clone()
    }
}

impl Drop for Checking {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    socket: UdpSocket,
    mut targets: watch::Receiver<Target>,
    told: watch::Sender<BTreeMap<ClusterId, Health>>,
) {
    let began = Instant::now();
    let mut checker = Checker::default();
    let mut buffer = [0; MOST_BYTES];
    targets.mark_changed();
    loop {
        let next = began + checker.next_tick().unwrap_or_else(|| began.elapsed() + IDLE);
        tokio::select! {
            changed = targets.changed() => {
                if changed.is_err() {
                    return;
                }
                let peers = targets.borrow_and_update().clone();
                checker.set_peers(&peers, now(began));
            }
            received = socket.recv_from(&mut buffer) => {
                // An error here is about an earlier packet to some peer, whose silence says the same.
                let Ok((length, SocketAddr::V4(from))) = received else { continue };
                if let Some(answer) = checker.received(from, &buffer[..length], now(began)) {
                    // A lost answer is a lost packet: the peer asks again.
                    let _ = socket.send_to(&answer, from).await;
                }
            }
            () = sleep_until(next) => {
                for (to, question) in checker.tick(now(began)) {
                    let _ = socket.send_to(&question, to).await;
                }
            }
        }
        let health = checker.health();
        told.send_if_modified(|current| {
            let modified = *current != health;
            *current = health;
            modified
        });
    }
}

fn now(began: Instant) -> Now {
    // A clock before 1970 is wrong, and only goes into messages.
    let wall = Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH);
    Now { wall, monotonic: began.elapsed() }
}
