//! The way through `pods/exec`: the process's own program joins its input and output with the debug socket.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, AttachParams, AttachedProcess, ListParams};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, split};
use tokio::time::timeout;

use super::arguments::Place;
use super::pods::{Candidate, choose, selector};
use crate::CtlError;

/// Pods that are looked at. A component has one to three; more are shown as too many anyway.
const MOST_PODS: u32 = 20;
/// Bytes between this end and the cluster: less would make an export slow, more would only wait.
const BUFFER: usize = 64 * 1024;
/// How long one end may take to say the rest after the other is done.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// What is kept of the program's complaints: some lines.
const MOST_COMPLAINTS: u64 = 4096;

/// A pod and the program in it.
#[derive(Debug)]
pub(crate) struct Exec {
    pods: Api<Pod>,
    namespace: String,
    pod: String,
    program: String,
}

impl Exec {
    /// Finds the pod.
    pub(crate) async fn find(place: &Place) -> Result<Self, CtlError> {
        let client = place.access.client().await?;
        let namespace = place.namespace.clone();
        let pods: Api<Pod> = Api::namespaced(client, &namespace);
        let pod = match &place.pod {
            Some(pod) => pod.clone(),
            None => {
                let parameters = ListParams::default().labels(&selector(&place.component)).limit(MOST_PODS);
                let doing = format!("list the pods of component {}", place.component);
                let refused = |source| CtlError::Cluster { doing, namespace: namespace.clone(), source };
                let found = pods.list(&parameters).await.map_err(refused)?;
                let candidates: Vec<Candidate> = found.iter().map(Candidate::from).collect();
                choose(&place.component, &namespace, &candidates)?
            }
        };
        Ok(Self { pods, namespace, pod, program: format!("/liqo-{}", place.component) })
    }

    /// Carries one connection until its two ends are done with it.
    pub(crate) async fn carry<C: AsyncRead + AsyncWrite>(&self, connection: C) -> Result<(), CtlError> {
        let mut attached = self.start().await?;
        let status = attached.take_status();
        let (Some(output), Some(input), Some(complaints)) =
            (attached.stdout(), attached.stdin(), attached.stderr())
        else {
            return Err(self.ended("it has no input and output".to_owned()));
        };
        let complaints = tokio::spawn(kept(complaints));
        if exchange(connection, output, input).await == Ended::Here {
            return Ok(());
        }
        let status = timeout(LAST_WORDS, async { status?.await }).await.ok().flatten();
        match status.filter(|status| status.status.as_deref() == Some("Failure")) {
            None => Ok(()),
            Some(status) => {
                let complaint =
                    timeout(LAST_WORDS, complaints).await.ok().and_then(Result::ok).unwrap_or_default();
                let reason =
                    if complaint.is_empty() { status.message.unwrap_or_default() } else { complaint };
                Err(self.ended(reason))
            }
        }
    }

    async fn start(&self) -> Result<AttachedProcess, CtlError> {
        let parameters = AttachParams::default()
            .stdin(true)
            .stdout(true)
            .stderr(true)
            .max_stdin_buf_size(BUFFER)
            .max_stdout_buf_size(BUFFER);
        let refused = |source| CtlError::Cluster {
            doing: format!("run {} debug-bridge in pod {}", self.program, self.pod),
            namespace: self.namespace.clone(),
            source,
        };
        self.pods.exec(&self.pod, [self.program.as_str(), "debug-bridge"], &parameters).await.map_err(refused)
    }

    fn ended(&self, reason: String) -> CtlError {
        CtlError::Bridge { pod: self.pod.clone(), reason: reason.trim().to_owned() }
    }
}

/// Which side was done first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// The connection, on this machine.
    Here,
    /// The program, in the pod.
    There,
}

/// Copies both ways. When this end is done, the program gets a moment for the rest; older clusters cannot tell it that
/// its input has ended, so it is not waited for.
async fn exchange<C, O, I>(connection: C, mut output: O, mut input: I) -> Ended
where
    C: AsyncRead + AsyncWrite,
    O: AsyncRead + Unpin,
    I: AsyncWrite + Unpin,
{
    let (mut from_here, mut to_here) = split(connection);
    let there = async {
        // How a connection breaks is the matter of its two ends.
        let _ = copy(&mut from_here, &mut input).await;
        let _ = input.shutdown().await;
    };
    let here = async {
        let _ = copy(&mut output, &mut to_here).await;
        let _ = to_here.shutdown().await;
    };
    tokio::pin!(there, here);
    tokio::select! {
        () = &mut here => Ended::There,
        () = &mut there => {
            let _ = timeout(LAST_WORDS, here).await;
            Ended::Here
        }
    }
}

/// The first part of what was said; all of it is read, so that the program never waits for a reader.
async fn kept(complaints: impl AsyncRead + Unpin) -> String {
    let (mut complaints, mut first) = (complaints, Vec::new());
    let _ = (&mut complaints).take(MOST_COMPLAINTS).read_to_end(&mut first).await;
    let _ = tokio::io::copy(&mut complaints, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&first).into_owned()
}

#[cfg(test)]
mod tests;
