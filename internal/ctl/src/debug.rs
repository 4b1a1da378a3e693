//! `liqoctl debug`: the event log of a process, live or in a file.

pub(crate) mod arguments;
mod door;
mod exec;
mod file;
mod forward;
mod live;
mod pods;
mod record;
mod screen;

use std::path::Path;

use arguments::{DebugArguments, DebugCommand, Output, Place};
use door::Door;
use file::ExportedLog;
use live::Live;
use record::{Explanation, Standing};
use screen::Screen;
pub(crate) use screen::plain;

use crate::{Console, CtlError};

pub(crate) async fn run(arguments: DebugArguments, console: &mut Console) -> Result<(), CtlError> {
    let DebugArguments { command, file, place, output } = arguments;
    let mut screen = match output {
        Output::Text => Screen::text(console.colour()),
        Output::Json => Screen::json(),
    };
    if let Some(path) = file {
        return in_file(&path, command, (&mut screen, console));
    }
    match command {
        DebugCommand::Proxy { port } => forward::proxy(door::way(&place).await?, port, console).await,
        other => in_process(&place, other, (&mut screen, console)).await,
    }
}

type Out<'a> = (&'a mut Screen, &'a mut Console);

fn in_file(path: &Path, command: DebugCommand, (screen, console): Out<'_>) -> Result<(), CtlError> {
    let needs_process = |command| Err(CtlError::NeedsProcess { command });
    let log = ExportedLog::read(path)?;
    match command {
        DebugCommand::Tail(tail) if tail.follow => needs_process("tail --follow"),
        DebugCommand::Tail(tail) => {
            log.tail(&tail)?.into_iter().try_for_each(|record| console.write(&screen.line(&record)))
        }
        DebugCommand::Get { seq } => console.write(&screen.whole(&log.get(seq)?)),
        DebugCommand::Why { subject, depth } => console.write(&screen.why(&log.why(&subject, depth)?)),
        DebugCommand::State => needs_process("state"),
        DebugCommand::Export { .. } => needs_process("export"),
        DebugCommand::Proxy { .. } => needs_process("proxy"),
    }
}

async fn in_process(
    place: &Place,
    command: DebugCommand,
    (screen, console): Out<'_>,
) -> Result<(), CtlError> {
    ask(place, async |live| match command {
        DebugCommand::Tail(tail) => {
            live.tail(&tail, &mut |record| console.write(&screen.line(&record))).await
        }
        DebugCommand::Get { seq } => {
            live.get(seq).await.and_then(|record| console.write(&screen.whole(&record)))
        }
        DebugCommand::Why { subject, depth } => {
            let explained: Result<Explanation, CtlError> = live.why(&subject, depth).await;
            explained.and_then(|explanation| console.write(&screen.why(&explanation)))
        }
        DebugCommand::State => {
            let told: Result<Standing, CtlError> = live.state().await;
            told.and_then(|standing| console.write(&screen.state(&standing)))
        }
        DebugCommand::Export { path, from, to } => {
            let exported = live.export(&path, (from, to)).await;
            exported.and_then(|told| console.write(&screen.exported(&path, told)))
        }
        DebugCommand::Proxy { .. } => Ok(()),
    })
    .await
}

/// Asks the process at a place. When the way there breaks, its own reason is told.
pub(crate) async fn ask<T>(
    place: &Place,
    question: impl AsyncFnOnce(&mut Live) -> Result<T, CtlError>,
) -> Result<T, CtlError> {
    let door = Door::open(door::way(place).await?).await?;
    let mut live = Live::connect(&door).await?;
    match question(&mut live).await {
        // That says more than that the connection ended.
        Err(error @ CtlError::Refused(_)) => Err(door.failure().await.unwrap_or(error)),
        other => other,
    }
}
