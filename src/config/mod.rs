//! `callport.toml`, flags and environment become checked settings.
//!
//! Two stages. What was written is gathered first, each value with its place (a line of the file, a `--set`, an option),
//! then everything is checked at once, so that a person mends a configuration in one go. Nothing here touches the
//! outside but [`ConfigFile::read`] and the environment's one function, which `cli` gives.

mod agents;
mod check;
mod conversation;
mod credentials;
mod draft;
mod draft_preset;
mod draft_text;
mod error;
mod file;
mod forms;
mod key;
mod named_file;
mod overrides;
mod paths;
mod preset;
mod raw;
mod reading;
mod recipe;
mod since;
mod value;
mod written;

pub use check::Settings;
pub use credentials::{Environment, RawCredentials};
pub use draft::Draft;
pub use error::{ConfigError, ConfigFault};
pub use file::ConfigFile;
pub use key::{KEYS, Key, Kind};
pub use named_file::NamedFile;
pub use overrides::Overrides;
pub use paths::{CHECKPOINT_NAME, CONFIG_NAME, Paths};
pub use preset::Preset;
pub use recipe::MappingRecipe;
pub use written::Written;
