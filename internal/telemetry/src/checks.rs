//! What has to be so for a process to be well, and to be asked for work.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, PoisonError, RwLock};

/// Named conditions, each fulfilled or with what is missing. Clones are the same conditions.
#[derive(Clone, Debug, Default)]
pub struct Checks(Arc<RwLock<BTreeMap<&'static str, Result<(), String>>>>);

impl Checks {
    /// Conditions that are not fulfilled yet.
    pub fn new(names: &[&'static str]) -> Self {
        let missing = || Err("not yet".to_owned());
        Self(Arc::new(RwLock::new(names.iter().map(|name| (*name, missing())).collect())))
    }

    /// It is fulfilled.
    pub fn pass(&self, name: &'static str) {
        self.set(name, Ok(()));
    }

    /// It is not, for this reason.
    pub fn fail(&self, name: &'static str, reason: impl Into<String>) {
        self.set(name, Err(reason.into()));
    }

    fn set(&self, name: &'static str, result: Result<(), String>) {
        // A panic elsewhere cannot leave a map half changed.
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(name, result);
    }

    /// Whether all are fulfilled, and a line for each.
    pub fn outcome(&self) -> (bool, String) {
        let checks = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for (name, result) in checks.iter() {
            // Writing into a String cannot fail.
            let _ = match result {
                Ok(()) => writeln!(text, "[+] {name} ok"),
                Err(reason) => writeln!(text, "[-] {name}: {reason}"),
            };
        }
        (checks.values().all(Result::is_ok), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_have_to_be_fulfilled() {
        let checks = Checks::new(&["engine", "lease"]);
        assert_eq!(checks.outcome(), (false, "[-] engine: not yet\n[-] lease: not yet\n".to_owned()));
        checks.pass("engine");
        checks.clone().pass("lease");
        assert_eq!(checks.outcome(), (true, "[+] engine ok\n[+] lease ok\n".to_owned()));
        checks.fail("lease", "lost");
        assert_eq!(checks.outcome(), (false, "[+] engine ok\n[-] lease: lost\n".to_owned()));
        assert_eq!(Checks::default().outcome(), (true, String::new()));
    }
}
