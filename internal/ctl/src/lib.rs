//! The verbs of `liqoctl`.
//!
//! The binary parses [`Arguments`], calls [`run`], and shows an error with [`report`]. Everything that is shown is made by
//! pure functions from what was read, so that it is tested as text.

mod access;
mod arguments;
mod cluster;
mod completion;
mod console;
mod debug;
mod duration;
mod error;
mod footprint;
mod form;
mod generate;
mod known;
mod local;
mod offload;
mod peer;
mod plan;
mod release;
mod reset;
mod status;
mod token;
mod unpeer;
mod version;
mod wait;

pub use arguments::{Arguments, Command};
pub use completion::{CompleteArguments, CompletionArguments};
pub use console::Console;
pub use debug::arguments::DebugArguments;
pub use error::{CtlError, report};
pub use generate::GenerateArguments;
pub use offload::{OffloadArguments, UnoffloadArguments};
pub use peer::PeerArguments;
pub use release::ReleaseArguments;
pub use reset::ResetArguments;
pub use status::StatusArguments;
pub use unpeer::UnpeerArguments;
pub use version::VersionArguments;

/// Does what the arguments say, and writes to the console.
///
/// # Errors
///
/// Any [`CtlError`], to be shown in one line. A reader that went away, as `head` does, is none.
pub async fn run(arguments: Arguments, console: &mut Console) -> Result<(), CtlError> {
    let Arguments { command, access, verbose } = arguments;
    let done = match command {
        Command::Generate(arguments) => generate::run(&access, arguments, console).await,
        Command::Peer(arguments) => peer::run(&access, arguments, console).await,
        Command::Unpeer(arguments) => unpeer::run(&access, arguments, console).await,
        Command::Offload(arguments) => offload::offload(&access, arguments, console).await,
        Command::Unoffload(arguments) => offload::unoffload(&access, arguments, console).await,
        Command::Status(arguments) => status::run(&access, arguments, verbose, console).await,
        Command::Debug(arguments) => debug::run(arguments.at(access), console).await,
        Command::Reset(arguments) => reset::run(&access, arguments, console).await,
        Command::Release(arguments) => release::run(arguments.at(access), console).await,
        Command::Version(arguments) => version::run(&access, arguments, console).await,
        Command::Completion(arguments) => completion::run(&arguments, console),
        Command::Complete(arguments) => completion::complete(&arguments, console).await,
    };
    match done {
        Err(CtlError::Output { source }) if source.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
