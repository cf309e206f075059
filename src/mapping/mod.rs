//! A row becomes a call or a rejection; pure.

mod settings;

pub use settings::{HiddenCaller, InboxSettings, MappingSettings, UnknownCaller};
