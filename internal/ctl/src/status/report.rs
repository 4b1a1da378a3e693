//! Reports for other tools.
//!
//! Their form is part of what liqoctl promises: keys are added, and neither change their meaning nor vanish while
//! `apiVersion` says what it says. README.md lists them.

use serde::Serialize;

use crate::CtlError;
use crate::form::{self, Form};

/// Version of the form of all reports.
const API_VERSION: &str = "liqoctl.liqo.io/v1";
/// What `liqoctl status` reports.
pub(crate) const OVERVIEW: &str = "Status";
/// What `liqoctl status peer` reports.
pub(crate) const PEERS: &str = "PeerStatus";

/// A report with what it is.
#[derive(Serialize)]
struct Report<'a, R> {
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    report: &'a R,
}

/// The report in that form, or as text.
pub(crate) fn in_form(
    kind: &'static str,
    report: &impl Serialize,
    form: Option<Form>,
    text: impl FnOnce() -> String,
) -> Result<String, CtlError> {
    let Some(form) = form else { return Ok(text()) };
    let unwritable = |source: serde_json::Error| CtlError::Yaml { source: Box::new(source) };
    let report = Report { api_version: API_VERSION, kind, report };
    form::printed(serde_json::to_value(report).map_err(unwritable)?, form)
}
