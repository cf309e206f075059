//! What was written for one run: the file, with each `--set` and the options laid over it, before a preset lies below.

use std::path::PathBuf;

use super::{
    check,
    file::ConfigFile,
    key,
    overrides::Overrides,
    raw::{Place, RawSettings},
    value::Value,
};
use crate::source::SourceSettings;

/// Settings as they were written; what is wrong with them is told by [`super::Settings::check`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Written {
    pub(super) raw: RawSettings,
    /// Whether the file says what feeds a field.
    pub(super) file_maps: bool,
    /// What relative paths start from.
    pub(super) folder: PathBuf,
}

/// A setting that was said.
pub(super) struct Told<'w> {
    pub(super) key: &'w str,
    pub(super) value: &'w Value,
    /// Whether the file says it, and not the command line.
    pub(super) by_file: bool,
}

impl Written {
    /// `file` with `overrides` laid over it.
    pub fn new(file: Option<&ConfigFile>, overrides: &Overrides) -> Self {
        let mut raw = file.map_or_else(RawSettings::default, |file| file.raw.clone());
        let file_maps = raw.iter().any(|(name, _)| key::feeds_field(name));
        overrides.lay_over(&mut raw);
        Self { raw, file_maps, folder: file.map_or_else(PathBuf::new, |file| file.folder().to_owned()) }
    }

    /// How files are read where no preset says more.
    pub fn source(&self) -> SourceSettings {
        check::source_of(self.raw.clone())
    }

    /// Whether a column or a template is named for a field.
    pub fn feeds_fields(&self) -> bool {
        self.raw.iter().any(|(name, _)| key::feeds_field(name))
    }

    /// Whether a field is fed by the column `name`.
    pub fn names_column(&self, name: &str) -> bool {
        let is_it = |source: &String| source.trim().eq_ignore_ascii_case(name.trim());
        self.raw.iter().filter(|(key, _)| key::feeds_field(key)).any(|(_, raw)| match &raw.value {
            Value::Text(source) => is_it(source),
            Value::Texts(sources) => sources.iter().any(is_it),
            _ => false,
        })
    }

    /// Whether something is said under `key`.
    pub fn has(&self, key: &str) -> bool {
        self.raw.get(key).is_some()
    }

    /// All that is said under the section `section`.
    pub(super) fn told(&self, section: &str) -> impl Iterator<Item = Told<'_>> {
        let of_section = move |name: &str| name.split_once('.').is_some_and(|(first, _)| first == section);
        self.raw.iter().filter(move |(name, _)| of_section(name)).map(|(key, raw)| Told {
            key,
            value: &raw.value,
            by_file: matches!(raw.place, Place::File(..)),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn of_a_file_that_is_written_anew_only_how_files_are_read_is_kept() {
        let text = "[source]\nname='x'\nencoding='latin1'\nskip_lines=3\nfiles=['a']\n[call]\nid='id'\n";
        let file = ConfigFile::parse(Path::new("home/callport.toml"), text).unwrap();
        let kept = file.reading_only();
        assert_eq!(kept.keys(), ["encoding", "skip_lines"]);
        let set = vec!["source.encoding=utf-8".into(), "source.header=false".into()];
        let written = Written::new(Some(&kept), &Overrides { set, ..Overrides::default() });
        let told: Vec<(&str, bool)> = written.told("source").map(|told| (told.key, told.by_file)).collect();
        let wanted = [("source.encoding", false), ("source.header", false), ("source.skip_lines", true)];
        assert_eq!(told, wanted);
        assert_eq!((written.source().skip_lines, written.source().header), (3, false));
        assert!(!written.file_maps && written.has("source.header"));
        assert_eq!(written.folder, Path::new("home"));
        let set = vec!["call.from=['A ', 'b']".into(), "source.name=c".into()];
        let written = Written::new(None, &Overrides { set, ..Overrides::default() });
        assert!(written.names_column("a") && written.names_column("b") && !written.names_column("c"));
    }
}
