//! The configuration file, read and taken apart; every value keeps its line.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use toml::de::{DeTable, DeValue};

use super::{
    error::{ConfigError, ConfigFault},
    key,
    raw::{Place, RawSettings},
    value,
};

/// A configuration file whose TOML is valid. Unknown keys and values of a wrong kind are kept as faults, so that they
/// are told together with those of `--set` and of the options.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    path: PathBuf,
    pub(super) raw: RawSettings,
}

impl ConfigFile {
    /// Reads the file at `path`: the only place of this room that touches the disk, but for the secret's file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let bytes = fs::read(path).map_err(|error| {
            ConfigError::one(ConfigFault::new("", path.display(), format!("cannot be read: {error}")))
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let line = 1 + error.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
            let place = format!("{}:{line}", path.display());
            ConfigError::one(ConfigFault::new("", place, "is not UTF-8: save it in that encoding"))
        })?;
        Self::parse(path, &text)
    }

    /// Takes `text` for the content of the file at `path`.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let name: Arc<str> = path.display().to_string().into();
        let table = table(path, text)?;
        let mut reader =
            Reader { text, place: &|line| Place::File(Arc::clone(&name), line), raw: RawSettings::default() };
        reader.table("", table.get_ref());
        Ok(Self { path: path.to_owned(), raw: reader.raw })
    }

    /// The settings of a preset, without what it says of itself. `name` is its name, or the file of a user's own.
    pub(super) fn parse_preset(name: &str, is_own: bool, text: &str) -> Result<RawSettings, ConfigError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut table = table(Path::new(name), text)?;
        table.get_mut().remove("preset");
        let name: Arc<str> = name.into();
        let place = |line| {
            if is_own { Place::OwnPreset(Arc::clone(&name), line) } else { Place::Preset(Arc::clone(&name)) }
        };
        let mut reader = Reader { text, place: &place, raw: RawSettings::default() };
        reader.table("", table.get_ref());
        let mut raw = reader.raw;
        let is_elsewhere =
            |name: &str| ["source.preset", "source.files"].contains(&name) || name.starts_with("account.");
        let elsewhere = raw.iter().filter(|(name, _)| is_elsewhere(name));
        for (name, place) in
            elsewhere.map(|(name, raw)| (name.to_owned(), raw.place.clone())).collect::<Vec<_>>()
        {
            raw.fault(
                &name,
                place,
                "is not for a preset: write it into the configuration that names the preset",
            );
        }
        if raw.faults.is_empty() { Ok(raw) } else { Err(ConfigError { faults: raw.faults }) }
    }

    /// No more of it than how files are read.
    #[must_use]
    pub fn reading_only(&self) -> Self {
        let mut kept = Self { raw: RawSettings::default(), ..self.clone() };
        for (key, raw) in self.raw.iter().filter(|(key, _)| key::READING.contains(key)) {
            kept.raw.put(key, raw.value.clone(), raw.place.clone());
        }
        kept
    }

    /// The last parts of the keys that it has.
    pub fn keys(&self) -> Vec<&str> {
        self.raw.iter().map(|(key, _)| key::last(key)).collect()
    }

    /// Where it was read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that relative paths within the file start from; empty for the working directory.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or_else(|| Path::new(""))
    }
}

struct Reader<'a> {
    text: &'a str,
    /// Where what stands on a line was written.
    place: &'a dyn Fn(usize) -> Place,
    raw: RawSettings,
}

fn table<'t>(path: &Path, text: &'t str) -> Result<toml::Spanned<DeTable<'t>>, ConfigError> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(table);
    }
    Err(ConfigError { faults: errors.iter().map(|error| syntax_fault(path, text, error)).collect() })
}

impl Reader<'_> {
    /// Puts down every key of `table`, which stands at `prefix`.
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let dotted = if prefix.is_empty() {
                name.get_ref().to_string()
            } else {
                format!("{prefix}.{}", name.get_ref())
            };
            let place = (self.place)(position(self.text, name.span().start).0);
            self.value(&dotted, value.get_ref(), &place);
        }
    }

    fn value(&mut self, dotted: &str, value: &DeValue<'_>, place: &Place) {
        if let Some(key) = key::find(dotted) {
            match value::fit(key.kind, value) {
                Ok(value) => self.raw.put(dotted, value, place.clone()),
                Err(wrong) => self.raw.fault(dotted, place, wrong.to_string()),
            }
            return;
        }
        match value {
            DeValue::Table(inner) if !inner.is_empty() => self.table(dotted, inner),
            DeValue::Table(_) if key::is_section(dotted) => {}
            _ if key::is_section(dotted) => {
                self.raw.fault(dotted, place, format!("is a table: write `[{dotted}]` and its keys below"));
            }
            _ => self.raw.unknown(dotted, place),
        }
    }
}

fn syntax_fault(path: &Path, text: &str, error: &toml::de::Error) -> ConfigFault {
    let (line, column) = position(text, error.span().map_or(0, |span| span.start));
    let message = error.message().replace('\n', ", ");
    ConfigFault::new("", format!("{}:{line}:{column}", path.display()), message)
}

/// Line and column, both from 1, of the byte at `offset`.
pub(super) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.rsplit('\n').next().unwrap_or_default().chars().count();
    (line, column)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> ConfigFile {
        ConfigFile::parse(Path::new("callport.toml"), text).unwrap()
    }

    #[test]
    fn a_fault_of_the_toml_names_line_and_column() {
        let error = ConfigFile::parse(Path::new("dir/callport.toml"), "[source]\nname = \"a\nfiles = 3\n");
        let told = error.unwrap_err().to_string();
        assert!(told.starts_with("dir/callport.toml:2:"), "{told}");
    }

    #[test]
    fn unknown_keys_and_wrong_kinds_are_gathered_with_their_lines() {
        let file = parse(
            "[source]\nnam = 'x'\n\n[call]\nid = 5\n[calls]\nstarted_at = 'x'\n[source.name]\nx = 1\n[limits]\n",
        );
        let told: Vec<String> = file.raw.faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "callport.toml:2: `source.nam` is not a known key; the nearest one is `source.name`",
                "callport.toml:8: `source.name` is a table; a text is expected",
                "callport.toml:5: `call.id` is the number `5`; a column, a template, or a list of these is expected",
                "callport.toml:7: `calls.started_at` is not a known key; the nearest one is `call.started_at`",
            ]
        );
    }

    #[test]
    fn a_section_that_is_no_table_is_named() {
        let told: Vec<String> = parse("limits = 3\n").raw.faults.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["callport.toml:1: `limits` is a table: write `[limits]` and its keys below"]);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none.toml");
        let told = ConfigFile::read(&path).unwrap_err().to_string();
        assert!(told.contains("none.toml: cannot be read"), "{told}");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_fail_otherwise_than_by_faults(text in "[a-z\\[\\]=\\.\"'{}0-9 \n-]{0,80}") {
            if let Err(error) = ConfigFile::parse(Path::new("callport.toml"), &text) {
                prop_assert!(!error.faults.is_empty());
            }
        }
    }
}
