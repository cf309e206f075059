//! Which previous platform an export comes from.

use super::sample::Sample;
use crate::{
    config::{Preset, Written},
    source::{Input, SourceError, SourceSettings},
};

/// Rows that recognition looks at.
const FEW: usize = 20;

/// The preset that fits `input` best, if any does, with what was `written` laid over how each reads it; what cannot be read
/// at all is an error.
pub(super) fn recognise(input: &Input, written: &Written) -> Result<Option<Preset>, SourceError> {
    let mut samples: Vec<(SourceSettings, Option<Sample>)> = Vec::new();
    let mut best: Option<(usize, Preset)> = None;
    for preset in Preset::all() {
        let Some(recognition) = preset.head.recognise.clone() else { continue };
        let settings = preset.source(written);
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
        Sample::read(input, &written.source(), FEW)?;
    }
    Ok(best.map(|(_, preset)| preset))
}

/// Whether the columns of `input`, read by `settings`, map by the names that they bear. A file without a row bears any.
pub(super) fn bears_own_names(input: &Input, settings: &SourceSettings) -> Result<bool, SourceError> {
    let sample = Sample::read(input, settings, FEW)?;
    Ok(sample.rows.is_empty() || sample.first().bears_own_names())
}
