//! Flags whose effect is not built yet: they may be given as they are by default, and are refused otherwise.

use clap::{ArgAction, Args};

/// What pods need of the home API server, storage, and a profiler.
#[derive(Debug, Args)]
pub(crate) struct Later {
    /// Whether pods in the provider reach the home API server; not built yet.
    #[arg(long, default_value_t = false, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    enable_apiserver_support: bool,
    /// Host of the home API server as such pods reach it; not built yet.
    #[arg(long, default_value = "")]
    home_api_server_host: String,
    /// Port of the home API server as such pods reach it; not built yet.
    #[arg(long, default_value = "")]
    home_api_server_port: String,
    /// Whether claims are reflected; not built yet.
    #[arg(long, default_value_t = false, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    enable_storage: bool,
    /// Storage class of claims that are reflected, which are not built yet.
    #[arg(long, default_value = "liqo")]
    virtual_storage_class_name: String,
    /// What that storage class is in the provider; claims are not built yet.
    #[arg(long, default_value = "")]
    remote_real_storage_class_name: String,
    /// Whether a profiler listens; not built yet.
    #[arg(long, default_value_t = false, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    enable_profiling: bool,
}

impl Later {
    /// The flag that asks for something that is not built yet.
    pub(crate) fn problem(&self) -> Option<String> {
        let asked = [
            ("enable-apiserver-support", self.enable_apiserver_support),
            ("home-api-server-host", !self.home_api_server_host.is_empty()),
            ("home-api-server-port", !self.home_api_server_port.is_empty()),
            ("enable-storage", self.enable_storage),
            ("virtual-storage-class-name", self.virtual_storage_class_name != "liqo"),
            ("remote-real-storage-class-name", !self.remote_real_storage_class_name.is_empty()),
            ("enable-profiling", self.enable_profiling),
        ];
        let (name, _) = asked.into_iter().find(|(_, is_asked)| *is_asked)?;
        Some(format!("--{name} asks for something that is not built yet; leave it out"))
    }
}
