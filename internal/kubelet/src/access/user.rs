//! A caller as the cluster knows it.

use std::collections::BTreeMap;

/// The group of everybody who has proved who they are.
const AUTHENTICATED: &str = "system:authenticated";

/// A caller as the cluster knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct User {
    /// Name, never empty.
    pub name: String,
    /// Uid, empty when there is none.
    pub uid: String,
    /// Groups, with that of all authenticated users.
    pub groups: Vec<String>,
    /// What else the authentication said.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// A user with these groups and that of all authenticated users.
    #[must_use]
    pub fn new(name: impl Into<String>, groups: Vec<String>) -> Self {
        let mut groups = groups;
        if !groups.iter().any(|group| group == AUTHENTICATED) {
            groups.push(AUTHENTICATED.to_owned());
        }
        Self { name: name.into(), groups, ..Self::default() }
    }
}
