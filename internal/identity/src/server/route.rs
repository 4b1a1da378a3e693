//! Which answer a method and a path lead to. Liqo 0.8.3 has the same router rules: they are part of the protocol, since a
//! URL with a slash too many is answered with the way to the right one.

use hyper::Method;

use crate::wire::{CERTIFICATE_PATH, IDS_PATH};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Who this cluster is.
    Ids,
    /// A certificate.
    Certificate,
    /// Another path was meant.
    Moved { to: &'static str, keep_method: bool },
    /// Which methods there are.
    Options { allow: &'static str },
    /// There is no such method.
    NoMethod { allow: &'static str },
    /// There is no such path.
    NoPath,
}

/// The route of a request.
pub(crate) fn route(method: &Method, path: &str) -> Route {
    let Some((known, right, allow)) = resource(path) else { return moved(method, path) };
    match *method {
        Method::OPTIONS => Route::Options { allow },
        ref method if *method == right => known,
        _ => Route::NoMethod { allow },
    }
}

fn resource(path: &str) -> Option<(Route, Method, &'static str)> {
    match path {
        IDS_PATH => Some((Route::Ids, Method::GET, "GET, OPTIONS")),
        CERTIFICATE_PATH => Some((Route::Certificate, Method::POST, "OPTIONS, POST")),
        _ => None,
    }
}

/// A path with slashes too many leads to the right one, for the method that it has.
fn moved(method: &Method, path: &str) -> Route {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let to = [IDS_PATH, CERTIFICATE_PATH]
        .into_iter()
        .find(|known| parts.clone().eq(known.split('/').filter(|part| !part.is_empty())));
    let right = to.and_then(resource).is_some_and(|(_, right, _)| right == *method);
    // A path of nothing but slashes has no parts, and equals no known one.
    match (to, parts.next(), right) {
        (Some(to), Some(_), true) => Route::Moved { to, keep_method: *method != Method::GET },
        _ => Route::NoPath,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_and_paths_lead_to_their_routes() {
        let ids = "GET, OPTIONS";
        let certificate = "OPTIONS, POST";
        let cases = [
            (Method::GET, "/ids", Route::Ids),
            (Method::POST, "/identity/certificate", Route::Certificate),
            (Method::HEAD, "/ids", Route::NoMethod { allow: ids }),
            (Method::DELETE, "/identity/certificate", Route::NoMethod { allow: certificate }),
            (Method::OPTIONS, "/ids", Route::Options { allow: ids }),
            (Method::OPTIONS, "/", Route::NoPath),
            (Method::GET, "/ids/", Route::Moved { to: "/ids", keep_method: false }),
            (Method::GET, "//ids", Route::Moved { to: "/ids", keep_method: false }),
            (
                Method::POST,
                "//identity/certificate",
                Route::Moved { to: "/identity/certificate", keep_method: true },
            ),
            (Method::POST, "/ids/", Route::NoPath),
            (Method::GET, "/", Route::NoPath),
            (Method::GET, "", Route::NoPath),
            (Method::GET, "//", Route::NoPath),
            (Method::GET, "/identity", Route::NoPath),
            (Method::GET, "*", Route::NoPath),
        ];
        for (method, path, expected) in cases {
            assert_eq!(route(&method, path), expected, "{method} {path}");
        }
    }
}
