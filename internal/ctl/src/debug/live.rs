//! A process that runs, over its debug service.

use std::fs::OpenOptions;
use std::io::BufWriter;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use liqo_events::{Envelope, ExportError, ExportWriter};
use liqo_model::ClusterRef;
use liqo_projections::ObjectPattern;
use liqo_proto::debug as wire;
use liqo_proto::debug::debug_client::DebugClient;
use tonic::transport::{Channel, Endpoint};

use super::arguments::{Subject, TailArguments};
use super::door::Door;
use super::record::{Explanation, Exported, Record, Standing};
use crate::CtlError;
use crate::release::Released;

/// Largest answer that is taken: an explanation of some hundred events, or a piece of an export.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// A connection to a process.
#[derive(Debug)]
pub(crate) struct Live {
    client: DebugClient<Channel>,
}

impl Live {
    pub(crate) async fn connect(door: &Door) -> Result<Self, CtlError> {
        let path = door.path();
        let refused = |source: tonic::transport::Error| CtlError::Connect {
            path: path.to_owned(),
            source: std::io::Error::other(source),
        };
        let endpoint = Endpoint::from_shared(format!("unix:{}", path.display())).map_err(refused)?;
        let channel = endpoint.connect().await.map_err(refused)?;
        Ok(Self { client: DebugClient::new(channel).max_decoding_message_size(MOST_BYTES) })
    }

    pub(crate) async fn tail(
        &mut self,
        tail: &TailArguments,
        show: &mut (dyn FnMut(Record) -> Result<(), CtlError> + Send),
    ) -> Result<(), CtlError> {
        let request = wire::TailRequest {
            from_seq: tail.from,
            last: Some(tail.last),
            follow: tail.follow,
            kinds: tail.kinds.clone(),
            families: Vec::new(),
            object: tail.object.as_ref().map(object),
        };
        let mut events = self.client.tail(request).await.map_err(CtlError::Refused)?.into_inner();
        while let Some(event) = events.message().await.map_err(CtlError::Refused)? {
            show(event.into())?;
        }
        Ok(())
    }

    pub(crate) async fn get(&mut self, seq: u64) -> Result<Record, CtlError> {
        let answer = self.client.get(wire::GetRequest { seq }).await;
        answer.map(|answer| answer.into_inner().into()).map_err(CtlError::Refused)
    }

    pub(crate) async fn why(&mut self, subject: &Subject, depth: u32) -> Result<Explanation, CtlError> {
        let subject = match subject {
            Subject::Object(pattern) => wire::why_request::Subject::Object(object(pattern)),
            Subject::Command(id) => wire::why_request::Subject::Command(id.to_string()),
            Subject::Event(seq) => wire::why_request::Subject::Seq(*seq),
        };
        let answer = self.client.why(wire::WhyRequest { subject: Some(subject), depth }).await;
        answer.map(|answer| answer.into_inner().into()).map_err(CtlError::Refused)
    }

    pub(crate) async fn state(&mut self) -> Result<Standing, CtlError> {
        let answer = self.client.state(wire::StateRequest {}).await;
        answer.map(|answer| answer.into_inner().into()).map_err(CtlError::Refused)
    }

    pub(crate) async fn release(&mut self, peer: &str) -> Result<Released, CtlError> {
        let answer = self.client.release(wire::ReleaseRequest { peer: peer.to_owned() }).await;
        let wire::ReleaseResponse { cluster, mappings } = answer.map_err(CtlError::Refused)?.into_inner();
        Ok(Released { cluster, mappings })
    }

    /// Writes a file that only its owner may read; one that is not complete is removed again.
    pub(crate) async fn export(
        &mut self,
        path: &Path,
        (from_seq, to_seq): (Option<u64>, Option<u64>),
    ) -> Result<Exported, CtlError> {
        let io = |source| CtlError::WriteFile {
            path: path.to_owned(),
            source: ExportError::Io { doing: "written", source },
        };
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(io)?;
        let written =
            self.export_to(BufWriter::new(file), path, wire::ExportRequest { from_seq, to_seq }).await;
        if written.is_err() {
            // The error says that there is no file; that it could not be removed either would not help.
            let _ = std::fs::remove_file(path);
        }
        written
    }

    async fn export_to(
        &mut self,
        file: BufWriter<std::fs::File>,
        path: &Path,
        request: wire::ExportRequest,
    ) -> Result<Exported, CtlError> {
        let failed = |source| CtlError::WriteFile { path: path.to_owned(), source };
        let mut writer = ExportWriter::new(file).map_err(failed)?;
        let mut told = Exported::default();
        let mut answers = self.client.export(request).await.map_err(CtlError::Refused)?.into_inner();
        while let Some(answer) = answers.message().await.map_err(CtlError::Refused)? {
            for record in answer.records {
                let position = told.events;
                let damaged = |source| failed(ExportError::Record { position, source });
                let envelope = Envelope::from_bytes(&record).map_err(damaged)?;
                writer.write(&envelope).map_err(failed)?;
                told.first = if told.events == 0 { envelope.seq.0 } else { told.first };
                told.last = envelope.seq.0;
                told.events += 1;
            }
        }
        writer.finish().map_err(failed)?;
        Ok(told)
    }
}

fn object(pattern: &ObjectPattern) -> wire::ObjectReference {
    let cluster = pattern.cluster.as_ref().map(|cluster| match cluster {
        ClusterRef::Local => "local".to_owned(),
        ClusterRef::Remote(id) => id.to_string(),
    });
    wire::ObjectReference {
        cluster: cluster.unwrap_or_default(),
        kind: pattern.kind.map(|kind| kind.to_string()).unwrap_or_default(),
        namespace: pattern.namespace.clone().unwrap_or_default(),
        name: pattern.name.clone().unwrap_or_default(),
    }
}
