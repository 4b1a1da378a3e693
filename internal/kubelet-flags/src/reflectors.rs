//! Workers of the reflection: 0 turns a kind off. Any other number is as good as one, since copies of all kinds share the
//! places for requests that each API server has.

use clap::Args;
use liqo_model::Kind;

/// Workers of each kind.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Reflectors {
    /// 0 runs no pods in the provider.
    #[arg(long, default_value_t = 10)]
    pod_reflection_workers: u32,
    /// 0 reflects no Services.
    #[arg(long, default_value_t = 3)]
    service_reflection_workers: u32,
    /// 0 reflects no EndpointSlices.
    #[arg(long, default_value_t = 10)]
    endpointslice_reflection_workers: u32,
    /// Ingresses are not reflected yet.
    #[arg(long, default_value_t = 3)]
    ingress_reflection_workers: u32,
    /// 0 reflects no ConfigMaps.
    #[arg(long, default_value_t = 3)]
    configmap_reflection_workers: u32,
    /// 0 reflects no Secrets.
    #[arg(long, default_value_t = 3)]
    secret_reflection_workers: u32,
    /// Tokens of service accounts are not reflected yet.
    #[arg(long, default_value_t = 3)]
    service_account_reflection_workers: u32,
    /// Claims are not reflected yet.
    #[arg(long, default_value_t = 3)]
    persistentvolumeclaim_reflection_workers: u32,
}

impl Reflectors {
    /// The kinds that are turned off.
    pub(crate) fn off(self) -> Vec<Kind> {
        let workers = [
            (Kind::Pod, self.pod_reflection_workers),
            (Kind::Service, self.service_reflection_workers),
            (Kind::EndpointSlice, self.endpointslice_reflection_workers),
            (Kind::Ingress, self.ingress_reflection_workers),
            (Kind::ConfigMap, self.configmap_reflection_workers),
            (Kind::Secret, self.secret_reflection_workers),
        ];
        workers.into_iter().filter(|(_, workers)| *workers == 0).map(|(kind, _)| kind).collect()
    }
}
