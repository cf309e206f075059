//! A local Help Scout, written from the documents alone.
//!
//! It shares no type with the client, so that one mistaken belief about the service cannot be wrong on both sides and
//! pass. [`World`] is what the service holds; [`Sandbox::handle`] is a function from a request and a time to what becomes
//! of it; [`serve`] puts it behind a socket. It rejects whatever the real service would, and plays the misfortunes of a
//! [`FaultScript`].

mod answers;
mod conversation;
mod customer;
mod error;
mod exchange;
mod fault_script;
mod faults;
mod intake;
mod journal;
mod json;
mod limiter;
mod person;
mod query;
mod reading;
mod route;
mod rules;
#[cfg(test)]
mod scenes;
mod search;
mod seed;
mod server;
mod service;
mod tally;
mod tokens;
mod views;
mod world;
mod writing;

pub use conversation::{
    Attachment, Conversation, ConversationKind, Filler, Merge, Status, Thread, ThreadKind,
};
pub use customer::{Customer, Inbox, User};
pub use error::SandboxError;
pub use exchange::{Handling, Outcome, SandboxRequest, SandboxResponse};
pub use fault_script::FaultScript;
pub use person::PersonAct;
pub use route::{Method, RequestKind};
pub use seed::{Seed, SeedAccount};
pub use server::serve;
pub use service::{Sandbox, SandboxOptions};
pub use tally::{AcceptedThread, Tally};
pub use world::World;
