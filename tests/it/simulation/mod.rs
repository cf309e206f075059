//! The whole import against the sandbox's router, in one process, under paused time.
//!
//! No socket and no waiting: [`in_process`] carries requests to the sandbox with a latency that is only virtual, and may
//! lose them, hold them up or end the program between any two of them; [`commits`] does the same at the checkpoint's
//! commits. A [`trial`] is one world, one checkpoint and as many lives of the program as it takes, each with its [`fate`];
//! [`workload`] is what it imports. After every life the [`invariants`] are set against the sandbox's own record: nothing
//! lost, nothing twice, order and cap kept, the sheet closed.
//!
//! [`shapes`], [`costs`], [`choices`], [`answers`], [`moves`], [`refusals`] and [`endings`] are fixed stories with a statement each; [`seeds`]
//! draws stories by chance and prints the command that repeats a failing one.

mod answers;
mod choices;
mod commits;
mod costs;
mod customers;
mod endings;
mod fate;
mod hour;
mod in_process;
mod invariants;
mod job;
mod losses;
mod moves;
mod pace;
mod proofs;
mod recorder;
mod refusals;
mod seeds;
mod shapes;
mod trial;
mod unlikely;
mod workload;
