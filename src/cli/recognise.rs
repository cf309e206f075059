//! Which previous platform an export comes from.

use std::sync::Arc;

use crate::{
    call::{Headings, Row},
    config::Preset,
    mapping::FirstRows,
    source::{Input, Reader, Record, SourceError, SourceSettings},
};

/// Rows that recognition looks at.
const FEW: usize = 20;

/// The first rows of a file.
pub(super) struct Sample {
    pub(super) headings: Option<Arc<Headings>>,
    pub(super) rows: Vec<Row>,
}

impl Sample {
    /// Reads up to `most` rows; those that cannot be read are passed over.
    pub(super) fn read(input: &Input, settings: &SourceSettings, most: usize) -> Result<Self, SourceError> {
        let reader = Reader::open(input, settings)?;
        let headings = reader.headings();
        let mut rows = Vec::new();
        for record in reader.take(most) {
            if let Record::Row(row) = record? {
                rows.push(row);
            }
        }
        Ok(Self { headings, rows })
    }

    fn first(&self) -> FirstRows<'_> {
        FirstRows {
            headings: self.headings.as_deref(),
            rows: self.rows.iter().map(|row| &row.cells).collect(),
        }
    }
}

/// The preset that fits `input` best, if any does; what cannot be read at all is an error.
pub(super) fn recognise(input: &Input) -> Result<Option<Preset>, SourceError> {
    let mut samples: Vec<(SourceSettings, Option<Sample>)> = Vec::new();
    let mut best: Option<(usize, Preset)> = None;
    for preset in Preset::all() {
        let Some(recognition) = preset.head.recognise.clone() else { continue };
        let settings = preset.source();
        if !samples.iter().any(|(known, _)| *known == settings) {
            let sample = Sample::read(input, &settings, FEW).ok();
            samples.push((settings.clone(), sample));
        }
        let sample =
            samples.iter().find(|(known, _)| *known == settings).and_then(|(_, sample)| sample.as_ref());
        let fits = sample.and_then(|sample| recognition.fits(&sample.first()));
        if let Some(named) = fits
            && best.as_ref().is_none_or(|(most, _)| named > *most)
        {
            best = Some((named, preset));
        }
    }
    if best.is_none() {
        Sample::read(input, &SourceSettings::default(), FEW)?;
    }
    Ok(best.map(|(_, preset)| preset))
}

/// Whether the columns of `input`, read by `settings`, map by the names that they bear. A file without a row bears any.
pub(super) fn bears_own_names(input: &Input, settings: &SourceSettings) -> Result<bool, SourceError> {
    let sample = Sample::read(input, settings, FEW)?;
    Ok(sample.rows.is_empty() || sample.first().bears_own_names())
}
