//! The one message of the connection check. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Bytes of the longest message that is read; Go's own limit.
pub(super) const MOST_BYTES: usize = 1024;

/// Question or answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MessageType {
    /// Are you there?
    Ping,
    /// I am.
    Pong,
}

/// A message. The time stays the text that it came as: a peer gets back what it wrote, and Go cuts zeros at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The cluster that is asked.
    #[serde(rename = "clusterID")]
    pub cluster_id: String,
    /// Question or answer.
    #[serde(rename = "msgType")]
    pub message_type: MessageType,
    /// When it was asked, by the clock of who asks: RFC 3339 with up to nine decimals.
    #[serde(rename = "timeStamp")]
    pub time_stamp: String,
}

impl Message {
    /// A question to a cluster.
    pub fn ping(cluster_id: &str, at: Timestamp) -> Self {
        Self {
            cluster_id: cluster_id.to_owned(),
            message_type: MessageType::Ping,
            time_stamp: at.to_string(),
        }
    }

    /// The answer to a question.
    pub fn pong(self) -> Self {
        Self { message_type: MessageType::Pong, ..self }
    }

    /// Reads a datagram; nothing when it is no message.
    pub fn parse(datagram: &[u8]) -> Option<Self> {
        serde_json::from_slice(datagram.get(..datagram.len().min(MOST_BYTES))?).ok()
    }

    /// The datagram.
    pub fn encode(&self) -> Vec<u8> {
        // Three texts always become JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// When it was asked, as a point in time; nothing when the text is none.
    pub fn at(&self) -> Option<Timestamp> {
        self.time_stamp.parse().ok()
    }
}
