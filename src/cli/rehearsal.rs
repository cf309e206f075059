//! `import --sandbox`: a sandbox inside this process.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::{
    args::Common,
    failure::Failure,
    sandbox::{DEFAULT_RATE, milliseconds},
    setup::Setup,
};
use crate::{
    checkpoint::{Checkpoint, REHEARSAL},
    config::CHECKPOINT_NAME,
    helpscout::ApiUrl,
    sandbox::{FaultScript, Sandbox, SandboxError, SandboxOptions, serve},
};

/// A sandbox that serves until it is ended.
pub(super) struct Rehearsal {
    /// Where it is.
    pub(super) address: ApiUrl,
    /// Holds a temporary checkpoint.
    _folder: Option<tempfile::TempDir>,
    end: oneshot::Sender<()>,
    server: JoinHandle<Result<(), SandboxError>>,
}

/// Starts it, filled from what is known of the account; with the checkpoint of what goes there. With `--checkpoint` its
/// world is kept beside the checkpoint.
pub(super) async fn begin(
    common: &Common,
    rate: Option<u32>,
    setup: &Setup,
) -> Result<(Rehearsal, Checkpoint), Failure> {
    let seed = setup.account.clone().unwrap_or_default();
    let settings = SandboxOptions {
        rate: rate.or(seed.limit()).unwrap_or(DEFAULT_RATE),
        seed,
        faults: FaultScript::default(),
        latency: Duration::ZERO,
        chance_seed: super::remote::chance_seed(),
        sliding_window: false,
    };
    let (folder, checkpoint, sandbox) = match &common.checkpoint {
        Some(checkpoint) => {
            let mut world = checkpoint.as_os_str().to_owned();
            world.push(".sandbox");
            let checkpoint = Checkpoint::open(checkpoint)?;
            // Before a world is made beside the checkpoint of an account.
            checkpoint.check_address(REHEARSAL)?;
            (None, checkpoint, Sandbox::open(settings, &PathBuf::from(world))?)
        }
        None => {
            let folder =
                tempfile::Builder::new().prefix("callport-").tempdir().map_err(Failure::unexpected)?;
            let checkpoint = Checkpoint::open(&folder.path().join(CHECKPOINT_NAME))?;
            (Some(folder), checkpoint, Sandbox::new(settings))
        }
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(Failure::unexpected)?;
    let port = listener.local_addr().map_err(Failure::unexpected)?.port();
    let address = ApiUrl::parse(&format!("http://127.0.0.1:{port}")).map_err(Failure::unexpected)?;
    let (end, ended) = oneshot::channel::<()>();
    let shutdown = async move {
        ended.await.ok();
    };
    let server = tokio::spawn(serve(listener, Arc::new(Mutex::new(sandbox)), milliseconds(), shutdown));
    Ok((Rehearsal { address, _folder: folder, end, server }, checkpoint))
}

impl Rehearsal {
    /// Says where to look, keeps serving until Ctrl-C if that was asked for, and ends.
    pub(super) async fn end(self, common: &Common, view: bool) -> Result<(), Failure> {
        if view {
            if !common.quiet {
                let where_to_look = format!(
                    "the sandbox serves {}/v2/conversations?status=all until Ctrl-C\n",
                    self.address.as_str()
                );
                super::say(&where_to_look);
            }
            tokio::signal::ctrl_c().await.map_err(Failure::unexpected)?;
        }
        self.end.send(()).ok();
        // Connections that idle are not waited for: whatever was answered is kept.
        self.server.abort();
        Ok(())
    }
}
