//! What the program exits with: promises to scripts.

/// Done: every row is imported or was already, or was skipped or rejected by an earlier run alike.
pub(super) const DONE: u8 = 0;
/// An unexpected failure.
pub(super) const UNEXPECTED: u8 = 1;
/// Wrong usage, configuration or checkpoint; nothing was sent.
pub(super) const USAGE: u8 = 2;
/// Done, but rows were newly rejected or calls are undecided.
pub(super) const INCOMPLETE: u8 = 3;
/// Stopped before the end and resumable.
pub(super) const STOPPED: u8 = 4;
/// Help Scout refused as a whole.
pub(super) const REFUSED: u8 = 5;
