//! The tests of the whole: one binary, so that it links once.
//!
//! [`architecture`] reads the sources and keeps the house rules. The others run the built program on a real socket, in
//! real time and with small numbers.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on ends; its files are its own"
)]

mod architecture;
mod call_log;
mod desk;
mod documents;
mod door;
mod inputs;
mod once;
mod privacy;
mod readme;
mod refusals;
mod rejected;
mod served;
mod stopping;
