//! callport carries the phone-call history of a previous platform into Help Scout: every call once, under the right
//! customer, at its original time, within the account's rate limit, with proof.
//!
//! The rooms, from the ground up; a room uses only the rows below its own (a test reads every `use crate::`):
//!
//! | row | rooms |
//! | --- | --- |
//! | the program | [`cli`] |
//! | settings | [`config`] |
//! | what people see | [`report`], [`sandbox`] |
//! | the verbs | [`import`] |
//! | the outside | [`source`], [`helpscout`], [`checkpoint`] |
//! | decisions, pure | [`mapping`], [`plan`], [`policy`] |
//! | nouns, pure | [`call`] |

pub mod call;
pub mod checkpoint;
pub mod cli;
pub mod config;
pub mod helpscout;
pub mod import;
pub mod mapping;
pub mod plan;
pub mod policy;
pub mod report;
pub mod sandbox;
pub mod source;
