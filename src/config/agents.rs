//! `[agents]`: what becomes of agents who match nobody.

use crate::mapping::{AgentSettings, UnknownAgent};

use super::check::Checker;

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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        call::Moment,
        config::{ConfigFile, Overrides, Settings},
        import::AssignTo,
    };

    fn check(text: &str) -> Result<Settings, String> {
        let file = ConfigFile::parse(Path::new("home/callport.toml"), text).unwrap();
        let now = Moment::from_epoch_seconds(0).unwrap();
        Settings::check(Some(&file), &Overrides::default(), now).map_err(|error| error.to_string())
    }

    #[test]
    fn every_key_reaches_its_setting() {
        let settings = check("[agents]\nunknown = 'reject'\n[conversation]\nassign_to = 'agent'\n").unwrap();
        let agents = &settings.mapping.agents;
        assert_eq!((agents.unknown, agents.is_assigned), (UnknownAgent::Reject, true));
        assert_eq!(settings.conversation.assign_to, AssignTo::Agent);
        assert!(settings.mapping.fields.is_empty(), "they feed no field");
        assert_eq!(check("").unwrap().mapping.agents, AgentSettings::default());
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_line() {
        let told = check("[agents]\ndirectory = ''\nunknown = 'create'\n").unwrap_err();
        assert_eq!(
            told,
            "home/callport.toml:3: `agents.unknown` is the text `create`; one of `warn`, `reject` is expected\n\
             home/callport.toml:2: `agents.directory` is empty: give it a value or leave it out"
        );
    }
}
