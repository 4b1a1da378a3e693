//! Questions to the API server about callers.

use std::future::Future;
use std::time::Duration;

use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec, SubjectAccessReviewStatus,
};
use kube::Api;
use kube::api::PostParams;
use tokio::time::timeout;

use super::{Attributes, User};
use crate::Error;

/// For one answer. The API server waits for us in turn, and not for long.
const PATIENCE: Duration = Duration::from_secs(10);
const TOKEN: &str = "TokenReview";
const ACCESS: &str = "SubjectAccessReview";

/// Who knows callers and what they may do.
pub trait Reviewer: Send + Sync + 'static {
    /// Whose token it is; nobody's when it does not count.
    fn token(&self, token: &str) -> impl Future<Output = Result<Option<User>, Error>> + Send;
    /// Whether a user may do something to the node.
    fn access(&self, user: &User, attributes: Attributes)
    -> impl Future<Output = Result<bool, Error>> + Send;
}

/// Asks the API server, by `TokenReview` and `SubjectAccessReview`.
#[derive(Clone)]
pub struct KubeReviewer {
    client: kube::Client,
    node: String,
}

impl KubeReviewer {
    /// Asks about a node of this name.
    pub fn new(client: kube::Client, node: impl Into<String>) -> Self {
        Self { client, node: node.into() }
    }
}

impl Reviewer for KubeReviewer {
    async fn token(&self, token: &str) -> Result<Option<User>, Error> {
        let spec = TokenReviewSpec { token: Some(token.to_owned()), ..TokenReviewSpec::default() };
        let asked = TokenReview { spec, ..TokenReview::default() };
        let api = Api::<TokenReview>::all(self.client.clone());
        Ok(found(answer(TOKEN, api.create(&PostParams::default(), &asked)).await?))
    }

    async fn access(&self, user: &User, attributes: Attributes) -> Result<bool, Error> {
        let asked = SubjectAccessReview {
            spec: question(user, attributes, &self.node),
            ..SubjectAccessReview::default()
        };
        let api = Api::<SubjectAccessReview>::all(self.client.clone());
        let answer = answer(ACCESS, api.create(&PostParams::default(), &asked)).await?;
        Ok(answer.status.is_some_and(|status| allows(&status)))
    }
}

async fn answer<T>(
    kind: &'static str,
    asked: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, Error> {
    match timeout(PATIENCE, asked).await {
        Ok(answer) => answer.map_err(|source| Error::Review { kind, source: Box::new(source) }),
        Err(_) => Err(Error::ReviewTimeout { kind }),
    }
}

/// The user of a token that counts.
fn found(review: TokenReview) -> Option<User> {
    let status = review.status.filter(|status| status.authenticated == Some(true))?;
    let user = status.user?;
    let name = user.username.filter(|name| !name.is_empty())?;
    Some(User {
        uid: user.uid.unwrap_or_default(),
        extra: user.extra.unwrap_or_default(),
        ..User::new(name, user.groups.unwrap_or_default())
    })
}

fn question(user: &User, attributes: Attributes, node: &str) -> SubjectAccessReviewSpec {
    SubjectAccessReviewSpec {
        user: Some(user.name.clone()),
        uid: Some(user.uid.clone()).filter(|uid| !uid.is_empty()),
        groups: Some(user.groups.clone()),
        extra: Some(user.extra.clone()).filter(|extra| !extra.is_empty()),
        resource_attributes: Some(ResourceAttributes {
            verb: Some(attributes.verb.to_owned()),
            version: Some("v1".to_owned()),
            resource: Some("nodes".to_owned()),
            subresource: Some(attributes.subresource.to_owned()),
            name: Some(node.to_owned()),
            ..ResourceAttributes::default()
        }),
        ..SubjectAccessReviewSpec::default()
    }
}

fn allows(status: &SubjectAccessReviewStatus) -> bool {
    status.allowed && status.denied != Some(true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test_api::{Answer, TestApi};

    fn review(status: serde_json::Value) -> TokenReview {
        serde_json::from_value(json!({"metadata": {}, "spec": {}, "status": status})).unwrap()
    }

    #[test]
    fn only_a_token_that_counts_has_a_user() {
        let user = json!({"username": "system:serviceaccount:kube-system:metrics-server", "uid": "u",
            "groups": ["system:serviceaccounts"], "extra": {"k": ["v"]}});
        let found_user = found(review(json!({"authenticated": true, "user": user.clone()}))).unwrap();
        assert_eq!(found_user.name, "system:serviceaccount:kube-system:metrics-server");
        assert_eq!(found_user.groups, ["system:serviceaccounts", "system:authenticated"]);
        assert_eq!((found_user.uid.as_str(), &found_user.extra["k"][0][..]), ("u", "v"));
        for status in [
            json!({}),
            json!({"authenticated": false, "user": user}),
            json!({"authenticated": true}),
            json!({"authenticated": true, "user": {"username": ""}}),
        ] {
            assert_eq!(found(review(status.clone())), None, "{status}");
        }
    }

    #[test]
    fn the_question_is_about_a_subresource_of_the_node() {
        let user = User::new("admin", vec!["system:masters".to_owned()]);
        let asked = question(&user, Attributes { verb: "create", subresource: "proxy" }, "liqo-milan");
        let expected = json!({
            "user": "admin",
            "groups": ["system:masters", "system:authenticated"],
            "resourceAttributes": {"verb": "create", "version": "v1", "resource": "nodes", "subresource": "proxy",
                "name": "liqo-milan"},
        });
        assert_eq!(serde_json::to_value(asked).unwrap(), expected);
    }

    #[tokio::test]
    async fn the_api_server_is_asked() {
        let api = TestApi::start(|asked| {
            let mut answer = asked.body.clone();
            answer["status"] = match asked.body["kind"].as_str() {
                Some("TokenReview") => json!({"authenticated": true, "user": {"username": "prometheus"}}),
                _ => json!({"allowed": true}),
            };
            Answer::Json(201, answer)
        })
        .await;
        let reviewer = KubeReviewer::new(api.client.clone(), "liqo-milan");
        let user = reviewer.token("t").await.unwrap().unwrap();
        assert_eq!(user.name, "prometheus");
        assert!(reviewer.access(&user, Attributes { verb: "get", subresource: "metrics" }).await.unwrap());
        let expected = [
            "POST /apis/authentication.k8s.io/v1/tokenreviews?",
            "POST /apis/authorization.k8s.io/v1/subjectaccessreviews?",
        ];
        assert_eq!(api.lines(), expected);
        assert_eq!(api.asked()[0].body["spec"], json!({"token": "t"}));
        assert_eq!(api.asked()[1].body["spec"]["resourceAttributes"]["name"], "liqo-milan");
    }

    #[test]
    fn a_denial_counts_more_than_a_permission() {
        let status = |allowed, denied| SubjectAccessReviewStatus {
            allowed,
            denied,
            ..SubjectAccessReviewStatus::default()
        };
        assert!(allows(&status(true, None)) && allows(&status(true, Some(false))));
        assert!(!allows(&status(true, Some(true))) && !allows(&status(false, None)));
    }
}
