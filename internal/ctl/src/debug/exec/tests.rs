//! The way through an API server that answers two requests: the list of pods, and `pods/exec`.

mod api_server;

use clap::Parser;
use tokio::io::duplex;

use super::*;
use crate::{Arguments, Command};
use api_server::{ApiServer, Program};

fn place(server: &ApiServer) -> Place {
    let line =
        format!("liqoctl debug --namespace tenant state --kubeconfig {}", server.kubeconfig().display());
    let Arguments { command, access, .. } = Arguments::try_parse_from(line.split(' ')).unwrap();
    let Command::Debug(debug) = command else { panic!("{line}") };
    debug.at(access).place
}

#[tokio::test]
async fn a_connection_reaches_the_program_in_the_pod() {
    // given a pod whose program answers what it is told, in capitals
    let server = ApiServer::start("controller-1", Program::Capitals).await;
    let exec = Exec::find(&place(&server)).await.unwrap();
    assert_eq!(exec.pod, "controller-1");
    // when a connection is carried to it
    let (near, mut console) = duplex(64);
    let carried = tokio::spawn(async move { exec.carry(near).await });
    console.write_all(b"question").await.unwrap();
    let mut answer = [0; 8];
    console.read_exact(&mut answer).await.unwrap();
    // then it gets the answer, and all ends when the connection does
    assert_eq!(&answer, b"QUESTION");
    drop(console);
    carried.await.unwrap().unwrap();
    let asked = server.asked().await;
    assert_eq!(
        asked[0],
        "/api/v1/namespaces/tenant/pods?&labelSelector=app.kubernetes.io%2Fname%3Dcontroller-manager&limit=20"
    );
    let exec = "/api/v1/namespaces/tenant/pods/controller-1/exec?&stdin=true&stdout=true&stderr=true\
                &command=%2Fliqo-controller-manager&command=debug-bridge";
    assert_eq!(asked[1], exec);
}

#[tokio::test]
async fn what_the_program_complains_of_is_told() {
    let server = ApiServer::start("controller-1", Program::Complains("error: no such socket\n")).await;
    let exec = Exec::find(&place(&server)).await.unwrap();
    let (near, _console) = duplex(64);
    let error = exec.carry(near).await.unwrap_err();
    assert_eq!(crate::report(&error), "the bridge in pod controller-1 ended: error: no such socket");
}

#[tokio::test]
async fn a_kubeconfig_that_is_not_there_is_said_so() {
    let server = ApiServer::start("controller-1", Program::Capitals).await;
    let mut place = place(&server);
    place.access.kubeconfig = Some("none/kubeconfig".into());
    let error = Exec::find(&place).await.unwrap_err();
    assert!(crate::report(&error).starts_with("cannot use the kubeconfig: check --kubeconfig"), "{error:?}");
}

#[tokio::test]
async fn bytes_go_both_ways() {
    let (near, mut console) = duplex(64);
    let (output, mut program_output) = duplex(64);
    let (input, mut program_input) = duplex(64);
    let exchanged = tokio::spawn(exchange(near, output, input));
    console.write_all(b"question").await.unwrap();
    let mut asked = [0; 8];
    program_input.read_exact(&mut asked).await.unwrap();
    program_output.write_all(b"answer").await.unwrap();
    drop(program_output);
    let mut answer = String::new();
    console.read_to_string(&mut answer).await.unwrap();
    assert_eq!((&asked, answer.as_str()), (b"question", "answer"));
    assert_eq!(exchanged.await.unwrap(), Ended::There);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_does_not_end_is_left() {
    let (near, console) = duplex(64);
    let (output, _program_output) = duplex(64);
    let (input, _program_input) = duplex(64);
    drop(console);
    assert_eq!(exchange(near, output, input).await, Ended::Here);
}

#[tokio::test]
async fn complaints_are_cut_and_read_to_their_end() {
    let long = vec![b'x'; 10_000];
    assert_eq!(kept(long.as_slice()).await.len(), 4096);
}
