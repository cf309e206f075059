//! Ctrl-C: once to stop in good order, twice to leave at once. And the signal that a file has reached its largest size,
//! which must not end the program amid a write.

use tokio_util::sync::CancellationToken;

use super::exit_code;

/// Listens for Ctrl-C (and for the wish to end of a service manager) until the process ends. The first cancels `stop`
/// after telling `first`; the second leaves: whatever is in flight is written down as such, and the next run looks for it.
/// From here on a file that may not grow any more ends no command that writes.
pub(super) fn listen(stop: CancellationToken, first: impl FnOnce() + Send + 'static) {
    outlive_largest_file();
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

/// `SIGXFSZ`, by its number on every system but those for MIPS, where 25 tells a stopped process to go on.
#[cfg(unix)]
const FILE_SIZE_EXCEEDED: i32 = 25;

/// A write beyond the limit on the size of files (`ulimit -f`) fails from now on, as one to a full disk does, and is told
/// as such. Left alone, the signal that comes with it kills the process without a word. That it is listened for once is
/// enough: nobody has to hear it.
#[cfg(unix)]
pub(super) fn outlive_largest_file() {
    use tokio::signal::unix::{SignalKind, signal};
    // Where it cannot be listened for, everything is as it was.
    drop(signal(SignalKind::from_raw(FILE_SIZE_EXCEEDED)));
}

/// Elsewhere there is no such signal.
#[cfg(not(unix))]
pub(super) fn outlive_largest_file() {}

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
