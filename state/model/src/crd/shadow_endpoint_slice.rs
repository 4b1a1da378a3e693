//! `ShadowEndpointSlice`: endpoints of a consumer's Service that a provider shall know.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::absent;
use super::{Endpoint, EndpointPort};

/// The endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShadowEndpointSliceSpec {
    /// What is written into the EndpointSlice.
    #[serde(default, deserialize_with = "absent::or_default")]
    #[schemars(skip_serializing_if = "absent::is_default")]
    pub template: EndpointSliceTemplate,
}

/// Content of an EndpointSlice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointSliceTemplate {
    /// Endpoints of the Service.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub endpoints: Vec<Endpoint>,
    /// Ports of every endpoint.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub ports: Vec<EndpointPort>,
    /// Type of all addresses: IPv4, IPv6 or FQDN.
    #[serde(default, deserialize_with = "absent::or_default", skip_serializing_if = "absent::is_default")]
    pub address_type: String,
}
