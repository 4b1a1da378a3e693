//! Files of the Debian packages that are installed on this machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::error::{Error, Result};

/// Runs a program and gives what it wrote.
pub(super) fn output(program: &str, arguments: &[&str]) -> Result<Output> {
    Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .output()
        .map_err(|source| Error::Run { command: format!("{program} {}", arguments.join(" ")), source })
}

/// The file of an installed package whose path ends with `end`, whichever of `/bin` and `/usr/bin` it is in.
///
/// # Errors
///
/// [`Error::MissingPackage`] if the package is not installed, [`Error::MissingFile`] if it has no such file.
pub(super) fn file(package: &'static str, end: &'static str) -> Result<PathBuf> {
    let listed = output("dpkg-query", &["--listfiles", package])?;
    if !listed.status.success() {
        return Err(Error::MissingPackage { package });
    }
    find(&String::from_utf8_lossy(&listed.stdout), end)
        .filter(|path| path.is_file())
        .ok_or(Error::MissingFile { package, file: end })
}

/// Whether a package's files are on this machine.
pub(super) fn is_installed(package: &'static str) -> Result<bool> {
    Ok(output("dpkg-query", &["--listfiles", package])?.status.success())
}

/// Picks the path from a file list, which has remarks on diverted files between the paths.
fn find(list: &str, end: &str) -> Option<PathBuf> {
    list.lines()
        .filter(|line| line.starts_with('/'))
        .map(Path::new)
        .find(|path| path.ends_with(end))
        .map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_matched_by_whole_parts_and_remarks_are_passed_over() {
        let list = "/.\n/usr/bin/mycurl\ndiverted by x to: /usr/bin/curl\n/usr/bin/curl\n/usr/share/curl\n";
        assert_eq!(find(list, "bin/curl"), Some("/usr/bin/curl".into()));
        assert_eq!(find(list, "sbin/curl"), None);
    }

    #[test]
    fn a_package_that_is_not_installed_is_named() {
        match file("no-such-package-anywhere", "bin/x") {
            Err(Error::Run { .. }) => eprintln!("skipped: this machine has no dpkg-query"),
            other => assert!(matches!(
                other.unwrap_err(),
                Error::MissingPackage { package: "no-such-package-anywhere" }
            )),
        }
    }
}
