//! From arguments to what a command works with.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    account_check, agent_directory,
    args::{Common, ReadOptions},
    failure::Failure,
    people,
    recognise::{bears_own_names, recognise},
};
use crate::{
    call::{Moment, Zone},
    checkpoint::{Account, Lineage},
    config::{CONFIG_NAME, ConfigFile, Environment, Overrides, Paths, Preset, Settings, Written},
    helpscout::Share,
    import::{DeliverySettings, KnownAccount, Reading, WarningCount},
    mapping::{Excluded, Mapping, MappingSettings, UnknownAgent},
    sandbox::Seed,
    source::expand,
};

/// What is known of the account is called old when it is so many days old.
const STALE_DAYS: i64 = 7;

/// The computer's clock, read once a command.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub(super) fn since_1970() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// What the clock shows, to the second.
pub(super) fn now() -> Result<Moment, Failure> {
    i64::try_from(since_1970().as_secs())
        .ok()
        .and_then(Moment::from_epoch_seconds)
        .ok_or_else(|| Failure::usage("the computer's clock is beyond the year 9999: set it"))
}

/// A variable of the process's environment.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The environment as `config` reads it.
pub(super) fn environment() -> Environment<'static> {
    Environment::new(&variable)
}

/// Where the files of the command are.
pub(super) fn paths(common: &Common) -> Paths {
    Paths::new(common.config.clone(), common.checkpoint.clone(), Path::new(CONFIG_NAME).exists())
}

/// A command that reads rows.
pub(super) struct Setup {
    /// When it began.
    pub(super) now: Moment,
    /// Where its files are.
    pub(super) paths: Paths,
    /// The configuration file.
    file: Option<ConfigFile>,
    /// The checked configuration.
    pub(super) settings: Settings,
    /// What is known of the account.
    pub(super) account: Option<Seed>,
    /// Whose it says to be.
    pub(super) known_account: Option<KnownAccount>,
    /// Where rejected rows go.
    pub(super) rejects: PathBuf,
    /// Whether the preset was found by the files.
    is_recognised: bool,
    /// What of files beside the export cannot be used.
    noted: Vec<WarningCount>,
}

impl Setup {
    /// Reads the configuration and checks everything that was typed.
    pub(super) fn new(common: &Common, options: &ReadOptions) -> Result<Self, Failure> {
        let overrides = Overrides {
            set: options.set.clone(),
            files: options.files.clone(),
            preset: options.preset.clone(),
            time_zone: options.time_zone.clone(),
            share: options.pace.share.clone(),
            since: options.since.clone(),
            until: options.until.clone(),
        };
        let rejects =
            options.rejects.as_deref().map(|path| writable(path, "the rejected rows")).transpose()?;
        let mut setup = Self::checked(common, &overrides, rejects)?;
        setup.account = account(&setup.paths, options.account.as_deref())?;
        setup.known_account = setup.whose(options.account.as_deref());
        if setup.settings.mapping.by_own_names
            && let Some(preset) = setup.recognised(&Written::new(setup.file.as_ref(), &overrides))?
        {
            let overrides = Overrides { preset: Some(preset.name.to_string()), ..overrides };
            setup.settings = Settings::check(setup.file.as_ref(), &overrides, setup.now)?;
            setup.is_recognised = true;
        }
        setup.meet_people()?;
        setup.say_preset(common);
        setup.say_age(common, options.account.as_deref());
        Ok(setup)
    }

    /// Takes in whom the directory and the account know, and who must not be imported.
    fn meet_people(&mut self) -> Result<(), Failure> {
        let form = self.settings.mapping.forms.numbers;
        let mut excluded = Excluded::default();
        if let Some(file) = &self.settings.directory {
            let directory = people::directory(file, form, self.settings.source.encoding)?;
            self.settings.mapping.directory = Arc::new(directory.people);
            self.noted = directory.unused;
        }
        if let Some(file) = &self.settings.exclude {
            excluded = people::excluded(file, form)?;
        }
        if let Some(seed) = &self.account {
            self.settings.mapping.account = Arc::new(people::of_account(seed, form));
        }
        // What one list tells of a person may lead to more in the other.
        let mapping = &mut self.settings.mapping;
        if !excluded.is_empty() {
            while excluded.learn(&mapping.directory) | excluded.learn(&mapping.account) {}
        }
        mapping.excluded = Arc::new(excluded);
        Ok(())
    }

    /// The preset that all files fit, where nothing says how they are read.
    fn recognised(&self, written: &Written) -> Result<Option<Preset>, Failure> {
        let inputs = if self.settings.files.is_empty() { Vec::new() } else { expand(&self.settings.files)? };
        // What is piped in can be read only once.
        if inputs.iter().any(|input| input.bytes().is_none()) {
            return Ok(None);
        }
        let mut found: Option<Preset> = None;
        for input in &inputs {
            let preset = recognise(input, written)?;
            if preset.is_none() && !bears_own_names(input, &self.settings.source)? {
                let advice = "`callport init` writes a callport.toml that names its columns";
                return Err(Failure::usage(format!("`{}` is not recognised: {advice}", input.name())));
            }
            match (preset, &found) {
                (Some(preset), None) if input == &inputs[0] => found = Some(preset),
                (Some(preset), Some(first)) if preset.name == first.name => {}
                (None, None) => {}
                _ => {
                    let reason = "the files are of different forms: read one form at a time";
                    return Err(Failure::usage(reason));
                }
            }
        }
        Ok(found)
    }

    /// Which preset is used, where nobody named it, and what of it is a guess.
    fn say_preset(&self, common: &Common) {
        let Some(preset) = self.settings.preset.as_ref().filter(|_| !common.quiet) else { return };
        if self.is_recognised {
            super::say(&["recognised: ", &preset.head.title, " (preset `", &preset.name, "`)\n"].concat());
        }
        if let Some(guess) = &preset.head.guess {
            super::say(&["preset `", &preset.name, "`, a guess in it: ", guess, "\n"].concat());
        }
    }

    /// Says that what is known of the account was asked for long ago.
    fn say_age(&self, common: &Common, asked: Option<&Path>) {
        let pulled_at = self.account.as_ref().and_then(Seed::pulled_at).filter(|_| !common.quiet);
        let (Some(pulled_at), Some(path)) = (pulled_at, account_path(&self.paths, asked)) else { return };
        let days = (self.now.epoch_seconds() - pulled_at.epoch_seconds()) / (24 * 3600);
        if days >= STALE_DAYS {
            super::say(&format!(
                "`{}` is {days} days old: `callport pull` asks the account anew\n",
                path.display()
            ));
        }
    }

    /// Whose account the file says that it is of.
    fn whose(&self, asked: Option<&Path>) -> Option<KnownAccount> {
        let whose = self.account.as_ref()?.account()?;
        let account = Account { id: whose.id.clone(), api_url: whose.api_url.clone() };
        Some(KnownAccount { path: account_path(&self.paths, asked)?, account })
    }

    /// For a command that reads no rows.
    pub(super) fn without_rows(common: &Common, overrides: &Overrides) -> Result<Self, Failure> {
        let mut setup = Self::checked(common, overrides, None)?;
        setup.account = account(&setup.paths, None)?;
        Ok(setup)
    }

    /// For a command that asks the account itself, whatever was known of it.
    pub(super) fn without_account(common: &Common, overrides: &Overrides) -> Result<Self, Failure> {
        Self::checked(common, overrides, None)
    }

    fn checked(common: &Common, overrides: &Overrides, rejects: Option<PathBuf>) -> Result<Self, Failure> {
        let now = now()?;
        let paths = paths(common);
        let file = paths.config.as_deref().map(ConfigFile::read).transpose()?;
        let settings = Settings::check(file.as_ref(), overrides, now)?;
        let beside = || paths.checkpoint.parent().unwrap_or_else(|| Path::new("")).join("rejects.csv");
        let rejects = rejects.unwrap_or_else(beside);
        Ok(Self {
            now,
            paths,
            file,
            settings,
            account: None,
            known_account: None,
            rejects,
            is_recognised: false,
            noted: Vec::new(),
        })
    }

    /// How calls are delivered, by as many workers as are asked for.
    pub(super) fn delivery(&self, workers: Option<u16>) -> DeliverySettings {
        let settings = &self.settings;
        DeliverySettings {
            conversation: settings.conversation.clone(),
            inbox: settings.mapping.inbox.inbox.clone(),
            inboxes: settings.mapping.inbox.chosen().cloned().collect(),
            source_name: settings.mapping.source_name.clone(),
            settle: settings.limits.settle,
            give_up: settings.limits.give_up,
            share_tag: settings.share_tag,
            amid: settings.mapping.text.is_some(),
            accept: settings.accept.clone(),
            rejects_strangers: settings.mapping.agents.unknown == UnknownAgent::Reject,
            workers: workers.map(usize::from),
        }
    }

    /// What is read and how.
    pub(super) fn reading(&self, options: &ReadOptions) -> Result<Reading, Failure> {
        Ok(Reading {
            inputs: expand(&self.settings.files)?,
            source: self.settings.source.clone(),
            mapping: Mapping::new(self.mapping()?).map_err(Failure::mapping)?,
            limit: options.limit,
            strict: options.strict,
            sampled: false,
            now: self.now,
            lineage: self.lineage(),
            noted: self.noted.clone(),
        })
    }

    /// How rows are read as calls, with what the files beside the configuration know.
    fn mapping(&self) -> Result<MappingSettings, Failure> {
        let mut mapping = self.settings.mapping.clone();
        mapping.agents.directory =
            self.settings.agents_file.as_ref().map(agent_directory::read).transpose()?;
        mapping.agents.users = account_check::user_emails(self).map(Arc::new);
        Ok(mapping)
    }

    /// How rows are read, for comparing with the last run's.
    pub(super) fn lineage(&self) -> Lineage {
        let recipe = &self.settings.mapping_recipe;
        Lineage {
            identity: recipe.identity.clone(),
            mapping: recipe.content.clone(),
            nameless: recipe.nameless.clone(),
        }
    }

    /// The part of the limit to use.
    pub(super) fn share(&self) -> Result<Share, Failure> {
        Share::parse(&self.settings.limits.share)
            .map_err(|error| Failure::usage(format!("limits.share: {error}")))
    }

    /// The zone by which a timetable is read.
    pub(super) fn zone(&self) -> Zone {
        self.settings.mapping.time_zone.unwrap_or(Zone::UTC)
    }
}

/// Seconds since midnight of `moment` on a clock of `zone`.
pub(super) fn second_of_day(zone: Zone, moment: Moment) -> u32 {
    let second = u32::try_from(moment.epoch_seconds().rem_euclid(60)).unwrap_or_default();
    minute_of_day(zone, moment) * 60 + second
}

/// Minutes since midnight of `moment` on a clock of `zone`.
pub(super) fn minute_of_day(zone: Zone, moment: Moment) -> u32 {
    let shown = zone.format(moment, "%H:%M").unwrap_or_default();
    let mut parts = shown.split(':').map(|part| part.parse::<u32>().unwrap_or(0));
    parts.next().unwrap_or(0) * 60 + parts.next().unwrap_or(0)
}

/// Where what is known of the account stands, and `pull` puts it: beside the configuration, else in the working directory.
pub(super) fn default_account(paths: &Paths) -> PathBuf {
    let folder = paths.config.as_deref().and_then(Path::parent).unwrap_or_else(|| Path::new(""));
    folder.join("account.json")
}

pub(super) fn account_path(paths: &Paths, asked: Option<&Path>) -> Option<PathBuf> {
    let default = || Some(default_account(paths)).filter(|path| path.exists());
    asked.map(Path::to_owned).or_else(default)
}

fn account(paths: &Paths, asked: Option<&Path>) -> Result<Option<Seed>, Failure> {
    account_path(paths, asked).map(|path| seed(&path)).transpose()
}

/// A path for `what`, if it can stand there: found out before anything is sent, not after.
pub(super) fn writable(path: &Path, what: &str) -> Result<PathBuf, Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.is_dir() || !folder.is_dir() {
        let why = if path.is_dir() { "it is a folder" } else { "its folder is not there" };
        return Err(Failure::usage(format!("`{}` cannot hold {what}: {why}", path.display())));
    }
    Ok(path.to_owned())
}

/// Reads a world to start with.
pub(super) fn seed(path: &Path) -> Result<Seed, Failure> {
    Seed::parse(&text(path)?).map_err(|error| Failure::usage(format!("`{}`: {error}", path.display())))
}

/// Reads a file of text.
pub(super) fn text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("`{}` cannot be read: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejected_rows_need_a_folder_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let writable = |path: &Path| writable(path, "the rejected rows");
        assert!(writable(Path::new("rejects.csv")).is_ok() && writable(&folder.path().join("r.csv")).is_ok());
        assert!(writable(folder.path()).is_err() && writable(&folder.path().join("none/r.csv")).is_err());
    }

    #[test]
    fn a_timetable_is_read_by_the_zones_own_clock() {
        let moment = Moment::parse_api("2026-07-01T06:30:00Z").unwrap();
        assert_eq!(minute_of_day(Zone::UTC, moment), 6 * 60 + 30);
        assert_eq!(minute_of_day(Zone::parse("Europe/Berlin").unwrap(), moment), 8 * 60 + 30);
    }
}
