//! Configuration: a text, with the options of a command line, is settings that make sense, or every fault with its place.
//!
//! Lines that begin with `--set `, `--since `, `--until `, `--time-zone ` or `--share ` are options; all others are the file.

use std::{path::Path, sync::Arc, time::Duration};

use callport::{
    call::{Headings, Moment},
    config::{ConfigError, ConfigFile, Overrides, Settings},
    helpscout::{Pacer, Share},
    mapping::Mapping,
};

pub(super) const WORDS: &[&str] = &[
    "\n",
    "[source]\n",
    "[call]\n",
    "[customer]\n",
    "[conversation]\n",
    "[conversation.inboxes]\n",
    "[limits]\n",
    "[text]\n",
    "name",
    "files",
    "time_zone",
    "skip",
    "started_at",
    "inbox",
    "inbox_by",
    "tags",
    "share",
    "settle",
    "give_up",
    "template",
    " = ",
    "''",
    "'x'",
    "\"",
    "'''",
    "[",
    "]",
    "{",
    "}",
    "{{ ",
    " }}",
    "{% if ",
    "{% endif %}",
    "notes",
    "row['x']",
    "| date('UTC', '%Q')",
    "85",
    "-1",
    "0.5",
    "1e-320",
    "'30s'",
    "'99999999999999999h'",
    "'08:00,0.3 19:00,0.9'",
    "true",
    "\n--set ",
    "conversation.inboxes.x=1",
    "limits.share=1e-300",
    "\n--since ",
    "-2h",
    "2024-05-01",
    "\n--until ",
    "\n--time-zone UTC\n",
    "\n--share ",
    "#",
    ".",
    "é",
    "\\u{0}",
    "[[",
    "'''{{ 'x' * 9 }}'''",
];

/// No wait of the settings is longer, so that a sum of times never overflows.
const LONGEST_SPAN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

pub(super) fn holds(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (toml, overrides) = take_apart(&text);
    let file = match ConfigFile::parse(Path::new("callport.toml"), &toml) {
        Ok(file) => file,
        Err(error) => return is_told(&error),
    };
    let now = Moment::from_epoch_seconds(1_790_000_000).expect("a moment");
    let checked = Settings::check(Some(&file), &overrides, now);
    assert_eq!(Settings::check(Some(&file), &overrides, now), checked);
    match checked {
        Ok(settings) => make_sense(settings),
        Err(error) => is_told(&error),
    }
}

fn take_apart(text: &str) -> (String, Overrides) {
    let (mut toml, mut overrides) = (String::new(), Overrides::default());
    for line in text.lines() {
        match line.split_once(' ') {
            Some(("--set", value)) => overrides.set.push(value.to_owned()),
            Some(("--since", value)) => overrides.since = Some(value.to_owned()),
            Some(("--until", value)) => overrides.until = Some(value.to_owned()),
            Some(("--time-zone", value)) => overrides.time_zone = Some(value.to_owned()),
            Some(("--share", value)) => overrides.share = Some(value.to_owned()),
            _ => {
                toml.push_str(line);
                toml.push('\n');
            }
        }
    }
    (toml, overrides)
}

fn is_told(error: &ConfigError) {
    assert!(!error.faults.is_empty());
    for fault in &error.faults {
        assert!(!fault.place.is_empty() && !fault.reason.is_empty(), "{fault:?}");
    }
}

/// Asserts that the other rooms can work with what was checked.
fn make_sense(settings: Settings) {
    let mapping = settings.mapping;
    assert!(mapping.since.zip(mapping.until).is_none_or(|(since, until)| since < until));
    assert!([settings.limits.settle, settings.limits.give_up].iter().all(|span| *span <= LONGEST_SPAN));
    let share = Share::parse(&settings.limits.share).expect("a checked share");
    runs(|| drop(Pacer::new(200, share, || 8 * 60)));
    match Mapping::new(mapping) {
        Err(faults) => assert!(!faults.is_empty()),
        Ok(mapping) => {
            drop(mapping.bind_json());
            let names = ["started_at", "from", "x"].map(str::to_owned).to_vec();
            if let Err(faults) = mapping.bind(&Arc::new(Headings::new(names))) {
                assert!(!faults.is_empty());
            }
        }
    }
}

/// A pacer takes its time from a runtime.
fn runs(work: impl FnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async { work() });
}
