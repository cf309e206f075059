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
    preview,
    recognise::{Sample, recognise},
    setup,
};
use crate::{
    call::{Call, CallRecord, Leg, Moment, Position, Row, join_legs},
    checkpoint::PreviewedCall,
    config::{CONFIG_NAME, Draft, Overrides, Preset, Settings},
    mapping::{Column, Confidence, Mapping, Outcome, guess},
    source::{Input, expand},
};

/// Rows that are looked at.
const ROWS: usize = 1_000;
/// Calls that are shown.
const SHOWN: usize = 3;

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
    let (draft, sample) = draft(&inputs, options, &path, now)?;
    let shown = calls_shown(&draft, &sample, options, now)?;
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

/// What the files are, and their first rows.
fn draft(
    inputs: &[Input],
    options: &InitOptions,
    path: &Path,
    now: Moment,
) -> Result<(Draft, Sample), Failure> {
    let Some(first) = inputs.first() else { return Err(Failure::usage("no file is given")) };
    if inputs.iter().any(|input| input.path().is_none()) {
        return Err(Failure::usage("standard input can be read only once: `init` needs a file"));
    }
    let preset = match &options.preset {
        Some(name) => settings_with(Some(name), options, now)?.preset,
        None => recognise(first)?,
    };
    for input in inputs.iter().skip(1).filter(|_| options.preset.is_none()) {
        let other = recognise(input)?.map(|preset| preset.name);
        if other != preset.as_ref().map(|preset| preset.name.clone()) {
            let reason = format!(
                "`{}` and `{}` are of different forms: write a configuration for each (`--config PATH`)",
                first.name(),
                input.name()
            );
            return Err(Failure::usage(reason));
        }
    }
    let source = match &preset {
        Some(preset) => preset.source(),
        None => settings_with(None, options, now)?.source,
    };
    let sample = Sample::read(first, &source, ROWS)?;
    if sample.rows.is_empty() {
        return Err(Failure::usage(format!("`{}` holds no row that can be read", first.name())));
    }
    let guess = if preset.is_some() { guess(&[]) } else { guess(&columns(&sample)) };
    if preset.is_none() && guess.fields.is_empty() {
        let names: Vec<String> = columns(&sample).iter().map(|column| format!("`{}`", column.name)).collect();
        let reason = "seems to be no call log: nothing in it looks like the time, the direction or the number of a call";
        return Err(Failure::usage(format!(
            "`{}` {reason}; its columns are {}",
            first.name(),
            names.join(", ")
        )));
    }
    let recognised_by = |preset: &Preset| match (&options.preset, &preset.head.recognise) {
        (None, Some(by)) => by.headings.iter().chain(&by.keys).map(|name| format!("`{name}`")).collect(),
        _ => Vec::new(),
    };
    let draft = Draft {
        files: files(options, path),
        preset: preset.map(|preset| {
            let by = recognised_by(&preset);
            (preset, by)
        }),
        guess,
        time_zone: options.time_zone.clone(),
        today: now.to_string().split('T').next().unwrap_or_default().to_owned(),
    };
    Ok((draft, sample))
}

fn settings_with(preset: Option<&str>, options: &InitOptions, now: Moment) -> Result<Settings, Failure> {
    let overrides = Overrides {
        preset: preset.map(str::to_owned),
        time_zone: options.time_zone.clone(),
        ..Overrides::default()
    };
    Ok(Settings::check(None, &overrides, now)?)
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

/// The columns with what is given in them; of a JSON record its keys, those within others by their paths.
fn columns(sample: &Sample) -> Vec<Column> {
    let mut columns: Vec<Column> = sample
        .headings
        .iter()
        .flat_map(|headings| headings.names().iter().map(|name| Column::new(name.clone(), Vec::new())))
        .collect();
    for row in &sample.rows {
        for (index, (name, value)) in row.cells.leaves().into_iter().enumerate() {
            let at = match columns.get(index) {
                Some(column) if column.name == name => index,
                _ => columns.iter().position(|column| column.name == name).unwrap_or_else(|| {
                    columns.push(Column::new(name, Vec::new()));
                    columns.len() - 1
                }),
            };
            let value = value.trim();
            if !value.is_empty() && !["-", "[None]", "N/A"].contains(&value) {
                columns[at].values.push(value.to_owned());
            }
        }
    }
    columns
}

/// The first calls as they will read, with something in place of what is still open.
fn calls_shown(
    draft: &Draft,
    sample: &Sample,
    options: &InitOptions,
    now: Moment,
) -> Result<String, Failure> {
    let open = draft.open();
    if open.iter().any(|key| key.starts_with("call.")) {
        return Ok(String::new());
    }
    let stand_in = |key: &str| match key {
        "source.time_zone" => "UTC",
        "source.date_order" => "month_first",
        "source.short_clock" => "mm:ss",
        "source.duration_unit" => "s",
        "customer.unknown" => "create",
        _ => "1",
    };
    let file = crate::config::ConfigFile::parse(Path::new(CONFIG_NAME), &draft.text())?;
    let overrides = Overrides {
        set: open.iter().map(|key| format!("{key}={}", stand_in(key))).collect(),
        time_zone: options.time_zone.clone(),
        ..Overrides::default()
    };
    let settings = Settings::check(Some(&file), &overrides, now)?;
    let source_name = settings.mapping.source_name.clone();
    let mapping = Mapping::new(settings.mapping).map_err(Failure::mapping)?;
    let bound = match &sample.headings {
        Some(headings) => mapping.bind(headings).map_err(Failure::mapping)?,
        None => mapping.bind_json(),
    };
    let mut text = String::new();
    for (position, call) in first_calls(&sample.rows, |row| bound.interpret(row, now).outcome) {
        let call = PreviewedCall {
            started_at: call.started_at.to_string(),
            file: position.file.to_string(),
            line: position.line,
            source_id: call.identity.id,
            key: call.identity.key,
            text: call.text,
        };
        preview::show(&call, &source_name, &mut text);
    }
    Ok(text)
}

/// The first calls of `rows` with their places, each with those of its records that are among the rows.
fn first_calls(rows: &[Row], interpret: impl Fn(&Row) -> Outcome) -> Vec<(&Position, Call)> {
    let mut calls: Vec<(&Position, Call)> = Vec::new();
    let mut groups: Vec<Vec<(&Position, CallRecord)>> = Vec::new();
    for row in rows {
        match interpret(row) {
            Outcome::Call(call) => calls.push((&row.position, *call)),
            Outcome::Record(record) => {
                match groups.iter_mut().find(|group| group[0].1.group == record.group) {
                    Some(group) => group.push((&row.position, *record)),
                    None => groups.push(vec![(&row.position, *record)]),
                }
            }
            Outcome::Skipped | Outcome::LeftOut | Outcome::Rejected(_) => {}
        }
    }
    calls.extend(groups.into_iter().filter_map(joined));
    calls.sort_by_key(|(position, _)| position.line);
    calls.truncate(SHOWN);
    calls
}

/// The call that `records` tell of.
fn joined(mut records: Vec<(&Position, CallRecord)>) -> Option<(&Position, Call)> {
    let rank =
        |record: &CallRecord| (!record.is_root(), record.call.as_ref().ok().map(|call| call.started_at));
    let whole = records.iter().enumerate().filter(|(_, (_, record))| record.call.is_ok());
    let (at, _) = whole.min_by_key(|(_, (_, record))| rank(record))?;
    let (position, standing) = records.remove(at);
    let mut call = standing.call.ok()?;
    let legs: Vec<Leg> = records.into_iter().map(|(_, record)| record.leg).collect();
    call.text = join_legs(&call.text, call.started_at, &legs, 0);
    Some((position, call))
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

#[derive(Serialize)]
struct InitResult<'a> {
    config: String,
    preset: Option<&'a str>,
    confidence: Option<&'static str>,
    guessed: Vec<Guessed<'a>>,
    to_fill_in: Vec<&'static str>,
}

#[derive(Serialize)]
struct Guessed<'a> {
    field: &'a str,
    column: &'a str,
    confidence: &'static str,
    why: &'a str,
}

fn tell(common: &Common, path: &Path, draft: &Draft, shown: &str) -> Result<u8, Failure> {
    let open = draft.open();
    if common.json {
        let preset = draft.preset.as_ref().map(|(preset, _)| preset);
        let guessed = draft.guess.fields.iter().map(|field| Guessed {
            field: field.field,
            column: &field.source,
            confidence: field.likelihood.word(),
            why: &field.why,
        });
        super::print_json(&InitResult {
            config: path.display().to_string(),
            preset: preset.map(|preset| preset.name.as_ref()),
            confidence: preset.map(|preset| preset.head.confidence.word()),
            guessed: guessed.collect(),
            to_fill_in: open,
        })?;
        return Ok(exit_code::DONE);
    }
    let mut text = String::new();
    if shown.is_empty() && !open.iter().any(|key| key.starts_with("call.")) {
        text.push_str("none of the first rows becomes a call: `callport check` says why\n");
    }
    if !shown.is_empty() {
        let unsure = open.contains(&"source.time_zone");
        let zone = if unsure { " (times as if they were UTC: the zone is still open)" } else { "" };
        text.push_str(&["The first calls as they will read in Help Scout", zone, ":\n\n", shown].concat());
    }
    match &draft.preset {
        Some((preset, by)) => {
            let by = if by.is_empty() { String::new() } else { format!(", by {}", by.join(", ")) };
            text.push_str(
                &[preset.head.title.as_str(), " (preset `", &preset.name, "`", &by, ")\n"].concat(),
            );
            if let Some(guess) = &preset.head.guess {
                text.push_str(&["a guess in it: ", guess, "\n"].concat());
            } else if preset.head.confidence == Confidence::Guess {
                text.push_str("the preset is a guess: compare it with your file\n");
            }
        }
        None => text.push_str("no preset knows this form: the columns are guessed, look them over\n"),
    }
    text.push_str(
        &["wrote ", &path.display().to_string(), "; to fill in: ", &open.join(", "), "\n"].concat(),
    );
    text.push_str("next: `callport check`\n");
    super::print(&text)?;
    Ok(exit_code::DONE)
}
