//! `callport init`: looks at an export and writes a configuration to begin with. Never goes to the network.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{
    args::{Common, InitOptions},
    exit_code,
    failure::Failure,
    init_preview::{calls_shown, wants_zone},
    init_result::tell,
    recognise::recognise,
    sample::Sample,
    setup,
};
use crate::{
    call::Moment,
    config::{CONFIG_NAME, ConfigFile, Draft, Overrides, Preset, Settings, Written},
    mapping::guess,
    source::{Input, SourceError, SourceSettings, expand},
};

/// Rows that are looked at.
const ROWS: usize = 1_000;

/// An export with what was said of it.
pub(super) struct Export {
    /// The configuration that is to be written: as yet what is kept of the one that stands there.
    pub(super) kept: ConfigFile,
    /// Its first rows.
    pub(super) sample: Sample,
    /// When it is looked at.
    pub(super) now: Moment,
}

/// Runs the command.
pub(super) fn run(common: &Common, options: &InitOptions) -> Result<u8, Failure> {
    if options.list_presets {
        return list(common);
    }
    let now = setup::now()?;
    let path = common.config.clone().unwrap_or_else(|| PathBuf::from(CONFIG_NAME));
    if path.exists() && !options.force {
        let advice = "`--force` writes it anew, `--config PATH` writes another";
        return Err(Failure::usage(format!("`{}` is there already: {advice}", path.display())));
    }
    let inputs = expand(&options.files)?;
    let kept = kept(&path)?;
    if !common.quiet && !kept.keys().is_empty() {
        let told =
            ["kept from `", &path.display().to_string(), "`: ", &kept.keys().join(", "), "\n"].concat();
        super::say(&told);
    }
    let (draft, export) = look(&inputs, options, kept, now)?;
    let shown = calls_shown(&draft, &export)?;
    write(&path, &draft.text())?;
    tell(common, &path, &draft, &shown)
}

fn list(common: &Common) -> Result<u8, Failure> {
    #[derive(Serialize)]
    struct Listed {
        name: String,
        title: String,
        confidence: &'static str,
        guess: Option<String>,
    }
    let listed: Vec<Listed> = Preset::all()
        .map(|preset| Listed {
            name: preset.name.to_string(),
            title: preset.head.title,
            confidence: preset.head.confidence.word(),
            guess: preset.head.guess,
        })
        .collect();
    if common.json {
        super::print_json(&listed)?;
        return Ok(exit_code::DONE);
    }
    let width = listed.iter().map(|one| one.name.len()).max().unwrap_or_default();
    let line = |one: &Listed| format!("{:width$}  {:10}  {}\n", one.name, one.confidence, one.title);
    super::print(&listed.iter().map(line).collect::<String>())?;
    Ok(exit_code::DONE)
}

/// What a configuration that is written anew says of how files are read: `check` told to write it there.
fn kept(path: &Path) -> Result<ConfigFile, Failure> {
    match ConfigFile::read(path) {
        Ok(file) => Ok(file.reading_only()),
        // It is not there, or what is there is nothing that could be kept.
        Err(_) => Ok(ConfigFile::parse(path, "")?),
    }
}

/// Finds the preset or guesses the columns.
fn look(
    inputs: &[Input],
    options: &InitOptions,
    kept: ConfigFile,
    now: Moment,
) -> Result<(Draft, Export), Failure> {
    let Some(first) = inputs.first() else { return Err(Failure::usage("no file is given")) };
    if inputs.iter().any(|input| input.path().is_none()) {
        return Err(Failure::usage("standard input can be read only once: `init` needs a file"));
    }
    let typed = typed(options)?;
    let said = Written::new(Some(&kept), &typed);
    let recognised = if options.preset.is_none() { recognised(inputs, &said)? } else { None };
    let name = recognised.as_ref().map(|preset| preset.name.to_string());
    let overrides = Overrides { preset: options.preset.clone().or(name), ..typed };
    let settings = Settings::check(Some(&kept), &overrides, now)?;
    let sample = read(first, &settings.source)?;
    let columns = sample.columns(&settings.mapping.nothing);
    let mut guess = if settings.preset.is_some() { guess(&[]) } else { guess(&columns) };
    guess.unused.retain(|name| !said.names_column(name));
    if settings.preset.is_none() && guess.fields.is_empty() && !said.feeds_fields() {
        let names: Vec<String> = columns.iter().map(|column| format!("`{}`", column.name)).collect();
        let reason = "seems to be no call log: nothing in it looks like the time, the direction or the number of a call";
        return Err(Failure::usage(format!(
            "`{}` {reason}; its columns are {}",
            first.name(),
            names.join(", ")
        )));
    }
    let asks_zone = settings.preset.is_some() && wants_zone(&settings, &sample, now);
    let without_column = |preset: &Preset| {
        let is_without = |(field, sources): &(&str, Vec<&str>)| {
            !said.has(field) && !sources.iter().any(|source| sample.has_column_of(source))
        };
        preset.feeds().filter(is_without).map(|(field, _)| field.to_owned()).collect()
    };
    let draft = Draft {
        without_column: settings.preset.as_ref().map(without_column).unwrap_or_default(),
        asks_zone,
        files: files(options, kept.path()),
        preset: settings.preset.map(|preset| {
            let by = if recognised.is_some() { recognised_by(&preset) } else { Vec::new() };
            (preset, by)
        }),
        guess,
        said,
        today: now.to_string().split('T').next().unwrap_or_default().to_owned(),
    };
    Ok((draft, Export { kept, sample, now }))
}

/// What was typed; files and preset have arguments of their own.
fn typed(options: &InitOptions) -> Result<Overrides, Failure> {
    for (key, instead) in
        [("source.files", "name the files as arguments"), ("source.preset", "use `--preset`")]
    {
        if options.set.iter().any(|set| set.split('=').next().is_some_and(|name| name.trim() == key)) {
            return Err(Failure::usage(format!("`--set {key}` is not for `init`: {instead}")));
        }
    }
    Ok(Overrides { set: options.set.clone(), time_zone: options.time_zone.clone(), ..Overrides::default() })
}

/// The preset that all files fit.
fn recognised(inputs: &[Input], said: &Written) -> Result<Option<Preset>, Failure> {
    let mut found: Option<Option<Preset>> = None;
    for input in inputs {
        let preset = recognise(input, said).map_err(unreadable)?;
        let name = |preset: &Option<Preset>| preset.as_ref().map(|preset| preset.name.clone());
        match &found {
            Some(first) if name(first) != name(&preset) => {
                let reason = format!(
                    "`{}` and `{}` are of different forms: write a configuration for each (`--config PATH`)",
                    inputs[0].name(),
                    input.name()
                );
                return Err(Failure::usage(reason));
            }
            Some(_) => {}
            None => found = Some(preset),
        }
    }
    Ok(found.flatten())
}

/// What told the preset.
fn recognised_by(preset: &Preset) -> Vec<String> {
    let by = preset.head.recognise.iter().flat_map(|by| by.headings.iter().chain(&by.keys));
    by.map(|name| format!("`{name}`")).collect()
}

/// The first rows; there must be one.
fn read(input: &Input, settings: &SourceSettings) -> Result<Sample, Failure> {
    let sample = Sample::read(input, settings, ROWS).map_err(unreadable)?;
    if !sample.rows.is_empty() {
        return Ok(sample);
    }
    let first = sample.broken.map_or_else(String::new, |broken| {
        format!("; the first one, on line {}, {}", broken.position.line, broken.fault.reason)
    });
    let told = format!("`{}` holds no row that can be read{first}", input.name());
    let advice = advice(&told);
    Err(Failure::usage(told).with_advice(advice))
}

fn unreadable(error: SourceError) -> Failure {
    let advice = advice(&error.to_string());
    Failure::from(error).with_advice(advice)
}

/// Where a setting is named that says how the file is read: it can be given here.
fn advice(told: &str) -> Option<String> {
    told.contains("set `source.").then(|| {
        "`callport init FILE --set KEY=VALUE` reads the file by it and writes it down, e.g. `--set source.header=false` or \
         `--set source.encoding=windows-1252`"
            .to_owned()
    })
}

/// The files as the configuration names them: relative to its folder, where that is the working directory.
fn files(options: &InitOptions, path: &Path) -> Vec<String> {
    let beside = path.parent().is_none_or(|folder| folder.as_os_str().is_empty());
    let place = |file: &String| {
        if beside {
            return file.clone();
        }
        std::path::absolute(file).map_or_else(|_| file.clone(), |path| path.display().to_string())
    };
    options.files.iter().map(place).collect()
}

/// Written whole and readable by its owner only.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unwritable =
        |error: std::io::Error| Failure::usage(format!("`{}` cannot be written: {error}", path.display()));
    let mut file = tempfile::Builder::new().prefix(".callport-").tempfile_in(folder).map_err(unwritable)?;
    file.write_all(text.as_bytes()).map_err(unwritable)?;
    file.persist(path).map_err(|error| unwritable(error.error))?;
    Ok(())
}
