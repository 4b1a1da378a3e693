//! The TUN device: the kernel's end of the tunnel.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use tun_rs::{DeviceBuilder, GROTable, SyncDevice, VIRTIO_NET_HDR_LEN};

use crate::network::Interface;

/// Bytes before each packet that is written, for the kernel's header.
pub(super) const HEADROOM: usize = VIRTIO_NET_HDR_LEN;
/// Packets that one read may give: 64 KiB of the shortest segments that a TCP of this century sends, and as many packets
/// that are written together.
pub(super) const BATCH: usize = 128;
/// Bytes of the longest packet or segment.
pub(super) const LONGEST: usize = 65535;
/// Packets that the kernel holds for us: at 1.4 Gbit/s and one packet a kilobyte, some milliseconds; super-packets hold
/// 64 KiB each. Linux gives 500.
const QUEUE: u32 = 1000;

/// The device. It exists as long as this.
pub(super) struct Tun(SyncDevice);

impl Tun {
    /// Makes the device, down and without addresses. The kernel may give and take many segments of a stream as one.
    pub(super) fn open() -> io::Result<Self> {
        let builder = DeviceBuilder::new().name(Interface::Tunnel.name()).inherit_enable_state();
        let device = builder.offload(true).build_sync()?;
        device.set_nonblocking(true)?;
        device.set_tx_queue_len(QUEUE)?;
        Ok(Self(device))
    }

    /// Reads what is there without waiting: packets, split into segments with all their checksums.
    pub(super) fn read(&self, batch: &mut ReadBatch) -> io::Result<usize> {
        self.0.recv_multiple(&mut batch.raw, &mut batch.packets, &mut batch.lengths, 0)
    }

    /// Writes packets, each behind [`HEADROOM`] bytes; those of one stream are joined first.
    pub(super) fn write(&self, table: &mut GROTable, packets: &mut [Vec<u8>]) -> io::Result<usize> {
        self.0.send_multiple(table, packets, HEADROOM)
    }
}

impl AsFd for Tun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Room for what one read gives.
pub(super) struct ReadBatch {
    raw: Vec<u8>,
    packets: Vec<Vec<u8>>,
    lengths: Vec<usize>,
}

impl ReadBatch {
    pub(super) fn new() -> Self {
        Self {
            raw: vec![0; VIRTIO_NET_HDR_LEN + LONGEST],
            packets: vec![vec![0; LONGEST]; BATCH],
            lengths: vec![0; BATCH],
        }
    }

    /// The packet of this number.
    pub(super) fn packet(&self, number: usize) -> &[u8] {
        &self.packets[number][..self.lengths[number]]
    }
}
