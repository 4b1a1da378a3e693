//! AdmissionReviews, as the API server sends and reads them. Versions v1 and v1beta1 are the same to the letter.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::{Admission, Refusal};

const KIND: &str = "AdmissionReview";
const VERSIONS: &[&str] = &["admission.k8s.io/v1", "admission.k8s.io/v1beta1"];

/// What is asked about one object.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    /// Names the question.
    pub(crate) uid: String,
    /// What the object is of.
    pub(crate) resource: Resource,
    /// Part of the object that is written.
    #[serde(default)]
    pub(crate) sub_resource: Option<String>,
    /// Name of the object; missing when the API server is to find one.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// Namespace of the object.
    #[serde(default)]
    pub(crate) namespace: Option<String>,
    /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
    pub(crate) operation: String,
    /// The object as it is to be.
    #[serde(default)]
    pub(crate) object: Value,
    /// The object as it is.
    #[serde(default)]
    pub(crate) old_object: Value,
}

/// Group, version and plural of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Resource {
    #[serde(default)]
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) resource: String,
}

/// A question, and the version that it is asked in.
#[derive(Debug)]
pub(crate) struct Review {
    version: &'static str,
    pub(crate) request: Request,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    api_version: String,
    kind: String,
    request: Option<Request>,
}

impl Review {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words; nothing of its values.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, &'static str> {
        let wire: Wire =
            serde_json::from_slice(body).map_err(|_| "the body is no AdmissionReview in JSON")?;
        if wire.kind != KIND {
            return Err("the body is of another kind than AdmissionReview");
        }
        let version = VERSIONS.iter().find(|version| **version == wire.api_version);
        let version =
            version.ok_or("the AdmissionReview is neither of admission.k8s.io/v1 nor of v1beta1")?;
        let request = wire.request.ok_or("the AdmissionReview has no request")?;
        Ok(Self { version, request })
    }

    /// The body of the answer.
    pub(crate) fn answered(&self, answer: Result<&Admission, &Refusal>) -> Vec<u8> {
        let response = match answer {
            Ok(admission) => admitted(&self.request.uid, admission),
            Err(refusal) => refused(&self.request.uid, refusal),
        };
        let answered = Answered { api_version: self.version, kind: KIND, response };
        // These structs of texts can always be written.
        serde_json::to_vec(&answered).unwrap_or_default()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answered<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: Response<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<[&'static str; 1]>,
}

#[derive(Serialize)]
struct Status {
    status: &'static str,
    code: u16,
    reason: &'static str,
    message: String,
}

fn admitted<'a>(uid: &'a str, admission: &Admission) -> Response<'a> {
    // An operation is a path and a value of JSON, which can always be written.
    let patch = serde_json::to_vec(&admission.patch).unwrap_or_default();
    let patch = (!admission.patch.is_empty()).then(|| STANDARD.encode(patch));
    Response {
        uid,
        allowed: true,
        status: None,
        patch_type: patch.is_some().then_some("JSONPatch"),
        patch,
        warnings: admission.warning.map(|warning| [warning]),
    }
}

fn refused<'a>(uid: &'a str, refusal: &Refusal) -> Response<'a> {
    let status = Status {
        status: "Failure",
        code: refusal.code(),
        reason: refusal.reason(),
        message: refusal.message(),
    };
    Response { uid, allowed: false, status: Some(status), patch_type: None, patch: None, warnings: None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::patch;

    fn body(version: &str) -> Vec<u8> {
        let review = json!({
            "apiVersion": version, "kind": "AdmissionReview",
            "request": {
                "uid": "u-1", "kind": {"group": "", "version": "v1", "kind": "Pod"},
                "resource": {"group": "", "version": "v1", "resource": "pods"},
                "name": "p", "namespace": "shop", "operation": "CREATE", "userInfo": {"username": "u"},
                "object": {"spec": {}}, "oldObject": null, "dryRun": false, "options": {"kind": "CreateOptions"},
            },
        });
        serde_json::to_vec(&review).unwrap()
    }

    fn answered(review: &Review, answer: Result<&Admission, &Refusal>) -> Value {
        serde_json::from_slice(&review.answered(answer)).unwrap()
    }

    #[test]
    fn both_versions_are_answered_in_their_own() {
        for version in VERSIONS {
            let review = Review::parse(&body(version)).unwrap();
            assert_eq!(review.request.namespace.as_deref(), Some("shop"));
            assert_eq!(review.request.old_object, Value::Null);
            let expected = json!({
                "apiVersion": version, "kind": "AdmissionReview", "response": {"uid": "u-1", "allowed": true},
            });
            assert_eq!(answered(&review, Ok(&Admission::unchanged())), expected);
        }
    }

    #[test]
    fn patch_warning_and_status_have_the_form_of_the_api() {
        let review = Review::parse(&body(VERSIONS[0])).unwrap();
        let operation = patch::set(&review.request.object, &["spec", "a"], json!(1)).unwrap();
        let admission = Admission { patch: vec![operation], warning: Some("mind the gap") };
        let response = &answered(&review, Ok(&admission))["response"];
        let patch = STANDARD.decode(response["patch"].as_str().unwrap()).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&patch).unwrap(),
            json!([{"op": "add", "path": "/spec/a", "value": 1}])
        );
        assert_eq!(response["patchType"], "JSONPatch");
        assert_eq!(response["warnings"], json!(["mind the gap"]));

        for (refusal, code, reason) in [
            (Refusal::Forbidden("no".to_owned()), 403, "Forbidden"),
            (Refusal::Malformed("no".to_owned()), 400, "BadRequest"),
            (Refusal::Unavailable("no".to_owned()), 500, "InternalError"),
        ] {
            let status = json!({"status": "Failure", "code": code, "reason": reason, "message": "no"});
            let expected = json!({"uid": "u-1", "allowed": false, "status": status});
            assert_eq!(answered(&review, Err(&refusal))["response"], expected);
        }
    }

    #[test]
    fn anything_else_is_no_review() {
        let good = String::from_utf8(body(VERSIONS[0])).unwrap();
        let without_request = json!({"apiVersion": VERSIONS[0], "kind": "AdmissionReview"}).to_string();
        for bad in [
            String::new(),
            "garbage".to_owned(),
            "[]".to_owned(),
            "{}".to_owned(),
            good.replace("AdmissionReview", "ConversionReview"),
            good.replace("admission.k8s.io/v1", "admission.k8s.io/v2"),
            good.replace("\"uid\":\"u-1\"", "\"uid\":7"),
            good.replace("\"operation\"", "\"other\""),
            good[..good.len() - 1].to_owned(),
            without_request,
            // Deeper than anything that is read.
            format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
            good.replace("{\"spec\":{}}", &format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))),
        ] {
            assert!(Review::parse(bad.as_bytes()).is_err(), "{}", &bad[..bad.len().min(200)]);
        }
    }
}
