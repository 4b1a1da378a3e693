//! Services: how they are reached, and what of them is copied.

use liqo_events::{Facts, ServiceFacts, ServicePort};

use super::fields::{Fields, Read};
use super::{Reader, reflection};

pub(super) fn facts(object: &Reader<'_>) -> Read<Facts> {
    let mut ingress = Vec::new();
    for point in object.items("status.loadBalancer.ingress")? {
        let found = [point.text("hostname")?, point.text("ip")?];
        ingress.extend(found.into_iter().find(|text| !text.is_empty()).map(str::to_owned));
    }
    let mut annotations = object.map_of_texts("metadata.annotations")?;
    annotations.retain(|key, _| key.starts_with("liqo.io/") || key.starts_with("net.liqo.io/"));
    Ok(Facts::Service(ServiceFacts {
        kind: object.named("spec.type")?,
        cluster_ip: object.named("spec.clusterIP")?,
        ports: object.items("spec.ports")?.iter().map(port).collect::<Read<_>>()?,
        ingress,
        annotations,
        reflection: reflection::read(object)?,
    }))
}

fn port(port: &Fields<'_>) -> Read<ServicePort> {
    let number = |key: &str| u16::try_from(port.number(key)?).map_err(|_| port.refuse(key, "is no port"));
    Ok(ServicePort {
        name: port.named("name")?,
        protocol: port.named("protocol")?,
        port: number("port")?,
        node_port: number("nodePort")?,
    })
}
