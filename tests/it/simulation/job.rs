//! What an import of the simulation is told, unless a story says otherwise.

use std::{path::Path, time::Duration};

use callport::{
    call::Moment,
    checkpoint::Lineage,
    import::{Clock, ConversationSettings, DeliverySettings, ImportJob, Reading},
    mapping::{Mapping, MappingSettings},
    source::{SourceSettings, expand},
};

/// So long without any success ends a run.
pub(super) const GIVE_UP: Duration = Duration::from_secs(15 * 60);

/// An import of `file`, whose columns bear our own names, at `now`.
pub(super) fn job(file: &Path, group_by: &str, now: Moment) -> ImportJob {
    let source_name = "sim".to_owned();
    let mapping = MappingSettings {
        source_name: source_name.clone(),
        by_own_names: true,
        group_by: group_by.to_owned(),
        subject: "Calls".to_owned(),
        ..MappingSettings::default()
    };
    ImportJob {
        ask: None,
        reading: Reading {
            inputs: expand(&[file.display().to_string()]).unwrap(),
            source: SourceSettings::default(),
            mapping: Mapping::new(mapping).unwrap(),
            limit: None,
            strict: false,
            sampled: false,
            now,
            noted: Vec::new(),
            lineage: Lineage::default(),
        },
        delivery: DeliverySettings {
            conversation: ConversationSettings::default(),
            inbox: None,
            inboxes: Vec::new(),
            source_name,
            settle: Duration::from_secs(30),
            give_up: GIVE_UP,
            share_tag: false,
            amid: false,
            accept: Vec::new(),
            rejects_strangers: false,
            workers: None,
        },
        accept_mapping: false,
        known: None,
        account: None,
        run: "run".to_owned(),
        clock: Clock::starting_at(now),
        chance_seed: 7,
    }
}
