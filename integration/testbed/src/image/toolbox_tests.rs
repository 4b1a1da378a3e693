//! The toolbox with nothing but itself around it: unpacked, entered with `chroot`, as a user that is not root.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::Value;

use super::*;

/// The image, or `None` after a message if this machine cannot build it.
fn image() -> Option<Image> {
    match toolbox_image() {
        Ok(image) => Some(image),
        Err(error @ (Error::MissingPackage { .. } | Error::Run { .. })) => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// The root file system of the toolbox in a directory.
struct Root {
    directory: tempfile::TempDir,
}

impl Root {
    fn unpack() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: chroot needs root");
            return None;
        }
        let image = image()?;
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
        let archive = directory.path().join("image.tar");
        let layout = directory.path().join("layout");
        let root = directory.path().join("root");
        fs::create_dir(&layout).unwrap();
        fs::create_dir(&root).unwrap();
        image.write(&archive).unwrap();
        extract(&archive, &layout);
        let read = |path: &Path| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
        let blob = |descriptor: &Value| {
            layout.join("blobs").join(descriptor["digest"].as_str().unwrap().replace(':', "/"))
        };
        let manifest = read(&blob(&read(&layout.join("index.json"))["manifests"][0]));
        extract(&blob(&manifest["layers"][0]), &root);
        Some(Self { directory })
    }

    /// A command inside, as the image's own user.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("chroot");
        command.args(["--userspec=65532:65532"]).arg(self.directory.path().join("root")).args(words);
        command.env_clear().env("PATH", format!("{PATH}:/usr/sbin:/sbin")).env("HOME", "/tmp");
        command
    }

    fn run(&self, words: &[&str]) -> String {
        let output = self.command(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

fn extract(archive: &Path, to: &Path) {
    let status = Command::new("tar").arg("-xpf").arg(archive).arg("-C").arg(to).status().unwrap();
    assert!(status.success(), "{}", archive.display());
}

/// The HTTP server on a free port, ended when dropped.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(root: &Root) -> Self {
        let mut command = root.command(&[SERVER, "0"]);
        command.env("POD_NAME", "pod-\"1\"").env("POD_NAMESPACE", "space").env("NODE_NAME", "node");
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        // The pipe stays open while the server runs: the reader is handed to a thread that drains the log.
        let mut log = BufReader::new(process.stdout.take().unwrap());
        log.read_line(&mut line).unwrap();
        thread::spawn(move || log.lines().map_while(Result::ok).for_each(drop));
        let port = line.trim().rsplit(' ').next().unwrap().to_owned();
        Self { process, url: format!("127.0.0.1:{port}") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn it_is_the_same_twice() {
    let (Some(one), Some(two)) = (image(), image()) else { return };
    let directory = tempfile::tempdir().unwrap();
    let (one, two) =
        (one.write(directory.path().join("1")).unwrap(), two.write(directory.path().join("2")).unwrap());
    assert_eq!(one, two);
    let archive = |name| fs::metadata(directory.path().join(name)).unwrap().len();
    assert_eq!(archive("1"), archive("2"));
}

#[test]
fn its_programs_start() {
    let Some(root) = Root::unpack() else { return };
    assert!(root.run(&["curl", "--version"]).starts_with("curl "));
    assert!(root.run(&["iperf3", "--version"]).starts_with("iperf 3"));
    assert!(root.run(&["restic", "version"]).starts_with("restic "));
    assert_eq!(
        root.run(&["/bin/sh", "-c", "id -un && echo $HOME && touch /tmp/x && ip link show lo | wc -l"]),
        "toolbox\n/tmp\n2\n"
    );
    let mode = fs::metadata(root.directory.path().join("root/tmp")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o1777);
}

#[test]
fn it_answers_every_path_and_method_with_who_it_is_and_whom_it_saw() {
    let Some(root) = Root::unpack() else { return };
    let server = Server::start(&root);
    for (arguments, method, path) in [
        (vec![], "GET", "/"),
        (vec![], "GET", "/any/path?x=1"),
        (vec!["--data", "body"], "POST", "/post"),
        (vec!["-X", "PUT"], "PUT", "/%22quoted%22"),
    ] {
        let url = format!("http://{}{path}", server.url);
        let mut words = vec!["curl", "--silent", "--fail", "--max-time", "10"];
        words.extend(arguments);
        words.push(&url);
        let answer: Value = serde_json::from_str(&root.run(&words)).unwrap();
        assert_eq!(answer["pod"], "pod-\"1\"");
        assert_eq!((&answer["namespace"], &answer["node"]), (&"space".into(), &"node".into()));
        assert_eq!((&answer["client"], &answer["server"]), (&"127.0.0.1".into(), &"127.0.0.1".into()));
        assert!(answer["client_port"].as_u64().is_some_and(|port| port > 0));
        assert_eq!((&answer["method"], &answer["path"]), (&method.into(), &path.into()));
    }
    assert!(root.run(&["wget", "-q", "-O-", &format!("http://{}/", server.url)]).contains("\"client\""));
}

#[test]
fn it_answers_50_clients_at_once_while_others_say_nothing() {
    let Some(root) = Root::unpack() else { return };
    let server = Server::start(&root);
    let silent: Vec<_> = (0..10).map(|_| TcpStream::connect(&server.url).unwrap()).collect();
    let mut half = TcpStream::connect(&server.url).unwrap();
    half.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    let url = format!("http://{}/parallel", server.url);
    let words = ["curl", "--silent", "--fail", "--max-time", "20", &url];
    let clients: Vec<_> =
        (0..50).map(|_| root.command(&words).stdout(Stdio::piped()).spawn().unwrap()).collect();
    for client in clients {
        let output = client.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("\"path\":\"/parallel\""));
    }
    drop((silent, half));
}

#[test]
fn it_ends_with_code_0_at_sigterm_and_names_a_port_that_is_taken() {
    let Some(root) = Root::unpack() else { return };
    let mut server = Server::start(&root);
    let pid = rustix::process::Pid::from_child(&server.process);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(server.process.wait().unwrap().code(), Some(0));
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = root.command(&[SERVER, &port]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains(&port), "{output:?}");
}
