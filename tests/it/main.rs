//! The tests of the whole: one binary, so that it links once.
//!
//! [`architecture`] reads the sources and keeps the house rules. [`simulation`] runs whole imports against the sandbox in
//! one process, under paused time. The others run the built program on a real socket, in real time and with small
//! numbers.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test that cannot go on ends, and shows why; its files are its own"
)]

mod account_history;
mod agents;
mod architecture;
mod call_log;
mod comparison;
mod customers;
mod desk;
mod documents;
mod door;
mod fault_table;
mod faults;
mod forget;
mod forms;
mod init;
mod inputs;
mod legs;
mod once;
mod people;
mod prediction;
mod presets;
mod privacy;
mod properties;
mod pull;
mod readme;
mod refusals;
mod rejected;
mod scale;
mod served;
mod simulation;
mod stopping;
mod who_and_where;
