//! Bodies of answers, read with a bound.

use bytes::Bytes;
use futures::StreamExt;
use http_body_util::{BodyDataStream, BodyExt};
use kube::client::Body as KubeBody;

use super::Refusal;

/// The whole body, when it is not larger than `limit` bytes.
pub(super) async fn read_whole(body: KubeBody, limit: usize) -> Result<Vec<u8>, Refusal> {
    let mut chunks = Chunks::new(body);
    let mut whole = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        if whole.len() + chunk.len() > limit {
            return Err(Refusal::TooLarge { limit });
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole)
}

/// A body as it comes off the wire.
pub(crate) struct Chunks(BodyDataStream<KubeBody>);

impl Chunks {
    pub(super) fn new(body: KubeBody) -> Self {
        Self(body.into_data_stream())
    }

    /// What one read gave; nothing at the end of the body. May be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, Refusal>> {
        let chunk = self.0.next().await?;
        Some(
            chunk.map_err(|error| Refusal::Unreachable {
                reason: super::refusal::one_line(&error.to_string()),
            }),
        )
    }
}
