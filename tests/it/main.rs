//! The tests of the whole: one binary, so that it links once.
//!
//! [`architecture`] reads the sources and keeps the house rules. [`simulation`] runs whole imports against the sandbox in
//! one process, under paused time.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by a panic, and shows why")]

mod architecture;
mod simulation;
