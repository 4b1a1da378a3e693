//! Each verb of the command as calls of the library.

use std::io::Write as _;
use std::process::ExitCode;

use liqo_testbed::{Error, Testbed, Verb as Do, run_load_balancer};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

use super::arguments::{Arguments, Fault, Format, Target, Verb};

/// How often a log that is followed is looked at.
const FOLLOW: std::time::Duration = std::time::Duration::from_millis(200);

/// What a verb prints on standard output: a text for people and a value for scripts.
struct Printed {
    text: String,
    json: serde_json::Value,
}

impl Printed {
    fn new(text: impl Into<String>, json: serde_json::Value) -> Self {
        Self { text: text.into(), json }
    }
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode, Error> {
    let testbed = Testbed::open()?;
    let printed = match &arguments.verb {
        Verb::Exec { node, command } => {
            let status = testbed.attach(node, command).await?;
            return Ok(ExitCode::from(status.code().unwrap_or(1) as u8));
        }
        Verb::Logs { node, component, follow } => {
            logs(&testbed, node, component, *follow).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Verb::Supervise { .. } => return Ok(ExitCode::FAILURE),
        Verb::LoadBalancer { config } => {
            run_load_balancer(config).await?;
            return Ok(ExitCode::SUCCESS);
        }
        verb => answer(&testbed, verb).await?,
    };
    let text = match arguments.output {
        Format::Text => printed.text,
        Format::Json => format!("{:#}\n", printed.json),
    };
    print(&text);
    Ok(ExitCode::SUCCESS)
}

/// A reader that went away (`testbed status | head -1`) is no error.
fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

async fn answer(testbed: &Testbed, verb: &Verb) -> Result<Printed, Error> {
    match verb {
        Verb::Up(up) => {
            testbed.up(&up.specs()?).await?;
            status(testbed).await
        }
        Verb::Down { names } => {
            let gone = testbed.down(names).await?;
            Ok(Printed::new("", json!({"down": gone})))
        }
        Verb::Status => status(testbed).await,
        Verb::Kubeconfig { name, path } => {
            let file = testbed.kubeconfig(name)?;
            let text = std::fs::read_to_string(&file).map_err(|source| Error::File {
                action: "read",
                path: file.clone(),
                source,
            })?;
            let config = serde_json::from_str(&text).unwrap_or_default();
            let json = if *path { json!({"path": file}) } else { config };
            Ok(Printed::new(if *path { format!("{}\n", file.display()) } else { text }, json))
        }
        Verb::Load { name, archive } => {
            let said = testbed.load(name, archive).await?;
            Ok(Printed::new(said.clone(), json!({"cluster": name, "loaded": said.trim()})))
        }
        Verb::Kubernetes => {
            let bin = testbed.kubernetes().await?;
            Ok(Printed::new(format!("{}\n", bin.display()), json!({"path": bin})))
        }
        Verb::Fault(fault) => {
            let done = break_or_mend(testbed, fault).await?;
            Ok(Printed::new(format!("{done}\n"), json!({"done": done})))
        }
        Verb::Exec { .. } | Verb::Logs { .. } | Verb::Supervise { .. } | Verb::LoadBalancer { .. } => {
            Ok(Printed::new("", json!({})))
        }
    }
}

async fn status(testbed: &Testbed) -> Result<Printed, Error> {
    let status = testbed.status().await?;
    let json = serde_json::to_value(&status).unwrap_or_default();
    Ok(Printed::new(status.table(), json))
}

async fn break_or_mend(testbed: &Testbed, fault: &Fault) -> Result<String, Error> {
    Ok(match fault {
        Fault::Kill(Target { node, component: Some(component) }) => {
            testbed.component(node, Do::Kill, component).await?;
            format!("{component} on {node} was killed and runs again")
        }
        Fault::Kill(Target { node, component: None }) => {
            testbed.kill_node(node).await?;
            format!("{node} is off; `testbed fault start {node}` starts it")
        }
        Fault::Stop(target) => {
            testbed.component(&target.node, Do::Stop, &target.component).await?;
            format!("{} on {} is stopped", target.component, target.node)
        }
        Fault::Start(target) => start(testbed, target).await?,
        Fault::Restart(target) => {
            match &target.component {
                Some(component) => testbed.component(&target.node, Do::Stop, component).await?,
                None => testbed.kill_node(&target.node).await?,
            }
            start(testbed, target).await?
        }
        Fault::Pause(target) => {
            testbed.component(&target.node, Do::Pause, &target.component).await?;
            format!("{} on {} hangs", target.component, target.node)
        }
        Fault::Resume(target) => {
            testbed.component(&target.node, Do::Resume, &target.component).await?;
            format!("{} on {} goes on", target.component, target.node)
        }
        Fault::Cut { link } => format!("cut: {}", testbed.cut(link).await?),
        Fault::Heal { link, .. } => {
            testbed.heal(link).await?;
            format!("healed: {}", if link.is_empty() { "all links".to_owned() } else { link.join(" ") })
        }
    })
}

async fn start(testbed: &Testbed, target: &Target) -> Result<String, Error> {
    let Target { node, component } = target;
    match component {
        Some(component) => {
            testbed.component(node, Do::Start, component).await?;
            Ok(format!("{component} on {node} runs"))
        }
        None => {
            testbed.start_node(node).await?;
            Ok(format!("{node} is back"))
        }
    }
}

async fn logs(testbed: &Testbed, node: &str, component: &str, follow: bool) -> Result<(), Error> {
    let path = testbed.log(node, component)?;
    let failed = |source| Error::File { action: "read", path: path.clone(), source };
    let mut file = tokio::fs::File::open(&path).await.map_err(failed)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut buffer).await.map_err(failed)?;
        if std::io::stdout().lock().write_all(&buffer[..read]).is_err() || (read == 0 && !follow) {
            return Ok(());
        }
        if read == 0 {
            tokio::time::sleep(FOLLOW).await;
        }
    }
}
