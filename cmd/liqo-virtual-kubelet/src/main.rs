//! The virtual kubelet of one peer: parses flags, wires the crates, runs until it is told to stop.

use std::process::ExitCode;

use clap::Parser as _;
use liqo_assembly::Failure;
use liqo_kubelet_flags::{Command, Flags};
use liqo_projection_api::debug;
use liqo_telemetry::{self as telemetry, LogFormat};

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = run(Flags::parse()).await else { return ExitCode::SUCCESS };
    eprintln!("error: {}", telemetry::chain(error.as_ref()));
    ExitCode::FAILURE
}

async fn run(flags: Flags) -> Result<(), Failure> {
    if let Some(Command::DebugBridge) = flags.command {
        return Ok(debug::bridge_standard_streams(&flags.debug_socket).await?);
    }
    let format = if flags.log_json { LogFormat::Json } else { LogFormat::Text };
    telemetry::init_logging(format, &flags.filter())?;
    for flag in flags.without_effect() {
        tracing::warn!("a flag has no effect: {flag}");
    }
    flags.virtual_kubelet()?.run().await
}
