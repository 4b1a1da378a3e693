//! `liqoctl generate peer-command`: what the administrator of another cluster has to run.

use clap::{Args, Subcommand};

use crate::access::{Access, Installed};
use crate::cluster::Cluster;
use crate::{Console, CtlError, local};

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
    /// It holds the token of this cluster: hand it over on a way that nobody else reads.
    PeerCommand {
        #[command(flatten)]
        installed: Installed,
        /// Print nothing but the command
        #[arg(long)]
        only_command: bool,
    },
}

pub(crate) async fn run(
    access: &Access,
    arguments: GenerateArguments,
    console: &mut Console,
) -> Result<(), CtlError> {
    let GenerateCommand::PeerCommand { installed, only_command } = arguments.command;
    let (cluster, namespace) = (Cluster::open(access).await?, &installed.namespace);
    let identity = local::identity(&cluster, namespace).await?;
    let url = local::auth_url(&cluster, namespace).await?;
    let token = local::auth_token(&cluster, namespace).await?;
    let name = identity.name.as_str();
    let command = peer_command([name, &url, identity.id.as_str(), token.expose()]);
    if !only_command {
        console.success("Peering information read")?;
        console.write("\nRun this command in the cluster that is to use resources of this one:\n\n")?;
    }
    console.write(&format!("{command}\n"))
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
