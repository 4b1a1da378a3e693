//! Go's flags of logging, which the virtual kubelet of Liqo 0.8.3 has behind the prefix `klog.`.

use clap::{ArgAction, Args};

/// From this verbosity on, debug lines are logged.
const DEBUG: u8 = 4;
/// From this verbosity on, everything is.
const TRACE: u8 = 6;

/// What is logged, and where to.
#[derive(Debug, Args)]
pub(crate) struct Klog {
    /// Verbosity: from 4 on debug lines are logged, from 6 on everything.
    #[arg(long = "klog.v", value_name = "LEVEL", default_value_t = 0)]
    v: u8,
    /// Verbosity of single files: without effect, `--log-filter` does it by module.
    #[arg(long = "klog.vmodule", value_name = "PATTERNS", default_value = "")]
    vmodule: String,
    /// Without effect: logs go to standard error.
    #[arg(long = "klog.logtostderr", default_value_t = true, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    logtostderr: bool,
    /// Without effect: logs go to standard error.
    #[arg(long = "klog.alsologtostderr", default_value_t = false, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    alsologtostderr: bool,
    /// Without effect: logs go to standard error.
    #[arg(long = "klog.stderrthreshold", value_name = "SEVERITY", default_value = "2")]
    stderrthreshold: String,
    /// Without effect: logs go to standard error.
    #[arg(long = "klog.log_dir", value_name = "DIR", default_value = "")]
    directory: String,
    /// Without effect: logs go to standard error.
    #[arg(long = "klog.log_file", value_name = "FILE", default_value = "")]
    file: String,
    /// Without effect: logs go to standard error.
    #[arg(long = "klog.log_file_max_size", value_name = "MEGABYTES", default_value_t = 1800)]
    file_max_size: u64,
    /// Without effect: logs go to standard error.
    #[arg(long = "klog.one_output", default_value_t = false, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    one_output: bool,
    /// Without effect.
    #[arg(long = "klog.log_backtrace_at", value_name = "FILE:LINE", default_value = ":0")]
    log_backtrace_at: String,
    /// Without effect.
    #[arg(long = "klog.add_dir_header", default_value_t = false, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    add_dir_header: bool,
    /// Without effect.
    #[arg(long = "klog.skip_headers", default_value_t = false, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    skip_headers: bool,
    /// Without effect.
    #[arg(long = "klog.skip_log_headers", default_value_t = false, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    skip_log_headers: bool,
}

impl Klog {
    /// What is to be logged beside the usual.
    pub(crate) fn filter(&self) -> Option<&'static str> {
        match self.v {
            0..DEBUG => None,
            DEBUG..TRACE => Some("debug,kube_client::client::builder=off,sled=off"),
            TRACE.. => Some("trace,kube_client::client::builder=off,sled=off"),
        }
    }

    /// Those that were given and change nothing, each with the reason.
    pub(crate) fn without_effect(&self) -> Vec<String> {
        let elsewhere = "logs go to standard error, one line a record";
        let flags = [
            ("vmodule", !self.vmodule.is_empty(), "use --log-filter, which names modules"),
            ("logtostderr", !self.logtostderr, elsewhere),
            ("alsologtostderr", self.alsologtostderr, elsewhere),
            ("stderrthreshold", self.stderrthreshold != "2", elsewhere),
            ("log_dir", !self.directory.is_empty(), elsewhere),
            ("log_file", !self.file.is_empty(), elsewhere),
            ("log_file_max_size", self.file_max_size != 1800, elsewhere),
            ("one_output", self.one_output, elsewhere),
            ("log_backtrace_at", self.log_backtrace_at != ":0", elsewhere),
            ("add_dir_header", self.add_dir_header, elsewhere),
            ("skip_headers", self.skip_headers, elsewhere),
            ("skip_log_headers", self.skip_log_headers, elsewhere),
        ];
        let given = flags.into_iter().filter(|(_, given, _)| *given);
        given.map(|(name, _, reason)| format!("--klog.{name}: {reason}")).collect()
    }
}
