//! Why a command cannot do what it was asked.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use liqo_events::ExportError;
use thiserror::Error;
use tonic::Status;

/// What went wrong, by what was tried.
#[derive(Debug, Error)]
pub enum CtlError {
    /// Writing to the console failed.
    #[error("cannot write the output")]
    Output {
        /// What the system said.
        source: io::Error,
    },
    /// A value on the command line that cannot be.
    #[error("{0}")]
    Argument(String),
    /// An exported file cannot be read.
    #[error("cannot read {}", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ExportError,
    },
    /// An export cannot be written.
    #[error("cannot write {}", path.display())]
    WriteFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ExportError,
    },
    /// A command that needs a process was given a file.
    #[error("`debug {command}` needs a live process: leave --file out")]
    NeedsProcess {
        /// The command.
        command: &'static str,
    },
    /// Nothing is about it.
    #[error("{0}")]
    NotFound(String),
    /// The kubeconfig cannot be used.
    #[error(
        "cannot use the kubeconfig: check --kubeconfig and --context, or the environment variable KUBECONFIG"
    )]
    Kubeconfig {
        /// What is wrong.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A credential plugin does not do what it is for.
    #[error("{of}: {said}; {remedy}")]
    Credential {
        /// What the credential is of.
        of: String,
        /// What went wrong.
        said: String,
        /// What can be done.
        remedy: String,
    },
    /// The cluster does not know Liqo's kinds.
    #[error(
        "Liqo is not installed in this cluster, which has no kind {kind}: choose another cluster by --context or \
         --kubeconfig, or install Liqo as its README says, with `kubectl apply --server-side -f deploy/crds -f deploy/rbac \
         -f deploy/manifests`"
    )]
    NotInstalled {
        /// A kind of Liqo's.
        kind: String,
    },
    /// The cluster does not answer as it should.
    #[error("cannot {doing} in namespace {namespace}")]
    Cluster {
        /// What was tried.
        doing: String,
        /// Where.
        namespace: String,
        /// What the API server said.
        source: kube::Error,
    },
    /// No pod, or too many.
    #[error("{0}")]
    Pod(String),
    /// The way through `pods/exec` ended.
    #[error("the bridge in pod {pod} ended: {reason}")]
    Bridge {
        /// The pod.
        pod: String,
        /// What it said.
        reason: String,
    },
    /// The socket does not answer.
    #[error("cannot connect to {}: check that the process runs and that you are its user or root", path.display())]
    Connect {
        /// The socket.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The process said no.
    #[error("{}", said(.0))]
    Refused(Status),
    /// The API server does not do what it is asked.
    #[error("cannot {doing}: {said}")]
    Api {
        /// What was tried, and with which object.
        doing: String,
        /// What the API server said.
        said: String,
        /// Whether asking again may help.
        passing: bool,
    },
    /// An object is missing, or does not say what it must.
    #[error("{object} {fault}: {remedy}")]
    Object {
        /// The object.
        object: String,
        /// What is wrong with it.
        fault: String,
        /// What can be done.
        remedy: String,
    },
    /// What was waited for did not come.
    #[error("waited {timeout} for {what}, in vain: {said}; {remedy}")]
    TimedOut {
        /// What was waited for.
        what: String,
        /// For how long.
        timeout: String,
        /// What was seen last.
        said: String,
        /// What can be done.
        remedy: String,
    },
    /// Nothing says where peers reach this cluster.
    #[error(transparent)]
    Address(liqo_identity::Error),
    /// A value cannot be written as YAML.
    #[error("cannot write YAML: use -o json")]
    Yaml {
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// What was shown is not as it should be.
    #[error("{0}")]
    Unhealthy(String),
    /// A local socket or directory cannot be made.
    #[error("cannot {doing} on this machine")]
    Local {
        /// What was tried.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
}

/// What a process said, in its own words; the code where it had none.
fn said(status: &Status) -> String {
    if status.message().is_empty() {
        format!("the process answered {:?}", status.code())
    } else {
        status.message().to_owned()
    }
}

/// The error and what is behind it in one line.
pub fn report(error: &CtlError) -> String {
    chain(error).replace('\n', " ")
}

/// An error and what is behind it, each said once.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Some libraries repeat what is behind them.
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_with_its_cause() {
        let source = ExportError::Io { doing: "read", source: io::Error::from(io::ErrorKind::NotFound) };
        let error = CtlError::ReadFile { path: "log.events".into(), source };
        let line = "cannot read log.events: the file of exported events cannot be read: entity not found";
        assert_eq!(report(&error), line);
        assert_eq!(report(&CtlError::Refused(Status::not_found(""))), "the process answered NotFound");
        assert_eq!(report(&CtlError::Argument("two\nlines".into())), "two lines");
    }
}
