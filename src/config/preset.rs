//! A preset: settings that somebody else wrote, on which the user's own are laid.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;

use super::{error::ConfigFault, file::ConfigFile, raw::RawSettings, written::Written};
use crate::{
    mapping::{PRESETS, PresetHead},
    source::SourceSettings,
};

/// The settings of a previous platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// By which it is asked for.
    pub name: Arc<str>,
    /// What it says of itself.
    pub head: PresetHead,
    pub(super) raw: RawSettings,
}

/// The one table that a configuration does not have.
#[derive(Deserialize)]
struct WithHead {
    preset: PresetHead,
}

impl Preset {
    /// Every preset that callport brings along, in the order of their names.
    pub fn all() -> impl Iterator<Item = Self> {
        PRESETS.iter().map(|(name, text)| {
            Self::parse(name, text).unwrap_or_else(|fault| unreachable!("a test reads every preset: {fault}"))
        })
    }

    /// The preset `name`: a file (`mine.toml`, relative to `folder`, or a name whose file with that ending lies there),
    /// else one that callport brings along.
    pub(super) fn find(name: &str, folder: &Path) -> Result<Self, ConfigFault> {
        let fault = |reason: String| ConfigFault::new("source.preset", "configuration", reason);
        let is_file = Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml"));
        let path: PathBuf = if is_file { folder.join(name) } else { folder.join(format!("{name}.toml")) };
        let is_plain = !name.is_empty() && !name.contains(['/', '\\']);
        if is_file || (is_plain && path.is_file()) {
            let text = fs::read_to_string(&path)
                .map_err(|error| fault(format!("`{}` cannot be read: {error}", path.display())))?;
            return Self::parse(name, &text);
        }
        match PRESETS.iter().find(|(known, _)| *known == name) {
            Some((known, text)) => Self::parse(known, text),
            None => Err(fault(unknown(name))),
        }
    }

    /// How files of this form are read, with what was `written` laid over it.
    pub fn source(&self, written: &Written) -> SourceSettings {
        super::check::source_of(written.raw.clone().over(&self.raw))
    }

    fn parse(name: &str, text: &str) -> Result<Self, ConfigFault> {
        let fault = |reason: String| ConfigFault::new("", format!("preset `{name}`"), reason);
        let head: WithHead =
            toml::from_str(text).map_err(|error| fault(error.message().replace('\n', ", ")))?;
        let raw = ConfigFile::parse_preset(name, text).map_err(|error| fault(error.to_string()))?;
        Ok(Self { name: name.into(), head: head.preset, raw })
    }
}

/// A name that no preset has, with those that are meant most likely.
fn unknown(name: &str) -> String {
    let names = || PRESETS.iter().map(|(known, _)| *known);
    let of_platform: Vec<&str> =
        names().filter(|known| !name.is_empty() && known.starts_with(&format!("{name}-"))).collect();
    if !of_platform.is_empty() {
        return format!("is `{name}`, of which there are several: {}", of_platform.join(", "));
    }
    let near = names().max_by(|a, b| strsim::jaro_winkler(name, a).total_cmp(&strsim::jaro_winkler(name, b)));
    format!(
        "is `{name}`, which is no preset; the nearest one is `{}` (`callport init --list-presets` lists them)",
        near.unwrap_or_default()
    )
}
