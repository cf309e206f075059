//! `callport sandbox`: a local Help Scout on 127.0.0.1.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{net::TcpListener, time::Instant};

use super::{
    args::{Common, SandboxOptions as Options},
    exit_code,
    failure::Failure,
    setup,
};
use crate::{
    report::LogWriter,
    sandbox::{FaultScript, Sandbox, SandboxOptions, serve},
};

/// Units a minute where nothing else is said.
pub(super) const DEFAULT_RATE: u32 = 400;

/// Runs the command, until it is interrupted.
pub(super) fn run(common: &Common, options: &Options) -> Result<u8, Failure> {
    super::logging::begin(common, LogWriter::default());
    let sandbox = open(options)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::unexpected)?
        .block_on(work(options.port, sandbox))
}

fn open(options: &Options) -> Result<Sandbox, Failure> {
    let seed = options.seed.as_deref().map(setup::seed).transpose()?.unwrap_or_default();
    let faults = match &options.faults {
        Some(path) => FaultScript::parse(&setup::text(path)?)?,
        None => FaultScript::default(),
    };
    let settings = SandboxOptions {
        rate: options.rate.or(seed.limit()).unwrap_or(DEFAULT_RATE),
        seed,
        faults,
        latency: Duration::from_millis(options.latency),
        chance_seed: super::remote::chance_seed(),
        sliding_window: false,
    };
    Ok(match &options.data {
        Some(path) => Sandbox::open(settings, path)?,
        None => Sandbox::new(settings),
    })
}

async fn work(port: u16, sandbox: Sandbox) -> Result<u8, Failure> {
    super::signals::outlive_largest_file();
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| Failure::usage(format!("port {port} of 127.0.0.1 cannot be served: {error}")))?;
    let port = listener.local_addr().map_err(Failure::unexpected)?.port();
    super::print(&format!("http://127.0.0.1:{port}\n"))?;
    let shutdown = async {
        super::signals::interrupted().await;
    };
    let serving = serve(listener, Arc::new(Mutex::new(sandbox)), milliseconds(), std::future::pending());
    tokio::select! {
        ended = serving => ended?,
        () = shutdown => {}
    }
    Ok(exit_code::DONE)
}

/// A clock that shows milliseconds since 1970 and never goes back.
pub(super) fn milliseconds() -> impl Fn() -> i64 + Clone + Send + Sync + 'static {
    let (began, origin) = (setup::since_1970(), Instant::now());
    move || i64::try_from((began + origin.elapsed()).as_millis()).unwrap_or(i64::MAX)
}
