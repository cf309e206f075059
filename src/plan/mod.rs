//! Calls become requests; pure.
