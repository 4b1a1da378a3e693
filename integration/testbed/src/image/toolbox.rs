//! The image with the tools that tests run in pods, made from Debian packages.
//!
//! Its default command is an HTTP server on port 8080 that answers every request with one line of JSON: the pod's
//! `pod`, `namespace` and `node` (from `POD_NAME`, `POD_NAMESPACE` and `NODE_NAME`, else the host name and the service
//! account), the `client` and `client_port` as the server sees them, `server` (the address that the client reached),
//! `method` and `path`. It logs a line for each request. It is a Perl program because busybox's server answers only
//! paths that end with a slash, and Perl is on every Debian machine.
//!
//! There is no entry point, so `command: ["/bin/sh", "-c", …]` and `args: ["iperf3", "-s"]` both work in a pod.

use std::path::Path;

use liqo_oci_image::{Image, Owner, Protocol};

use super::error::{Error, Result};
use super::packages;

/// The name under which pods ask for the toolbox.
pub const TOOLBOX_IMAGE: &str = "testbed.local/toolbox:1";

/// The TCP port of the toolbox's HTTP server.
pub const TOOLBOX_PORT: u16 = 8080;

const SERVER: &str = "/usr/local/bin/identity-server";
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Packages, and the program that is taken from each to `/usr/bin`.
const PROGRAMS: [(&str, &str, &str); 4] = [
    ("curl", "bin/curl", "/usr/bin/curl"),
    ("iperf3", "bin/iperf3", "/usr/bin/iperf3"),
    ("perl-base", "bin/perl", "/usr/bin/perl"),
    ("restic", "bin/restic", "/usr/bin/restic"),
];

/// The parts of busybox that tests rely on.
const APPLETS: [&str; 8] = ["sh", "ip", "nc", "nslookup", "ping", "sleep", "tar", "wget"];

/// Builds the toolbox from what is installed on this machine. It runs as user 65532 unless a pod asks for another.
///
/// # Errors
///
/// [`Error::MissingPackage`] and [`Error::MissingFile`] name the package to install, [`Error::MissingApplet`] the part
/// that busybox lacks.
pub(crate) fn toolbox_image() -> Result<Image> {
    let mut image = Image::new(TOOLBOX_IMAGE)?;
    add_busybox(&mut image)?;
    for (package, program, destination) in PROGRAMS {
        image.add_program(packages::file(package, program)?, destination)?;
    }
    add_perl_modules(&mut image)?;
    add_accounts(&mut image)?;
    if packages::is_installed("ca-certificates")? && Path::new(CERTIFICATES).is_file() {
        image.add_file(CERTIFICATES, CERTIFICATES, 0o644)?;
    }
    image.add_bytes(include_str!("identity_server.pl"), SERVER, 0o755)?;
    image.add_empty_directory("/tmp", 0o1777, Owner::ROOT)?;
    image.env("PATH", PATH)?.env("HOME", "/tmp")?.expose(TOOLBOX_PORT, Protocol::Tcp)?;
    image.command([SERVER.to_owned(), TOOLBOX_PORT.to_string()]);
    Ok(image)
}

fn add_busybox(image: &mut Image) -> Result<()> {
    let busybox = packages::file("busybox-static", "bin/busybox")?;
    let program = busybox.display().to_string();
    let listed = packages::output(&program, &["--list"])?;
    if !listed.status.success() {
        let message = String::from_utf8_lossy(&listed.stderr).trim().to_owned();
        return Err(Error::Failed { command: format!("{program} --list"), message });
    }
    let names = String::from_utf8_lossy(&listed.stdout);
    let applets: Vec<&str> = names.lines().filter(|name| *name != "busybox").collect();
    if let Some(applet) = APPLETS.into_iter().find(|applet| !applets.contains(applet)) {
        return Err(Error::MissingApplet { applet });
    }
    image.add_program(&busybox, "/bin/busybox")?;
    for applet in applets {
        image.add_symlink("busybox", Path::new("/bin").join(applet))?;
    }
    Ok(())
}

/// Perl looks for its modules where the package has them.
fn add_perl_modules(image: &mut Image) -> Result<()> {
    let socket = packages::file("perl-base", "perl-base/Socket.pm")?;
    if let Some(directory) = socket.parent() {
        image.add_directory(directory, directory)?;
    }
    Ok(())
}

fn add_accounts(image: &mut Image) -> Result<()> {
    let passwd = "root:x:0:0:root:/tmp:/bin/sh\n\
        toolbox:x:65532:65532:toolbox:/tmp:/bin/sh\n\
        nobody:x:65534:65534:nobody:/tmp:/bin/sh\n";
    image.add_bytes(passwd, "/etc/passwd", 0o644)?;
    image.add_bytes("root:x:0:\ntoolbox:x:65532:\nnogroup:x:65534:\n", "/etc/group", 0o644)?;
    image.add_bytes("passwd: files\ngroup: files\nhosts: files dns\n", "/etc/nsswitch.conf", 0o644)?;
    Ok(())
}

#[cfg(test)]
#[path = "toolbox_tests.rs"]
mod tests;
