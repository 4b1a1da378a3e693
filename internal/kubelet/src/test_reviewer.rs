//! A cluster for tests, which knows tokens and permissions and counts what it was asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::{Attributes, Error, Reviewer, User};

#[derive(Default)]
struct Known {
    tokens: BTreeMap<String, String>,
    permissions: BTreeSet<String>,
    asked: Vec<String>,
    fails: bool,
}

/// Knows what a test tells it. Clones know the same.
#[derive(Clone, Default)]
pub(crate) struct TestReviewer(Arc<Mutex<Known>>);

impl TestReviewer {
    pub(crate) fn know(&self, token: &str, user: &str) {
        self.0.lock().unwrap().tokens.insert(token.to_owned(), user.to_owned());
    }

    /// Allows something such as `get metrics`.
    pub(crate) fn allow(&self, user: &str, what: &str) {
        self.0.lock().unwrap().permissions.insert(format!("{user} {what}"));
    }

    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap() = Known::default();
    }

    pub(crate) fn fail(&self) {
        self.0.lock().unwrap().fails = true;
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().asked.clone()
    }

    fn ask<T>(&self, question: String, answer: impl Fn(&Known) -> T) -> Result<T, Error> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.asked.push(question);
        if known.fails { Err(Error::ReviewTimeout { kind: "TokenReview" }) } else { Ok(answer(&known)) }
    }
}

impl Reviewer for TestReviewer {
    async fn token(&self, token: &str) -> Result<Option<User>, Error> {
        self.ask(format!("token {token}"), |known| {
            known.tokens.get(token).map(|name| User::new(name, Vec::new()))
        })
    }

    async fn access(&self, user: &User, attributes: Attributes) -> Result<bool, Error> {
        let question = format!("{} {} {}", user.name, attributes.verb, attributes.subresource);
        self.ask(question.clone(), |known| known.permissions.contains(&question))
    }
}
