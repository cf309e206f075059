//! Ctrl-C: once to stop in good order, twice to leave at once.

use tokio_util::sync::CancellationToken;

use super::exit_code;

/// Listens for Ctrl-C (and for the wish to end of a service manager) until the process ends. The first cancels `stop`
/// after telling `first`; the second leaves: whatever is in flight is written down as such, and the next run looks for it.
pub(super) fn listen(stop: CancellationToken, first: impl FnOnce() + Send + 'static) {
    tokio::spawn(async move {
        if !interrupted().await {
            return;
        }
        first();
        stop.cancel();
        if interrupted().await {
            leave();
        }
    });
}

#[expect(clippy::exit, reason = "a second Ctrl-C means now; the checkpoint is true at every moment")]
fn leave() -> ! {
    std::process::exit(i32::from(exit_code::STOPPED))
}

/// `false` where signals cannot be listened for.
#[cfg(unix)]
pub(super) async fn interrupted() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return tokio::signal::ctrl_c().await.is_ok();
    };
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.is_ok(),
        wish = terminate.recv() => wish.is_some(),
    }
}

/// `false` where signals cannot be listened for.
#[cfg(not(unix))]
pub(super) async fn interrupted() -> bool {
    tokio::signal::ctrl_c().await.is_ok()
}
