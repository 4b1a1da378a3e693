//! `up` and `down`, again and again, also with an `up` that is killed half-way: the machine is as before.
//!
//! Alone in its file: it compares the whole machine, so nothing else may come up or go down meanwhile.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod fixture;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fixture::{TESTBED, run, soak, succeeded, testbed};

/// What a testbed makes on a machine, one line each.
fn machine(seen: &mut BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let output = |program: &str, words: &[&str]| {
        let output = Command::new(program).args(words).output().unwrap();
        succeeded(output, program).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let links = output("ip", &["-oneline", "link"]);
    found.extend(links.iter().filter_map(|l| l.split(": ").nth(1)).map(|link| format!("link {link}")));
    found.extend(
        output("ip", &["-4", "route", "show", "table", "all"]).into_iter().map(|r| format!("route {r}")),
    );
    found.extend(output("nft", &["list", "tables"]).into_iter().map(|table| format!("nft {table}")));
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    found.extend(mounts.lines().filter_map(|l| l.split(' ').nth(4)).map(|mount| format!("mount {mount}")));
    found.extend(
        output("find", &["/sys/fs/cgroup", "-type", "d", "-path", "*liqo*"])
            .into_iter()
            .map(|c| format!("cgroup {c}")),
    );
    found.extend(processes(seen));
    for path in ["/run/liqo-testbed", "/var/lib/liqo-testbed", "/run/netns", "/opt/containerd"] {
        if fixture::exists(path) {
            found.insert(format!("path {path}"));
        }
    }
    for setting in [
        "vm/overcommit_memory",
        "vm/panic_on_oom",
        "kernel/panic",
        "kernel/panic_on_oops",
        "net/ipv4/ip_forward",
    ] {
        let value = std::fs::read_to_string(format!("/proc/sys/{setting}")).unwrap();
        found.insert(format!("setting {setting} {}", value.trim()));
    }
    found
}

/// Processes of a testbed by their marks and control groups, and every namespace that was seen in one of them: another
/// service of the machine may start processes and make namespaces meanwhile.
fn processes(seen: &mut BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let path = entry.path();
        let read = |name: &str| std::fs::read(path.join(name)).unwrap_or_default();
        let holds =
            |text: &[u8], word: &str| text.windows(word.len()).any(|window| window == word.as_bytes());
        // Dead processes whose parent does not look after them, such as one that ended before this test, are not ours.
        let dead = holds(&read("stat"), ") Z ");
        let ours = !dead
            && (holds(&read("environ"), "LIQO_TESTBED_NODE=") || holds(&read("cgroup"), "/liqo-testbed/"));
        let namespaces: Vec<String> = ["net", "mnt", "pid", "uts"]
            .iter()
            .filter_map(|kind| {
                let of = |process: &std::path::Path| std::fs::read_link(process.join("ns").join(kind)).ok();
                of(&path).filter(|namespace| Some(namespace) != of("/proc/self".as_ref()).as_ref())
            })
            .map(|namespace| format!("namespace {}", namespace.display()))
            .collect();
        if ours {
            found.insert(format!("process {}", path.display()));
            seen.extend(namespaces.clone());
        }
        found.extend(namespaces.into_iter().filter(|namespace| seen.contains(namespace)));
    }
    found
}

/// Namespaces end a moment after their last process: the machine is given that moment.
fn assert_as_before(before: &BTreeSet<String>, seen: &mut BTreeSet<String>, what: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let now = machine(seen);
        let (more, less): (Vec<_>, Vec<_>) =
            (now.difference(before).collect(), before.difference(&now).collect());
        if more.is_empty() && less.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "{what} left {more:?} and took {less:?}");
        std::thread::yield_now();
    }
}

/// Moments for kills: a linear congruential generator is random enough, and its seed is all that a repetition needs.
struct Moments(u64);

impl Moments {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// Starts `up` and kills it after that many lines of progress plus some milliseconds.
fn up_killed(moments: &mut Moments) -> String {
    let mut up = Command::new(TESTBED)
        .args(["up", "one", "two", "--nodes", "2"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (lines, millis) = (moments.next(9), moments.next(1500));
    let mut reader = BufReader::new(up.stderr.take().unwrap());
    let mut line = String::new();
    for _ in 0..lines {
        reader.read_line(&mut line).unwrap();
    }
    let moment = Instant::now() + Duration::from_millis(millis);
    while Instant::now() < moment && up.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    up.kill().unwrap();
    up.wait().unwrap();
    format!("up killed {millis} ms after line {lines} ({})", line.lines().last().unwrap_or("none"))
}

#[test]
fn api_cycles_of_up_and_down_leave_nothing_behind() {
    if testbed("api_cycles_of_up_and_down_leave_nothing_behind").is_none() {
        return;
    }
    succeeded(run(&["down"]), "down");
    let mut seen = BTreeSet::new();
    let before = machine(&mut seen);
    let (cycles, kills): (u32, u32) = if soak() { (20, 5) } else { (4, 2) };
    let seed = std::env::var("LIQO_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64);
    eprintln!("LIQO_SEED={seed}");
    let mut moments = Moments(seed);
    for cycle in 0..cycles {
        // Kills are spread over the cycles; the first cycle is whole. What half-runs is repaired and removed in turn.
        let kill = (cycle + 1) * kills / cycles > cycle * kills / cycles;
        let what = if kill {
            let what = up_killed(&mut moments);
            if (cycle * kills / cycles).is_multiple_of(2) {
                succeeded(run(&["up", "one", "two", "--nodes", "2"]), &what);
            }
            what
        } else {
            let options: &[&str] =
                if cycle % 2 == 0 { &["--control-plane-only"] } else { &["--behind-nat", "two"] };
            let words: Vec<&str> = ["up", "one", "two"].iter().chain(options).copied().collect();
            succeeded(run(&words), "up");
            words.join(" ")
        };
        eprintln!("cycle {cycle}: {what}");
        let up = machine(&mut seen);
        assert!(kill || !up.is_subset(&before), "nothing of {what} was found");
        succeeded(run(&["down"]), &what);
        assert_as_before(&before, &mut seen, &what);
    }
}
