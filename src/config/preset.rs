//! A preset: settings that somebody else wrote, on which the user's own are laid.

use std::{
    fmt::Display,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;

use super::{
    error::{ConfigError, ConfigFault},
    file::{ConfigFile, position},
    key,
    raw::RawSettings,
    value::Value,
    written::Written,
};
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
            Self::parse(name, None, text)
                .unwrap_or_else(|fault| unreachable!("a test reads every preset: {fault}"))
        })
    }

    /// The preset `name`: a file (`mine.toml`, relative to `folder`, or a name whose file with that ending lies there),
    /// else one that callport brings along.
    pub(super) fn find(name: &str, folder: &Path) -> Result<Self, ConfigError> {
        let is_file = Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml"));
        let path: PathBuf = if is_file { folder.join(name) } else { folder.join(format!("{name}.toml")) };
        let is_plain = !name.is_empty() && !name.contains(['/', '\\']);
        if is_file || (is_plain && path.is_file()) {
            let text = fs::read_to_string(&path).map_err(|error| {
                fault(
                    "source.preset",
                    "configuration",
                    format!("`{}` cannot be read: {error}", path.display()),
                )
            })?;
            return Self::parse(name, Some(&path), &text);
        }
        match PRESETS.iter().find(|(known, _)| *known == name) {
            Some((known, text)) => Self::parse(known, None, text),
            None => Err(fault("source.preset", "configuration", unknown(name, folder))),
        }
    }

    /// What feeds each field: columns and templates, of which the first that gives a value counts.
    pub fn feeds(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.raw.iter().filter(|(name, _)| key::feeds_field(name)).filter_map(|(name, raw)| {
            match &raw.value {
                Value::Text(source) => Some((name, vec![source.as_str()])),
                Value::Texts(sources) => Some((name, sources.iter().map(String::as_str).collect())),
                _ => None,
            }
        })
    }

    /// How files of this form are read, with what was `written` laid over it.
    pub fn source(&self, written: &Written) -> SourceSettings {
        super::check::source_of(written.raw.clone().over(&self.raw))
    }

    /// Reads `text`; `own` is the file in which the user has written it.
    fn parse(name: &str, own: Option<&Path>, text: &str) -> Result<Self, ConfigError> {
        let place = own.map_or_else(|| format!("preset `{name}`"), |path| path.display().to_string());
        let shown = if own.is_some() { place.as_str() } else { name };
        let raw = ConfigFile::parse_preset(shown, own.is_some(), text)?;
        let head: WithHead = toml::from_str(text).map_err(|error| {
            let line = position(text, error.span().map_or(0, |span| span.start)).0;
            fault("preset", format!("{place}:{line}"), wrong_head(&error))
        })?;
        Ok(Self { name: name.into(), head: head.preset, raw })
    }
}

fn fault(key: &str, place: impl Display, reason: String) -> ConfigError {
    ConfigError::one(ConfigFault::new(key, place, reason))
}

/// What is wrong with the table in which a preset says what it is.
fn wrong_head(error: &toml::de::Error) -> String {
    let message = error.message().replace('\n', ", ");
    let wanted = "a preset says in it what it is by `title`, `platform`, `source` and `confidence` (`documented`, `seen` or \
                  `guess`)";
    if message == "missing field `preset`" {
        return format!("is not there: {wanted}");
    }
    format!("has a fault: {message}; {wanted}")
}

/// How alike two names are for one to be meant by the other, from 0 to 1.
const ALIKE: f64 = 0.85;

/// A name that no preset has, with the one that is meant most likely.
fn unknown(name: &str, folder: &Path) -> String {
    let names = || PRESETS.iter().map(|(known, _)| *known);
    let of_platform: Vec<&str> =
        names().filter(|known| !name.is_empty() && known.starts_with(&format!("{name}-"))).collect();
    if !of_platform.is_empty() {
        return format!("is `{name}`, of which there are several: {}", of_platform.join(", "));
    }
    let own = own_presets(folder);
    let alike = names().chain(own.iter().map(String::as_str));
    let alike = alike.map(|known| (strsim::jaro_winkler(&name.to_lowercase(), known), known));
    let nearest = alike.filter(|(alike, _)| *alike >= ALIKE).max_by(|a, b| a.0.total_cmp(&b.0));
    let near = nearest.map_or_else(String::new, |(_, known)| format!("; did you mean `{known}`?"));
    let own = if name.contains('/') {
        String::new()
    } else {
        format!("; one of your own is a file `{name}.toml` beside callport.toml")
    };
    format!("is `{name}`, which is no preset{near} (`callport init --list-presets` lists them{own})")
}

/// The names of the presets that lie in `folder`.
fn own_presets(folder: &Path) -> Vec<String> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let files = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    let is_preset = |path: &PathBuf| {
        fs::read_to_string(path).is_ok_and(|text| text.lines().any(|line| line.trim() == "[preset]"))
    };
    files.filter(is_preset).filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const HEAD: &str = "[preset]\ntitle='Our switch'\nplatform='x'\nsource='us'\nconfidence='seen'\n";

    fn put(folder: &Path, name: &str, text: &str) {
        fs::File::create(folder.join(name)).unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// The faults of the preset `mine.toml` with `text` in it, without the folder.
    fn faults(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "mine.toml", text);
        let told = Preset::find("mine", folder.path()).unwrap_err().to_string();
        let folder = format!("{}/", folder.path().display());
        told.lines().map(|line| line.strip_prefix(&folder).unwrap_or(line).to_owned()).collect()
    }

    #[test]
    fn a_fault_of_an_own_preset_has_its_file_and_line_once() {
        assert_eq!(
            faults(&format!("{HEAD}[call]\nids = 'x'\nid = 5\n")),
            [
                "mine.toml:7: `call.ids` is not a known key; the nearest one is `call.id`",
                "mine.toml:8: `call.id` is the number `5`; a column, a template, or a list of these is expected",
            ]
        );
        assert!(faults("[call\n")[0].starts_with("mine.toml:1:6: "), "{:?}", faults("[call\n"));
        assert!(
            faults("[call]\nid='x'\n")[0].starts_with("mine.toml:1: `preset` is not there: a preset says")
        );
        let told = faults("\n[preset]\ntitle = 'x'\nplatform='x'\nsource='us'\nconfidence='sure'\n");
        assert!(told[0].starts_with("mine.toml:6: `preset` has a fault: unknown variant `sure`"), "{told:?}");
    }

    #[test]
    fn what_belongs_to_one_import_is_not_for_a_preset() {
        let told =
            faults(&format!("{HEAD}[source]\npreset='aircall'\nfiles=['a']\n[account]\nshare_tag=true\n"));
        let keys = [("10", "account.share_tag"), ("8", "source.files"), ("7", "source.preset")];
        let reason = "is not for a preset: write it into the configuration that names the preset";
        assert_eq!(told, keys.map(|(line, key)| format!("mine.toml:{line}: `{key}` {reason}")));
    }

    #[test]
    fn a_name_is_suggested_only_where_it_is_alike() {
        let folder = tempfile::tempdir().unwrap();
        let unknown = |name: &str| super::unknown(name, folder.path());
        assert!(unknown("aircal").contains("; did you mean `aircall`?"), "{}", unknown("aircal"));
        assert!(unknown("twilio").ends_with("of which there are several: twilio-api, twilio-csv"));
        for name in ["genesys", "x", "ourswitch"] {
            assert!(!unknown(name).contains("did you mean"), "{}", unknown(name));
        }
        assert!(unknown("genesys").contains("`genesys.toml` beside callport.toml"));
        put(folder.path(), "our-switch.toml", HEAD);
        put(folder.path(), "oursvitch.toml", "[call]\n");
        assert!(unknown("ourswitch").contains("did you mean `our-switch`?"), "{}", unknown("ourswitch"));
    }
}
