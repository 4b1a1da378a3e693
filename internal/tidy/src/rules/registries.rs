//! No text names the host of a package registry: clients know theirs, and mirrors stay possible.

use crate::picture::Picture;
use crate::violation::Violation;

const RULE: &str = "registries";

/// Cargo writes the registry of each package into its lock file, nobody else does.
const EXEMPT: &str = "Cargo.lock";

const HOSTS: &[&str] = &[
    concat!("crates", ".io"),
    concat!("static.rust-lang", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("sum.golang", ".org"),
    concat!("dl.google", ".com"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("registry.npmjs", ".org"),
    concat!("registry.yarnpkg", ".com"),
    concat!("deb.debian", ".org"),
    concat!("security.debian", ".org"),
    concat!("snapshot.debian", ".org"),
    concat!("archive.ubuntu", ".com"),
    concat!("ports.ubuntu", ".com"),
    concat!("security.ubuntu", ".com"),
    concat!("rubygems", ".org"),
    concat!("repo.maven.apache", ".org"),
];

/// Checks every line of every text file but the lock file.
pub fn check(picture: &Picture) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in picture.texts().filter(|(path, _)| *path != EXEMPT) {
        for (index, line) in text.lines().enumerate() {
            let line = line.to_ascii_lowercase();
            let host = HOSTS.iter().find(|host| line.contains(**host));
            found.extend(host.map(|host| {
                let message = format!("do not name {host}: leave it to the client's own configuration");
                Violation::new(RULE, path, index + 1, message)
            }));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_without_hosts_and_the_lock_file_are_good() {
        let index = format!("registry+https://github.com/rust-lang/{}-index", HOSTS[0]);
        assert_eq!(check(&Picture::of(&[("Cargo.lock", &index), ("Makefile", "apt-get install nft\n")])), []);
    }

    #[test]
    fn every_host_is_reported_in_any_case() {
        for host in HOSTS {
            let text = format!("ok\ncurl https://{}/x\n", host.to_ascii_uppercase());
            let found = check(&Picture::of(&[("Makefile", &text)]));
            assert_eq!(found.iter().map(|found| found.line).collect::<Vec<_>>(), [2], "{host}");
        }
    }
}
