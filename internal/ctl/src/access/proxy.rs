//! Proxies on the way to the API server: there is none for servers that are reached directly, and others are refused clearly.

use std::net::IpAddr;

use kube::Config;

use crate::CtlError;
use crate::debug::plain;

/// Takes a proxy away that the API server is not reached through, and refuses one that it is. A proxy is named by the
/// kubeconfig or by `HTTPS_PROXY`, which is often set for everything else.
pub(super) fn settled(config: &mut Config) -> Result<(), CtlError> {
    if config.proxy_url.is_none() {
        return Ok(());
    }
    let host = config.cluster_url.host().unwrap_or_default().to_owned();
    let direct = ["NO_PROXY", "no_proxy"].into_iter().find_map(std::env::var_os).unwrap_or_default();
    if is_direct(&host, &direct.to_string_lossy()) {
        config.proxy_url = None;
        return Ok(());
    }
    let host = plain(&host);
    Err(CtlError::Argument(format!(
        "a proxy is named for the API server {host}, by proxy-url of the kubeconfig or the environment variable HTTPS_PROXY, \
         and liqoctl uses none: run it where {host} is reached directly, and name {host} in NO_PROXY"
    )))
}

/// Whether a host is reached directly: this machine always is, others are listed by name, by the domain that they are in, by
/// address or by network.
fn is_direct(host: &str, listed: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address: Option<IpAddr> = bare.parse().ok();
    if bare == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    listed.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| match address {
        _ if entry == "*" => true,
        Some(address) => is_in(address, entry),
        None => is_below(bare, entry),
    })
}

/// Whether a name is this one, or one of the domain.
fn is_below(name: &str, domain: &str) -> bool {
    let domain = domain.trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase();
    let name = name.to_ascii_lowercase();
    name == domain || name.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
}

/// Whether an address is this one, or one of the network.
fn is_in(address: IpAddr, network: &str) -> bool {
    let (base, length) = network.split_once('/').unwrap_or((network, ""));
    let Ok(base) = base.parse::<IpAddr>() else { return false };
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let ((one, all), (other, _)) = (bits(address), bits(base));
    let length: u32 = if length.is_empty() { all } else { length.parse().unwrap_or(u32::MAX) };
    let differs = (one ^ other).leading_zeros() < length;
    address.is_ipv4() == base.is_ipv4() && length <= all && !differs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_reached_directly() {
        let list = "example.org, .internal,10.0.0.0/8,2001:db8::/32,192.0.2.7";
        for host in [
            "localhost",
            "127.0.0.1",
            "[::1]",
            "example.org",
            "api.EXAMPLE.org",
            "a.internal",
            "10.255.0.1",
            "192.0.2.7",
            "[2001:db8::1]",
        ] {
            assert!(is_direct(host, list), "{host}");
        }
        for host in ["other.org", "notexample.org", "11.0.0.1", "192.0.2.8", "[2001:db9::1]", ""] {
            assert!(!is_direct(host, list), "{host}");
        }
        assert!(is_direct("other.org", "*") && !is_direct("10.0.0.1", "10.0.0.0/x"));
    }

    #[test]
    fn a_proxy_that_is_needed_is_refused_without_its_password() {
        let proxied = |server: &str| {
            let mut config = Config::new(server.parse().unwrap());
            config.proxy_url = Some("http://user:canary@proxy.example.org:3128".parse().unwrap());
            let settled = settled(&mut config);
            (config.proxy_url.is_some(), settled.err().map(|error| error.to_string()))
        };
        assert_eq!(proxied("https://127.0.0.1:6443"), (false, None));
        let (_, error) = proxied("https://api.invalid:6443");
        let error = error.unwrap();
        assert!(error.starts_with("a proxy is named for the API server api.invalid, by"), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }
}
