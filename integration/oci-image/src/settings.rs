//! The settings of an image's process, checked one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::config::Protocol;
use crate::destination;
use crate::error::Reason;

/// A user and group that no machine uses for anything: images are non-root unless they ask for root.
const NON_ROOT: &str = "65532:65532";

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) architecture: String,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) command: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) user: String,
    pub(crate) working_dir: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) ports: BTreeSet<(u16, Protocol)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            architecture: architecture(std::env::consts::ARCH).to_owned(),
            entrypoint: Vec::new(),
            command: Vec::new(),
            env: BTreeMap::new(),
            user: NON_ROOT.to_owned(),
            working_dir: "/".to_owned(),
            labels: BTreeMap::new(),
            ports: BTreeSet::new(),
        }
    }
}

/// OCI's name for an architecture, from Rust's.
fn architecture(rust: &str) -> &str {
    match rust {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        "loongarch64" => "loong64",
        other => other,
    }
}

/// Takes `uid` or `uid:gid`: numbers only, because a runtime that must not run an image as root cannot tell from a
/// name who it is.
pub(crate) fn user(text: &str) -> Result<String, Reason> {
    let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit()) && part.parse::<u32>().is_ok();
    if text.splitn(2, ':').all(number) {
        Ok(text.to_owned())
    } else {
        Err("expected uid or uid:gid, as numbers")
    }
}

pub(crate) fn working_dir(text: &str) -> Result<String, Reason> {
    let clean = destination::parse(Path::new(text))?;
    Ok(clean.display().to_string())
}

pub(crate) fn architecture_name(text: &str) -> Result<String, Reason> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("expected lower-case letters and digits, such as amd64")
    }
}

pub(crate) fn env_name(name: &str) -> Result<(), Reason> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err("the name of a variable is not empty and holds neither = nor NUL");
    }
    Ok(())
}

pub(crate) fn no_nul(value: &str) -> Result<(), Reason> {
    if value.contains('\0') { Err("it cannot hold a NUL byte") } else { Ok(()) }
}

pub(crate) fn label_name(name: &str) -> Result<(), Reason> {
    if name.is_empty() { Err("the name of a label is not empty") } else { Ok(()) }
}

pub(crate) fn port(port: u16) -> Result<u16, Reason> {
    if port == 0 { Err("expected a number from 1 to 65535") } else { Ok(port) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_numbers() {
        for good in ["0", "65535", "65532:65532", "4294967295:0"] {
            assert_eq!(user(good).unwrap(), good);
        }
        for bad in ["", "root", "0:", ":0", "0:0:0", "-1", "+1", "4294967296", "0: 0"] {
            assert!(user(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn architectures_are_named_as_oci_names_them() {
        assert_eq!(architecture("x86_64"), "amd64");
        assert_eq!(architecture("aarch64"), "arm64");
        assert_eq!(architecture("riscv64"), "riscv64");
        assert!(architecture_name("AMD64").is_err());
    }

    #[test]
    fn variables_and_directories_are_checked() {
        assert!(env_name("A").is_ok());
        assert!(env_name("").is_err());
        assert!(env_name("A=B").is_err());
        assert_eq!(working_dir("/a//b/").unwrap(), "/a/b");
        assert!(working_dir("a").is_err());
        assert!(port(0).is_err());
    }
}
