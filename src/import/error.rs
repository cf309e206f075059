//! Why an import ends before its end.

use crate::{checkpoint::CheckpointError, helpscout::ApiError, mapping::SettingFault, source::SourceError};

/// What ended an import.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read.
    #[error(transparent)]
    Source(#[from] std::sync::Arc<SourceError>),
    /// The mapping does not fit a file.
    #[error("the mapping does not fit `{file}`{}", shown(.faults))]
    Mapping {
        /// The file.
        file: String,
        /// All that is wrong.
        faults: Vec<SettingFault>,
    },
    /// A setting does not fit the account.
    #[error("{0}")]
    Setting(String),
    /// The account holds calls that the checkpoint does not know to be imported: nothing is sent from it.
    #[error("{0}")]
    Contradicted(String),
    /// The checkpoint was refused, or could not be written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// `--strict`, and rows were rejected: nothing was sent.
    #[error("{0} rejected, and --strict was asked for: nothing was sent")]
    Strict(String),
    /// A person asked to stop.
    #[error("stopped on request")]
    Stopped,
    /// A person said no to the question before the first write.
    #[error("nothing was sent")]
    Declined,
    /// A fault of this program.
    #[error("{0}")]
    Unexpected(String),
    /// The network or the service was away for too long.
    #[error("no success for {seconds} s: {why}")]
    GaveUp {
        /// For how long.
        seconds: u64,
        /// What happened last.
        why: String,
    },
    /// The service refuses as a whole, or behaves otherwise than its documents say.
    #[error("{0}")]
    Refused(String),
}

impl ImportError {
    /// Whether it forbids the first request, so that nothing of the run stays staged.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Self::Setting(_) | Self::Contradicted(_) | Self::Declined => true,
            Self::Checkpoint(error) => error.is_refusal(),
            _ => false,
        }
    }
}

fn shown(faults: &[SettingFault]) -> String {
    let mut lines = vec![String::new()];
    lines.extend(faults.iter().map(ToString::to_string));
    lines.join("\n  ")
}

impl From<ApiError> for ImportError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Stopped => Self::Stopped,
            ApiError::GaveUp { elapsed, why, .. } => Self::GaveUp { seconds: elapsed.as_secs(), why },
            other => Self::Refused(other.to_string()),
        }
    }
}
