//! `ResourceQuotaSpec` of Kubernetes, of which an offer uses the amounts alone.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Quantity;
use super::absent;

/// Amounts of resources. Scopes are accepted as Kubernetes defines them, and mean nothing here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceQuotaSpec {
    /// Amount of each resource.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub hard: BTreeMap<String, Quantity>,
    /// Not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_selector: Option<ScopeSelector>,
    /// Not used.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub scopes: Vec<String>,
}

/// Which objects a quota is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct ScopeSelector {
    /// Requirements that all have to be met.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub match_expressions: Vec<ScopedResourceSelectorRequirement>,
}

/// A requirement on the scope of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScopedResourceSelectorRequirement {
    /// Relation of the scope to the values.
    pub operator: String,
    /// Scope that the requirement is about.
    pub scope_name: String,
    /// Values of the relation.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub values: Vec<String>,
}
