//! What nft lists, and whether it is what was wanted. Pure.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::Deserialize;
use serde_json::Value;

use super::table::{Table, digest};

/// A table as the kernel has it, without handles and counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    maps: BTreeMap<String, BTreeMap<Ipv4Addr, Ipv4Addr>>,
    chains: BTreeMap<String, ListedChain>,
    /// Objects of other kinds, which a table of ours never has.
    others: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct ListedChain {
    /// Type, hook, priority and policy.
    hook: Option<(String, String, i64, String)>,
    /// The comment of each rule.
    rules: Vec<String>,
}

impl Listing {
    /// Reads the output of `nft -j list table`.
    ///
    /// # Errors
    ///
    /// When it is no JSON, or not of the form that nft writes.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        let document: Document = serde_json::from_slice(json)?;
        let mut listing = Self::default();
        for object in document.nftables {
            for (kind, body) in object {
                listing.take(&kind, body)?;
            }
        }
        Ok(listing)
    }

    /// What the kernel lists for a table that was made from this one.
    pub(crate) fn of(table: &Table) -> Self {
        let chains = table.chains.iter().map(|(name, chain)| {
            let hook = chain.hook.map(|hook| {
                let (kind, name, priority) = hook.parts();
                (kind.to_owned(), name.to_owned(), priority, "accept".to_owned())
            });
            (name.clone(), ListedChain { hook, rules: chain.rules.iter().map(|rule| digest(rule)).collect() })
        });
        Self { maps: table.maps.clone(), chains: chains.collect(), others: 0 }
    }

    /// Whether a connection that was translated by this table might be translated otherwise by `next`: a rule or an
    /// element is gone. What is only added changes nothing for connections that exist.
    pub(crate) fn loses_something_in(&self, next: &Self) -> bool {
        let lacks_rule = |(name, chain): (&String, &ListedChain)| {
            let kept = next.chains.get(name).map(|next| &next.rules);
            // Dispatch names every peer, so it changes with each; what it leads to is what counts.
            let dispatches = chain.hook.is_some();
            !dispatches && chain.rules.iter().any(|rule| kept.is_none_or(|kept| !kept.contains(rule)))
        };
        let lacks_element = |(name, elements): (&String, &BTreeMap<Ipv4Addr, Ipv4Addr>)| {
            let kept = next.maps.get(name);
            elements.iter().any(|(from, to)| kept.and_then(|kept| kept.get(from)) != Some(to))
        };
        self.chains.iter().any(lacks_rule) || self.maps.iter().any(lacks_element)
    }

    fn take(&mut self, kind: &str, body: Value) -> Result<(), serde_json::Error> {
        match kind {
            "metainfo" | "table" => {}
            "chain" => {
                let chain: JsonChain = serde_json::from_value(body)?;
                let hook = chain.kind.map(|kind| (kind, chain.hook, chain.prio, chain.policy));
                self.chains.entry(chain.name).or_default().hook = hook;
            }
            "rule" => {
                let rule: JsonRule = serde_json::from_value(body)?;
                self.chains.entry(rule.chain).or_default().rules.push(rule.comment);
            }
            "map" => {
                let map: JsonMap = serde_json::from_value(body)?;
                self.maps.insert(map.name, map.elem.into_iter().collect());
            }
            _ => self.others += 1,
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Document {
    nftables: Vec<BTreeMap<String, Value>>,
}

#[derive(Deserialize)]
struct JsonChain {
    name: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    hook: String,
    #[serde(default)]
    prio: i64,
    #[serde(default)]
    policy: String,
}

#[derive(Deserialize)]
struct JsonRule {
    chain: String,
    #[serde(default)]
    comment: String,
}

#[derive(Deserialize)]
struct JsonMap {
    name: String,
    #[serde(default)]
    elem: Vec<(Ipv4Addr, Ipv4Addr)>,
}
