//! A table, and its text. Pure.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::net::Ipv4Addr;

use sha2::{Digest as _, Sha256};

/// Name of our table, of family `ip`.
pub(crate) const NAME: &str = "liqo";

/// Where the kernel enters a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    /// Translation of destinations.
    Prerouting,
    /// Packets for the gateway itself.
    Input,
    /// Packets that pass through.
    Forward,
    /// Translation of sources.
    Postrouting,
}

impl Hook {
    /// Type, name and priority as the kernel lists them.
    pub(super) const fn parts(self) -> (&'static str, &'static str, i64) {
        match self {
            Self::Prerouting => ("nat", "prerouting", -100),
            Self::Input => ("filter", "input", 0),
            Self::Forward => ("filter", "forward", 0),
            Self::Postrouting => ("nat", "postrouting", 100),
        }
    }
}

/// Rules in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Where the kernel enters it; nothing for a chain that others jump to.
    pub(crate) hook: Option<Hook>,
    /// Rules in the language of nft, without comments.
    pub(crate) rules: Vec<String>,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    /// Maps from address to address, by name.
    pub(crate) maps: BTreeMap<String, BTreeMap<Ipv4Addr, Ipv4Addr>>,
    /// Chains by name.
    pub(crate) chains: BTreeMap<String, Chain>,
}

/// What a rule carries as its comment: as good as the rule itself, 16 hexadecimal digits.
pub(super) fn digest(rule: &str) -> String {
    Sha256::digest(rule.as_bytes())[..8].iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The transaction that replaces the table, whether it exists or not.
impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "table ip {NAME}\ndelete table ip {NAME}\ntable ip {NAME} {{")?;
        for (name, elements) in &self.maps {
            writeln!(out, "\tmap {name} {{\n\t\ttype ipv4_addr : ipv4_addr")?;
            let elements: Vec<String> = elements.iter().map(|(from, to)| format!("{from} : {to}")).collect();
            if !elements.is_empty() {
                writeln!(out, "\t\telements = {{ {} }}", elements.join(", "))?;
            }
            writeln!(out, "\t}}")?;
        }
        for (name, chain) in &self.chains {
            writeln!(out, "\tchain {name} {{")?;
            if let Some(hook) = chain.hook {
                let (kind, name, priority) = hook.parts();
                writeln!(out, "\t\ttype {kind} hook {name} priority {priority}; policy accept;")?;
            }
            for rule in &chain.rules {
                writeln!(out, "\t\t{rule} comment \"{}\"", digest(rule))?;
            }
            writeln!(out, "\t}}")?;
        }
        writeln!(out, "}}")
    }
}
