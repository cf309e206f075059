//! `[agents]`: where the agents' e-mails stand, and what becomes of agents who match nobody.

use std::path::Path;

use crate::mapping::{AgentSettings, UnknownAgent};

use super::check::{Checker, beside};

const DIRECTORY: &str = "agents.directory";

/// The file that says who an agent's name is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentsFile {
    /// Relative to the working directory.
    pub path: String,
    /// Where it is named: file, line and key.
    pub named_at: String,
}

/// What is set of agents; who they are is read from the file.
pub(super) fn agents(checker: &Checker) -> AgentSettings {
    AgentSettings {
        unknown: match checker.word("agents.unknown") {
            "reject" => UnknownAgent::Reject,
            _ => UnknownAgent::Warn,
        },
        is_assigned: checker.word("conversation.assign_to") == "agent",
        ..AgentSettings::default()
    }
}

/// The file: named in the configuration it is relative to its folder, like the files with the calls.
pub(super) fn file(checker: &mut Checker, folder: &Path) -> Option<AgentsFile> {
    let path = checker.text(DIRECTORY)?;
    if path == "-" {
        checker.fault(DIRECTORY, "is `-`: name a file, standard input may hold the calls");
        return None;
    }
    let path = if checker.is_of_file(DIRECTORY) { beside(folder, path) } else { path };
    Some(AgentsFile { path, named_at: format!("{}: `{DIRECTORY}`", checker.place(DIRECTORY)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        call::Moment,
        config::{ConfigFile, Overrides, Settings},
        import::AssignTo,
    };

    fn check(text: &str, set: &[&str]) -> Result<Settings, String> {
        let file = ConfigFile::parse(Path::new("home/callport.toml"), text).unwrap();
        let set = set.iter().map(ToString::to_string).collect();
        let now = Moment::from_epoch_seconds(0).unwrap();
        Settings::check(Some(&file), &Overrides { set, ..Overrides::default() }, now)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_directory_is_found_beside_the_configuration_or_where_it_is_typed() {
        let file = |text: &str, set: &[&str]| check(text, set).unwrap().agents_file;
        let named = |path: &str, at: &str| {
            Some(AgentsFile { path: path.into(), named_at: format!("{at}: `agents.directory`") })
        };
        let text = "[agents]\ndirectory = 'agents.csv'\n";
        assert_eq!(file(text, &[]), named("home/agents.csv", "home/callport.toml:2"));
        assert_eq!(file(text, &["agents.directory=a.csv"]), named("a.csv", "--set"));
        assert_eq!(file("", &[]), None);
    }

    #[test]
    fn every_key_reaches_its_setting() {
        let settings =
            check("[agents]\nunknown = 'reject'\n[conversation]\nassign_to = 'agent'\n", &[]).unwrap();
        let agents = &settings.mapping.agents;
        assert_eq!((agents.unknown, agents.is_assigned), (UnknownAgent::Reject, true));
        assert_eq!(settings.conversation.assign_to, AssignTo::Agent);
        assert!(settings.mapping.fields.is_empty(), "they feed no field");
        assert_eq!(check("", &[]).unwrap().mapping.agents, AgentSettings::default());
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_line() {
        let told = check("[agents]\ndirectory = ''\nunknown = 'create'\n", &[]).unwrap_err();
        assert_eq!(
            told,
            "home/callport.toml:3: `agents.unknown` is the text `create`; one of `warn`, `reject` is expected\n\
             home/callport.toml:2: `agents.directory` is empty: give it a value or leave it out"
        );
        let told = check("", &["agents.directory=-"]).unwrap_err();
        assert_eq!(told, "--set: `agents.directory` is `-`: name a file, standard input may hold the calls");
    }
}
