//! The verbs of `liqoctl`.
//!
//! The binary parses [`Arguments`], calls [`run`], and shows an error with [`report`]. Everything that is shown is made by
//! pure functions from what was read, so that it is tested as text.

mod arguments;
mod console;
mod debug;
mod error;
mod release;

pub use arguments::{Arguments, Command};
pub use console::Console;
pub use debug::arguments::DebugArguments;
pub use error::{CtlError, report};
pub use release::ReleaseArguments;

/// Does what the arguments say, and writes to the console.
///
/// # Errors
///
/// Any [`CtlError`], to be shown in one line. A reader that went away, as `head` does, is none.
pub async fn run(arguments: Arguments, console: &mut Console) -> Result<(), CtlError> {
    let done = match arguments.command {
        Command::Debug(arguments) => debug::run(arguments, console).await,
        Command::Release(arguments) => release::run(arguments, console).await,
    };
    match done {
        Err(CtlError::Output { source }) if source.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
