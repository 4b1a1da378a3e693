//! What can go wrong while Liqo is installed.

use std::io;
use std::path::PathBuf;

/// The result of a step of the installation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong while Liqo is installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An image cannot be made.
    #[error(transparent)]
    Image(#[from] liqo_oci_image::Error),
    /// A program of this machine that goes into an image, or makes it, is not there.
    #[error("`{program}` is not installed, and images are made with it: `integration/setup.sh` installs it")]
    MissingTool {
        /// Its name.
        program: &'static str,
    },
    /// A directory or file cannot be made or read.
    #[error("cannot {action} {}", path.display())]
    File {
        /// The verb.
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The testbed refused.
    #[error(transparent)]
    Testbed(#[from] liqo_testbed::Error),
    /// A program cannot be run.
    #[error("cannot run {}: `make build` makes or installs it", program.display())]
    Run {
        /// Where it should be.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A program failed.
    #[error("`{command}` failed: {said}")]
    Command {
        /// The command.
        command: String,
        /// What it said.
        said: String,
    },
}
