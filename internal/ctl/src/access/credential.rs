//! What a credential plugin of a kubeconfig did wrong, in words that show no credential.

use std::error::Error;

use kube::client::AuthError;
use kube::config::ExecConfig;

use crate::CtlError;
use crate::debug::plain;

/// Letters of what a plugin complained of: a sentence or two, which is what a terminal has room for.
const MOST_LETTERS: usize = 300;

/// What went wrong with a credential, if that is behind the error. The library's own words would quote what the plugin wrote
/// and the environment that it got.
pub(crate) fn trouble(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<AuthError>() {
            return Some(in_words(found));
        }
        next = error.source();
    }
    None
}

fn in_words(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecStart(source) => format!("it cannot be run: {source}"),
        AuthError::AuthExecRun { out, .. } => {
            let complaint: String =
                String::from_utf8_lossy(&out.stderr).trim().chars().take(MOST_LETTERS).collect();
            let complaint =
                if complaint.is_empty() { String::new() } else { format!(": {}", plain(&complaint)) };
            format!("it failed with {}{complaint}", out.status)
        }
        AuthError::AuthExecParse(_) => "what it wrote is no ExecCredential".to_owned(),
        AuthError::ExecPluginFailed => "what it wrote is an ExecCredential without status".to_owned(),
        // The rest quotes names and times alone.
        other => plain(&other.to_string()),
    }
}

/// The plugin of the kubeconfig failed.
pub(super) fn failed(plugin: Option<&ExecConfig>, said: String) -> CtlError {
    let command = plugin.and_then(|plugin| plugin.command.as_deref());
    let hint = plugin.and_then(|plugin| plugin.install_hint.as_deref());
    CtlError::Credential {
        of: command.map_or_else(
            || "credentials of the kubeconfig".to_owned(),
            |command| format!("credential plugin {}", plain(command)),
        ),
        said,
        remedy: hint.map_or_else(
            || "log in again as your cluster's provider says, or choose another --user".to_owned(),
            |hint| plain(hint.trim()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{ExitStatus, Output};

    use super::*;

    #[test]
    fn what_a_plugin_wrote_is_not_quoted() {
        let out = Output {
            status: ExitStatus::from_raw(256),
            stdout: b"canary".to_vec(),
            stderr: b"log in first\n".to_vec(),
        };
        let error = AuthError::AuthExecRun { cmd: "canary".into(), out: Box::new(out) };
        let said = trouble(&kube::Error::Auth(error)).unwrap();
        assert_eq!(said, "it failed with exit status: 1: log in first");
        assert_eq!(trouble(&io::Error::other("x")), None);
    }

    #[test]
    fn the_plugin_and_its_hint_are_named() {
        let plugin = ExecConfig {
            command: Some("gke-login".into()),
            install_hint: Some("install gke-login\n".into()),
            ..ExecConfig::default()
        };
        let missing = AuthError::AuthExecStart(io::Error::from(io::ErrorKind::NotFound));
        let error = failed(Some(&plugin), trouble(&missing).unwrap()).to_string();
        assert_eq!(
            error,
            "credential plugin gke-login: it cannot be run: entity not found; install gke-login"
        );
    }
}
