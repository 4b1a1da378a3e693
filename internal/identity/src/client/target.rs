//! The authentication service that is asked.

use http::Uri;

use super::EnrolError;

/// Where an authentication service is, and whether its certificate counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whether the connection is encrypted.
    pub(super) tls: bool,
    /// Name or address, IPv6 without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// What stands before the path, without a slash at the end.
    pub(super) prefix: String,
    /// Whether its certificate is accepted unchecked.
    pub(super) skip_verify: bool,
}

impl Target {
    /// Reads `foreignAuthUrl` of a ForeignCluster; `skip_verify` is its `insecureSkipTLSVerify`.
    ///
    /// # Errors
    ///
    /// [`EnrolError::Url`].
    pub fn parse(url: &str, skip_verify: bool) -> Result<Self, EnrolError> {
        let uri: Uri = url.trim().parse().map_err(|_| EnrolError::Url)?;
        let (tls, default_port) = match uri.scheme_str() {
            Some("https") => (true, 443),
            Some("http") => (false, 80),
            _ => return Err(EnrolError::Url),
        };
        let authority = uri.authority().ok_or(EnrolError::Url)?;
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        // The parser leaves out what is no port, and a user's name.
        let port = authority.port_u16();
        let whole = authority.as_str() == port.map_or(host.to_owned(), |port| format!("{host}:{port}"));
        if bare.is_empty() || !whole || uri.query().is_some() {
            return Err(EnrolError::Url);
        }
        Ok(Self {
            tls,
            host: bare.to_owned(),
            port: port.unwrap_or(default_port),
            prefix: uri.path().trim_end_matches('/').to_owned(),
            skip_verify,
        })
    }

    /// Host and port, as they stand in the head of a request and in errors.
    pub(super) fn authority(&self) -> String {
        let (host, port) = (&self.host, self.port);
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_foreign_clusters_are_read() {
        let target = Target::parse("https://172.18.2.1:32443", true).unwrap();
        let expected = Target {
            tls: true,
            host: "172.18.2.1".to_owned(),
            port: 32443,
            prefix: String::new(),
            skip_verify: true,
        };
        assert_eq!(target, expected);
        let target = Target::parse("https://auth.example.org/liqo/", false).unwrap();
        assert_eq!((target.authority().as_str(), target.prefix.as_str()), ("auth.example.org:443", "/liqo"));
        let target = Target::parse("http://[2001:db8::1]:5000/", false).unwrap();
        assert_eq!((target.tls, target.authority().as_str()), (false, "[2001:db8::1]:5000"));
    }

    #[test]
    fn what_is_no_such_url_is_an_error() {
        for url in [
            "",
            "auth.example.org",
            "ftp://auth.example.org",
            "https://",
            "https://user@auth.example.org",
            "https://auth.example.org/?x=1",
            "https://auth.example.org:70000",
            "https://auth example.org",
        ] {
            assert!(matches!(Target::parse(url, true), Err(EnrolError::Url)), "{url}");
        }
    }
}
