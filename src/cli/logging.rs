//! Where log lines go, and how many.

use tracing_subscriber::EnvFilter;

use super::args::{Common, LogFormat};
use crate::report::LogWriter;

/// Begins to log to standard error. Logs carry row numbers and keys, never contents.
pub(super) fn begin(common: &Common, writer: LogWriter) {
    let level = match (common.quiet, common.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "callport=info,warn",
        (false, _) => "callport=debug,info",
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level))
        .with_writer(writer)
        .with_ansi(false)
        .with_target(false);
    let begun = match common.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    // A program that embeds this one may have begun to log before.
    begun.ok();
}
