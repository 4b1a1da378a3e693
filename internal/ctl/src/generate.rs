//! `liqoctl generate peer-command`: what the administrator of another cluster has to run.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use k8s_openapi::api::core::v1::Secret as SecretObject;
use liqo_events::{UnixMillis, rfc3339_seconds};
use liqo_identity::{
    AUTH_KEY_SECRET, PIN_KEY, Pin, Secret, one_time_secret_of, one_time_token, read_pin, with_pin,
};
use rand::TryRng as _;

use crate::access::{Access, Installed};
use crate::cluster::Cluster;
use crate::{Console, CtlError, duration, local};

/// Generate commands to run elsewhere.
#[derive(Clone, Debug, Args)]
pub struct GenerateArguments {
    #[command(subcommand)]
    command: GenerateCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum GenerateCommand {
    /// Print the command by which another cluster peers with this one
    ///
    /// It holds a token: hand it over on a way that nobody else reads. The first cluster that uses it is the only one that it
    /// is of use to, and that cluster may run the command again.
    PeerCommand {
        #[command(flatten)]
        installed: Installed,
        /// Print nothing but the command
        #[arg(long)]
        only_command: bool,
        #[command(flatten)]
        token: TokenArguments,
    },
}

/// Which token is printed.
#[derive(Clone, Debug, Args)]
struct TokenArguments {
    /// Print the token that any number of clusters may use for as long as it exists, instead of one that one cluster may use
    #[arg(long)]
    shared_token: bool,
    /// How long the token may be used
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = duration::parse, conflicts_with = "shared_token")]
    expires_in: Duration,
    /// Leave out of the token by what the other cluster knows this one: for when something in between ends TLS
    #[arg(long)]
    unpinned: bool,
}

pub(crate) async fn run(
    access: &Access,
    arguments: GenerateArguments,
    console: &mut Console,
) -> Result<(), CtlError> {
    let GenerateCommand::PeerCommand { installed, only_command, token } = arguments.command;
    let (cluster, namespace) = (Cluster::open(access).await?, &installed.namespace);
    let identity = local::identity(&cluster, namespace).await?;
    let url = local::auth_url(&cluster, namespace).await?;
    let pin = if token.unpinned { None } else { Some(pin(&cluster, namespace).await?) };
    // Last, so that what fails before leaves no token behind.
    let (secret, who) = if token.shared_token {
        let who = "any number of clusters may use its token".to_owned();
        (local::auth_token(&cluster, namespace).await?, who)
    } else {
        let ends = now().plus(millis(token.expires_in));
        let who = format!("one cluster may use its token, until {}", rfc3339_seconds(ends));
        (one_time(&cluster, namespace, ends).await?, who)
    };
    let shown = with_pin(&secret, pin.as_ref());
    let command = peer_command([identity.name.as_str(), &url, identity.id.as_str(), shown.expose()]);
    if !only_command {
        console.success("Peering information read")?;
        console.write(&format!(
            "\nRun this command in the cluster that is to use resources of this one; {who}:\n\n"
        ))?;
    }
    console.write(&format!("{command}\n"))
}

/// By what the other cluster knows this one.
async fn pin(cluster: &Cluster, namespace: &str) -> Result<Pin, CtlError> {
    let secrets = cluster.within::<SecretObject>(namespace);
    let lacks = |fault: &str| CtlError::Object {
        object: secrets.named(AUTH_KEY_SECRET),
        fault: fault.to_owned(),
        remedy: "the authentication service makes it: see whether the controller manager runs".to_owned(),
    };
    let found = secrets.get(AUTH_KEY_SECRET).await?.ok_or_else(|| lacks("does not exist"))?;
    let data = found.data.unwrap_or_default().into_iter().map(|(key, bytes)| (key, bytes.0)).collect();
    read_pin(&data).ok_or_else(|| lacks(&format!("has no usable data.{PIN_KEY}")))
}

/// A new one-time token, of which the cluster keeps the hash.
async fn one_time(cluster: &Cluster, namespace: &str, ends: UnixMillis) -> Result<Secret, CtlError> {
    let doing = || "make a token".to_owned();
    let mut random = [0; 32];
    rand::rngs::SysRng
        .try_fill_bytes(&mut random)
        .map_err(|error| CtlError::Local { doing: doing(), source: io::Error::other(error) })?;
    let secret = one_time_secret_of(&random);
    let content = one_time_token(&secret, ends, &namespace.into());
    let object = serde_json::from_value(content.object())
        .map_err(|error| CtlError::Local { doing: doing(), source: io::Error::other(error) })?;
    let secrets = cluster.within::<SecretObject>(namespace);
    if secrets.create(&content.name, &object).await? {
        return Ok(secret);
    }
    // Of 256 random bits no two are alike: who has seen the same ones has no randomness.
    Err(CtlError::Object {
        object: secrets.named(&content.name),
        fault: "exists already".to_owned(),
        remedy: "run the command again".to_owned(),
    })
}

fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis::default().plus(millis(since))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The command for a cluster, by its name, authentication URL, ID and token.
fn peer_command(words: [&str; 4]) -> String {
    let [name, url, id, token] = words.map(shell_word);
    format!("liqoctl peer out-of-band {name} --auth-url {url} --cluster-id {id} --auth-token {token}")
}

/// A word as a shell takes it for one.
fn shell_word(word: &str) -> String {
    let harmless = |letter: char| letter.is_ascii_alphanumeric() || "-_.:/@%+=".contains(letter);
    if !word.is_empty() && word.chars().all(harmless) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_what_a_shell_takes() {
        let url = "https://172.18.2.1:31050";
        let expected = "liqoctl peer out-of-band milan --auth-url https://172.18.2.1:31050 --cluster-id 1-2 --auth-token ab";
        assert_eq!(peer_command(["milan", url, "1-2", "ab"]), expected);
        assert_eq!(shell_word("it's; rm"), r"'it'\''s; rm'");
        assert_eq!(shell_word(""), "''");
    }
}
