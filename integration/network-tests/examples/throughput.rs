//! How much passes from a pod of one cluster to a pod of the other: `throughput AGENT [SECONDS]`.
//!
//! AGENT is the program `network-agent`. Everything, sender and receiver included, shares the machine's cores, so the
//! figure that says most is how much passes for a second of processor time of both gateways.

use std::env;
use std::io::{self, Error};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use liqo_network_tests::{Agent, Cluster, Conversation, Namespace, Pair, Server, sink, stream};

const PORT: u16 = 9000;
const ROUNDS: usize = 3;

fn main() -> io::Result<()> {
    let mut words = env::args().skip(1);
    let program = PathBuf::from(words.next().ok_or_else(|| Error::other("no program is given"))?);
    let seconds = words.next().and_then(|word| word.parse().ok()).unwrap_or(5);
    let time = Duration::from_secs(seconds);
    let mut pair = Pair::start(&program)?;
    pair.connected()?;
    sink(&pair.milan.pod, PORT)?;
    sink(&pair.rome.pod, PORT)?;
    let remote = SocketAddrV4::new(Ipv4Addr::new(10, 201, 0, 5), PORT);
    for round in 1..=ROUNDS {
        for streams in [1, 4] {
            let before = gateways(&pair)?;
            let rate = rate(&pair.rome.pod, remote, streams, time)?;
            let processor = gateways(&pair)? - before;
            let cost = rate * seconds as f64 / (processor as f64 / 1e6);
            println!(
                "round {round}: tunnel, {streams} streams: {:6.0} Mbit/s, {:.2} Gbit for a second of both gateways",
                rate / 1e6,
                cost / 1e9
            );
        }
        let local = SocketAddrV4::new(Ipv4Addr::new(10, 200, 0, 5), PORT);
        let node = &pair.rome.node;
        let (bytes, took) = stream(node, local, time)?;
        println!(
            "round {round}: node to its pod, no tunnel: {:6.0} Mbit/s",
            bytes as f64 * 8.0 / took.as_secs_f64() / 1e6
        );
        println!("round {round}: {}", round_trips(&pair)?);
    }
    Ok(())
}

/// Bits a second of all streams together.
fn rate(from: &Namespace, to: SocketAddrV4, streams: usize, time: Duration) -> io::Result<f64> {
    thread::scope(|scope| {
        let running: Vec<_> = (0..streams).map(|_| scope.spawn(|| stream(from, to, time))).collect();
        running.into_iter().try_fold(0.0, |sum, thread| {
            let (bytes, took) = thread.join().map_err(|_| Error::other("a stream panicked"))??;
            Ok(sum + bytes as f64 * 8.0 / took.as_secs_f64())
        })
    })
}

/// Microseconds of processor time that both gateways took so far.
fn gateways(pair: &Pair) -> io::Result<u64> {
    let of = |cluster: &Cluster| cluster.gateway_agent.as_ref().map_or(Ok(0), Agent::processor_micros);
    Ok(of(&pair.rome)? + of(&pair.milan)?)
}

/// The time of a short message there and back, on a connection that stays.
fn round_trips(pair: &Pair) -> io::Result<String> {
    let server = Server::start(&pair.milan.pod, 0)?;
    let to = SocketAddrV4::new(Ipv4Addr::new(10, 201, 0, 5), server.port());
    let mut conversation = Conversation::start(&pair.rome.pod, to)?;
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..2000 {
        let began = Instant::now();
        conversation.say(b"x")?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    let at = |share: usize| times[times.len() * share / 100].as_micros();
    Ok(format!("there and back: {} us (half), {} us (99 of 100)", at(50), at(99)))
}
