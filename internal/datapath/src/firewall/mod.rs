//! The one nftables table that is ours, `ip liqo` in the gateway's namespace: address translation and who may pass.
//!
//! A table is rendered as one transaction that replaces the old one, so packets see either. What the kernel lists is
//! compared with what was wanted: each rule carries a digest of its own text as its comment, which an edit by hand loses.

mod gateway;
mod listing;
mod nft;
mod table;

pub(crate) use gateway::of_gateway;
pub(crate) use listing::Listing;
pub(crate) use nft::{Nft, NftError};
pub(crate) use table::{NAME, Table};

#[cfg(test)]
mod tests;
