//! A file that stands beside the calls and that a key names: a directory, or a list of people.

use std::path::Path;

use super::check::{Checker, beside};

/// Such a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// Relative to the working directory.
    pub path: String,
    /// Where it is named: file, line and key.
    pub named_at: String,
}

impl NamedFile {
    /// The file under `key`: named in the configuration it is relative to its `folder`, like the files with the calls.
    pub(super) fn under(key: &str, checker: &mut Checker, folder: &Path) -> Option<Self> {
        let path = checker.text(key)?;
        if path == "-" {
            checker.fault(key, "is `-`: name a file, standard input may hold the calls");
            return None;
        }
        let path = if checker.is_of_file(key) { beside(folder, path) } else { path };
        Some(Self { path, named_at: format!("{}: `{key}`", checker.place(key)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        call::Moment,
        config::{ConfigFile, Overrides, Settings},
    };

    fn check(text: &str, set: &[&str]) -> Result<Settings, String> {
        let file = ConfigFile::parse(Path::new("home/callport.toml"), text).unwrap();
        let set = set.iter().map(ToString::to_string).collect();
        let now = Moment::from_epoch_seconds(0).unwrap();
        Settings::check(Some(&file), &Overrides { set, ..Overrides::default() }, now)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_is_found_beside_the_configuration_or_where_it_is_typed() {
        let named = |path: &str, at: &str| Some(NamedFile { path: path.into(), named_at: at.into() });
        let text = "[source]\nexclude='e.csv'\n[customer]\ndirectory='c.csv'\n[agents]\ndirectory='a.csv'\n";
        let found = check(text, &[]).unwrap();
        assert_eq!(found.exclude, named("home/e.csv", "home/callport.toml:2: `source.exclude`"));
        assert_eq!(found.directory, named("home/c.csv", "home/callport.toml:4: `customer.directory`"));
        assert_eq!(found.agents_file, named("home/a.csv", "home/callport.toml:6: `agents.directory`"));
        let typed = check(text, &["agents.directory=b.csv"]).unwrap();
        assert_eq!(typed.agents_file, named("b.csv", "--set: `agents.directory`"));
        assert_eq!(check("", &[]).unwrap().directory, None);
    }

    #[test]
    fn standard_input_and_nothing_are_no_such_files() {
        for key in ["source.exclude", "customer.directory", "agents.directory"] {
            let told = check("", &[&format!("{key}=-")]).unwrap_err();
            assert_eq!(
                told,
                format!("--set: `{key}` is `-`: name a file, standard input may hold the calls")
            );
            let told = check("", &[&format!("{key}=")]).unwrap_err();
            assert!(told.contains("is empty"), "{told}");
        }
    }
}
