//! Device, socket and the threads between them, as one thing that is opened and dropped.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::Errno;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::outbound::send;
use super::peers::Peers;
use super::session::{LONGEST_HANDSHAKE, OVERHEAD, Step};
use super::socket::TunnelSocket;
use super::tun::Tun;
use super::{inbound, outbound};

/// How often sessions look at their timers. The shortest of them is a third of a second.
const TICK: Duration = Duration::from_millis(250);

/// Why there is no tunnel.
#[derive(Debug, Error)]
pub(crate) enum TunnelError {
    #[error(
        "the TUN device cannot be made: check that the pod has /dev/net/tun and the capability NET_ADMIN"
    )]
    Device { source: io::Error },
    #[error("UDP port {port} cannot be listened on: check that nothing else in the pod does")]
    Listen { port: u16, source: io::Error },
    #[error("a thread of the tunnel cannot be started")]
    Thread { source: io::Error },
}

/// Why a packet or message went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// No peer has the address, the key or the index.
    NoPeer,
    /// It is not known where the peer is.
    NoEndpoint,
    /// The network did not take it.
    NotSent,
    /// The kernel did not take it.
    NotDelivered,
    /// It is not from whom it should be, or was seen before.
    NotGenuine,
    /// Its source belongs to somebody else.
    ForeignSource,
    /// Too many handshakes of one source.
    Flood,
    /// It cannot be read.
    Malformed,
}

impl Reason {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Self; 8] = [
        Self::NoPeer,
        Self::NoEndpoint,
        Self::NotSent,
        Self::NotDelivered,
        Self::NotGenuine,
        Self::ForeignSource,
        Self::Flood,
        Self::Malformed,
    ];

    /// Its name in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NoPeer => "no_peer",
            Self::NoEndpoint => "no_endpoint",
            Self::NotSent => "not_sent",
            Self::NotDelivered => "not_delivered",
            Self::NotGenuine => "not_genuine",
            Self::ForeignSource => "foreign_source",
            Self::Flood => "flood",
            Self::Malformed => "malformed",
        }
    }
}

/// Packets and messages that went no further, by reason. Lives longer than a tunnel.
#[derive(Debug, Default)]
pub(crate) struct Drops([AtomicU64; Reason::ALL.len()]);

impl Drops {
    pub(super) fn count(&self, reason: Reason) {
        self.0[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many for this reason.
    pub(crate) fn get(&self, reason: Reason) -> u64 {
        self.0[reason as usize].load(Ordering::Relaxed)
    }
}

/// What both threads and the timers use.
pub(super) struct Shared {
    pub(super) tun: Tun,
    pub(super) socket: TunnelSocket,
    pub(super) peers: Arc<Peers>,
    pub(super) drops: Arc<Drops>,
    stop: OwnedFd,
}

impl Shared {
    /// Waits until there is something to read. False when it is time to stop.
    pub(super) fn wait_for(&self, source: impl AsFd) -> io::Result<bool> {
        loop {
            let mut fds = [PollFd::new(&source, PollFlags::IN), PollFd::new(&self.stop, PollFlags::IN)];
            match poll(&mut fds, None) {
                Ok(_) => return Ok(fds[1].revents().is_empty()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Whether nothing will ever be read or written again: the device was deleted.
pub(super) fn is_fatal(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::BADFD.raw_os_error())
}

/// Where messages of peers come in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listen<'a> {
    /// UDP port.
    pub(crate) port: u16,
    /// Name of the interface.
    pub(crate) uplink: &'a str,
}

/// A tunnel that runs until this is dropped.
pub(crate) struct Tunnel {
    shared: Arc<Shared>,
    port: u16,
    threads: Vec<thread::JoinHandle<()>>,
    timers: JoinHandle<()>,
    ended: watch::Receiver<bool>,
}

impl Tunnel {
    /// Makes the device, down and without addresses, and begins to carry packets.
    pub(crate) fn open(
        listen: Listen<'_>,
        peers: Arc<Peers>,
        drops: Arc<Drops>,
    ) -> Result<Self, TunnelError> {
        let port = listen.port;
        let tun = Tun::open().map_err(|source| TunnelError::Device { source })?;
        let socket = TunnelSocket::bind(port, Some(listen.uplink));
        let socket = socket.map_err(|source| TunnelError::Listen { port, source })?;
        let stop = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        let stop = stop.map_err(|source| TunnelError::Thread { source: source.into() })?;
        let shared = Arc::new(Shared { tun, socket, peers, drops, stop });
        let (told, ended) = watch::channel(false);
        let timers = tokio::spawn(keep_time(shared.clone()));
        let mut tunnel = Self { shared, port, threads: Vec::new(), timers, ended };
        tunnel.spawn("liqo-outbound", outbound::run, told.clone())?;
        tunnel.spawn("liqo-inbound", inbound::run, told)?;
        Ok(tunnel)
    }

    fn spawn(
        &mut self,
        name: &'static str,
        run: fn(&Shared) -> io::Result<()>,
        told: watch::Sender<bool>,
    ) -> Result<(), TunnelError> {
        let shared = self.shared.clone();
        let body = move || {
            let end = Ending(told);
            if let Err(error) = run(&shared) {
                tracing::warn!(thread = name, %error, "the tunnel's device is gone; it will be made anew");
            }
            drop(end);
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(body);
        self.threads.push(thread.map_err(|source| TunnelError::Thread { source })?);
        Ok(())
    }

    /// The UDP port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Turns true when the tunnel carries nothing any more and has to be opened anew.
    pub(crate) fn ended(&self) -> watch::Receiver<bool> {
        self.ended.clone()
    }
}

/// Says that a thread ended, also when it panicked.
struct Ending(watch::Sender<bool>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.timers.abort();
        // An eventfd takes eight bytes at any time.
        let _ = rustix::io::write(&self.shared.stop, &1_u64.to_ne_bytes());
        for thread in self.threads.drain(..) {
            // A thread that panicked has ended too.
            let _ = thread.join();
        }
    }
}

async fn keep_time(shared: Arc<Shared>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut out = vec![0; OVERHEAD + LONGEST_HANDSHAKE];
    loop {
        ticks.tick().await;
        let table = shared.peers.table();
        table.gate.tick();
        for peer in table.peers() {
            let step = peer.session().tick(&mut out);
            if let Step::Send(length) = step {
                send(&shared, &shared.socket, peer, &out[..length], length);
            }
        }
    }
}
