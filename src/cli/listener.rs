//! Who listens to an import: the progress, the rejects file, the list of problems.

use std::{
    io::IsTerminal,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;

use super::{args::Common, failure::Failure};
use crate::{
    import::{EventSink, ImportEvent, Reading},
    report::{ProblemList, Progress, ProgressForm, RejectsError, RejectsFile},
};

/// Gives each event to all who listen.
pub(super) struct Listener {
    progress: Progress,
    heard: Mutex<Heard>,
}

struct Heard {
    rejects: Option<RejectsFile>,
    failed: Option<RejectsError>,
    problems: ProblemList,
}

impl Listener {
    /// Begins to listen, and to log.
    pub(super) fn begin(common: &Common, rejects: PathBuf, reading: &Reading) -> Self {
        let progress = progress(common);
        let read: Vec<PathBuf> =
            reading.inputs.iter().filter_map(|input| input.path().map(std::path::Path::to_owned)).collect();
        let rejects = Some(RejectsFile::new(rejects, &read, &reading.source));
        let heard = Heard { rejects, failed: None, problems: ProblemList::default() };
        Self { progress, heard: Mutex::new(heard) }
    }

    /// Puts the rejects files in place; the first of them, and what was rejected. Where not all rows were read, nothing is
    /// said of a file that an earlier run has left.
    pub(super) fn finish(&self, all_read: bool) -> Result<(Option<PathBuf>, ProblemList), Failure> {
        self.progress.finish();
        let mut heard = self.heard();
        if let Some(error) = heard.failed.take() {
            return Err(error.into());
        }
        let paths = match heard.rejects.take() {
            Some(rejects) => {
                for path in rejects.left_from_before().iter().filter(|_| all_read) {
                    let path = path.display();
                    tracing::warn!("no row is rejected: `{path}` is of an earlier run");
                }
                rejects.finish()?
            }
            None => Vec::new(),
        };
        Ok((paths.into_iter().next(), std::mem::take(&mut heard.problems)))
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Progress as it was asked for; logs keep out of its way.
pub(super) fn progress(common: &Common) -> Progress {
    let form = if common.quiet {
        ProgressForm::Quiet
    } else if std::io::stderr().is_terminal() {
        ProgressForm::Bar
    } else {
        ProgressForm::Lines
    };
    let began = Instant::now();
    let progress = Progress::new(form, Box::new(std::io::stderr()), move || began.elapsed());
    super::logging::begin(common, progress.log_writer());
    progress
}

impl EventSink for Listener {
    fn emit(&self, event: ImportEvent) {
        if let ImportEvent::Rejected(row) = &event {
            let mut heard = self.heard();
            heard.problems.add(row);
            // A row that cannot be written aside is told at the end; the others go on.
            if let Some(Err(error)) = heard.rejects.as_mut().map(|rejects| rejects.add(row)) {
                heard.failed.get_or_insert(error);
            }
        }
        self.progress.emit(event);
    }
}
