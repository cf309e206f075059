//! The properties, tried in the normal tests: on every seed, on damaged seeds and on words strung together.

use std::{
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::TestRunner,
};

use super::{PROPERTIES, Property, property};

/// A larger seed, or one that unpacks to megabytes, is tried as it is alone.
const LARGEST: usize = 8_000;

/// What is done to a seed.
#[derive(Debug, Clone)]
enum Damage {
    Cut(Index),
    Drop(Index, Index),
    Double(Index, Index),
    Byte(Index, u8),
    Word(Index, &'static str),
}

fn folder(property: &Property) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(property.name)
}

fn seeds(property: &Property) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder(property)).expect("a property has a folder of seeds");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} has no seed", property.name);
    paths.iter().map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect()
}

#[test]
fn every_property_has_a_target_and_every_target_a_property() {
    let named = |folder: &str, ending: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.map(|name| name.trim_end_matches(ending).to_owned()).collect()
    };
    let properties: BTreeSet<String> = PROPERTIES.iter().map(|property| property.name.to_owned()).collect();
    assert_eq!(named("fuzz/fuzz_targets", ".rs"), properties);
    assert_eq!(named("fuzz/seeds", ""), properties);
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml")).unwrap();
    for name in properties {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is no binary of fuzz/Cargo.toml");
    }
}

#[test]
fn every_seed_holds() {
    let mut failed = Vec::new();
    for property in &PROPERTIES {
        for (name, seed) in seeds(property) {
            if catch_unwind(AssertUnwindSafe(|| (property.holds)(&seed))).is_err() {
                failed.push(name);
            }
        }
    }
    assert!(failed.is_empty(), "these do not hold:\n{}", failed.join("\n"));
}

fn any_damage(words: &'static [&'static str]) -> impl Strategy<Value = Damage> {
    let index = any::<Index>;
    prop_oneof![
        1 => index().prop_map(Damage::Cut),
        2 => (index(), index()).prop_map(|(from, to)| Damage::Drop(from, to)),
        2 => (index(), index()).prop_map(|(from, to)| Damage::Double(from, to)),
        2 => (index(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        4 => (index(), select(words)).prop_map(|(at, word)| Damage::Word(at, word)),
    ]
}

fn damaged(mut seed: Vec<u8>, damages: Vec<Damage>) -> Vec<u8> {
    for damage in damages {
        let place = |index: Index| index.index(seed.len() + 1);
        let span = |from, to| {
            let (from, to) = (place(from), place(to));
            from.min(to)..from.max(to)
        };
        match damage {
            Damage::Cut(at) => seed.truncate(place(at)),
            Damage::Drop(from, to) => drop(seed.drain(span(from, to))),
            Damage::Double(from, to) => {
                let span = span(from, to);
                let again = seed[span.clone()].to_vec();
                seed.splice(span.end..span.end, again);
            }
            Damage::Byte(at, byte) => seed.insert(place(at), byte),
            Damage::Word(at, word) => {
                let at = place(at);
                seed.splice(at..at, word.bytes());
            }
        }
    }
    seed
}

/// Tries the property called `name` on inputs that chance makes.
fn try_by_chance(name: &str) {
    let property = property(name);
    let seeds = seeds(property).into_iter().map(|(_, seed)| seed);
    let seeds: Vec<Vec<u8>> = seeds.filter(|seed| seed.len() <= LARGEST).collect();
    let strung =
        prop::collection::vec(select(property.words), 0..40).prop_map(|words| words.concat().into_bytes());
    let from_seed = (select(seeds), prop::collection::vec(any_damage(property.words), 1..6))
        .prop_map(|(seed, damages)| damaged(seed, damages));
    let config =
        ProptestConfig { source_file: Some(file!()), failure_persistence: None, ..ProptestConfig::default() };
    let tried = TestRunner::new(config).run(&prop_oneof![strung, from_seed], |input| {
        (property.holds)(&input);
        Ok(())
    });
    if let Err(failure) = tried {
        panic!("{name}: {failure}");
    }
}

#[test]
fn answers_of_any_kind_are_borne() {
    try_by_chance("answers");
}

#[test]
fn any_configuration_makes_sense_or_is_told_why_not() {
    try_by_chance("configuration");
}

#[test]
fn no_line_of_any_csv_file_is_lost() {
    try_by_chance("csv");
}

#[test]
fn any_bytes_are_a_table_or_refused_packed_or_not() {
    try_by_chance("decode");
}

#[test]
fn any_json_document_gives_its_records_or_is_told_where_it_goes_wrong() {
    try_by_chance("json");
}

#[test]
fn no_line_of_any_jsonl_file_is_lost() {
    try_by_chance("jsonl");
}

#[test]
fn any_html_reads_as_tidy_lines() {
    try_by_chance("plain_text");
}

#[test]
fn the_sandbox_answers_any_request() {
    try_by_chance("sandbox");
}

#[test]
fn any_time_and_duration_reads_back_or_is_refused() {
    try_by_chance("times_and_durations");
}
