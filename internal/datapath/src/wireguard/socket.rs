//! The UDP socket of the tunnel.

use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::{self, Ipv4PathMtuDiscovery};
use socket2::SockRef;

/// Bytes that the kernel holds for us in each direction: 40 ms at 1.4 Gbit/s, about as long as a busy core may keep a
/// thread waiting. The kernel counts twice as much for its own book-keeping.
const BUFFER_BYTES: usize = 7 << 20;
/// Longest wait for room in the kernel's queue, 10 ms: then the packet is dropped, as a full link would.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// A UDP socket that sends and receives many messages of one length at a time.
pub(super) struct TunnelSocket {
    socket: UdpSocket,
    state: UdpSocketState,
}

impl TunnelSocket {
    /// Listens on a port. `uplink` is the interface by which peers are reached: no other one is used in either direction, so
    /// messages never go into the tunnel that they carry, whatever network a peer claims.
    pub(super) fn bind(port: u16, uplink: Option<&str>) -> io::Result<Self> {
        let socket = UdpSocket::bind(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port))?;
        SockRef::from(&socket).bind_device(uplink.map(str::as_bytes))?;
        let state = UdpSocketState::new((&socket).into())?;
        // A path that is too narrow for a message has to split it: peers cannot be told to send less.
        sockopt::set_ip_mtu_discover(&socket, Ipv4PathMtuDiscovery::DONT)?;
        // Beyond what the system allows everybody; who may configure networks may have it.
        sockopt::set_socket_recv_buffer_size_force(&socket, BUFFER_BYTES)?;
        sockopt::set_socket_send_buffer_size_force(&socket, BUFFER_BYTES)?;
        Ok(Self { socket, state })
    }

    /// Messages that the kernel takes at a time, of one length but the last.
    pub(super) fn most_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Sends messages of `segment` bytes, the last of which may be shorter. What cannot be sent is lost, as on a wire.
    pub(super) fn send(&self, to: SocketAddrV4, messages: &[u8], segment: usize) -> io::Result<()> {
        if messages.len() <= segment {
            return self.transmit(to, messages, None);
        }
        match self.transmit(to, messages, Some(segment)) {
            // The way out cannot split for us: messages do not fit it, or its driver cannot.
            Err(error) if !matches!(error.kind(), io::ErrorKind::WouldBlock) => {
                messages.chunks(segment).try_for_each(|message| self.transmit(to, message, None))
            }
            done => done,
        }
    }

    fn transmit(&self, to: SocketAddrV4, contents: &[u8], segment_size: Option<usize>) -> io::Result<()> {
        let destination = SocketAddr::V4(to);
        let transmit = Transmit { destination, ecn: None, contents, segment_size, src_ip: None };
        match self.state.try_send((&self.socket).into(), &transmit) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                poll(&mut [PollFd::new(&self.socket, PollFlags::OUT)], Some(&PATIENCE))?;
                self.state.try_send((&self.socket).into(), &transmit)
            }
            done => done,
        }
    }

    /// Receives without waiting. Says how many buffers were filled; each may hold several messages of one sender.
    pub(super) fn receive(
        &self,
        buffers: &mut [IoSliceMut<'_>],
        about: &mut [RecvMeta],
    ) -> io::Result<usize> {
        self.state.recv((&self.socket).into(), buffers, about)
    }
}

impl AsFd for TunnelSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
