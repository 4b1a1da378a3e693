//! The protocols between processes, generated from the `.proto` files beside this crate; their comments are the reference.
//!
//! Only the adapters that speak a protocol name these types; everything else works with its own.

/// `liqo.projection.v1`: the stream of views to agents.
#[allow(missing_docs, clippy::all, reason = "generated; the documentation is in the .proto file")]
pub mod projection {
    tonic::include_proto!("liqo.projection.v1");
}

/// `liqo.debug.v1`: a look into the event log of one process.
#[allow(missing_docs, clippy::all, reason = "generated; the documentation is in the .proto file")]
pub mod debug {
    tonic::include_proto!("liqo.debug.v1");
}

/// External resource monitors: programs of users that say how much each consumer may have. Names, and that there is no
/// package, are those of Liqo 0.8.3.
#[allow(missing_docs, clippy::all, reason = "generated; the documentation is in the .proto file")]
pub mod resource_monitor {
    tonic::include_proto!("_");

    /// Where generated code looks for `k8s.io.apimachinery.pkg.api.resource`.
    pub mod k8s {
        pub mod io {
            pub mod apimachinery {
                pub mod pkg {
                    pub mod api {
                        pub mod resource {
                            tonic::include_proto!("k8s.io.apimachinery.pkg.api.resource");
                        }
                    }
                }
            }
        }
    }

    pub use k8s::io::apimachinery::pkg::api::resource::Quantity;
}

/// Descriptors of both packages, encoded, with their comments: what server reflection answers from.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

#[cfg(test)]
mod tests {
    #[test]
    fn every_message_field_and_call_is_documented() {
        let undocumented: Vec<String> = documented_or_not()
            .into_iter()
            .filter(|(_, text)| text.is_empty())
            .map(|(line, _)| line)
            .collect();
        assert_eq!(undocumented, Vec::<String>::new());
    }

    /// Lines of the files that declare something, each with the comment above it.
    fn documented_or_not() -> Vec<(String, String)> {
        let files = [
            include_str!("../liqo/debug/v1/debug.proto"),
            include_str!("../liqo/projection/v1/projection.proto"),
            include_str!("../resource_monitor/resource_reader.proto"),
            include_str!("../resource_monitor/resource.proto"),
        ];
        let mut found = Vec::new();
        for text in files {
            let mut above = String::new();
            for line in text.lines().map(str::trim) {
                if let Some(comment) = line.strip_prefix("//") {
                    above.push_str(comment);
                    continue;
                }
                let declares = line.ends_with('{')
                    || (line.contains(" = ") && !line.starts_with("syntax"))
                    || line.starts_with("rpc ");
                if declares || line.ends_with("{}") {
                    found.push((line.to_owned(), above.clone()));
                }
                above.clear();
            }
        }
        assert!(found.len() > 50, "the files were not read as expected: {found:?}");
        found
    }
}
