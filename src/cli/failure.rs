//! A command that could not do what it was asked: what happened, what to do, and the exit code.

use std::{error::Error, io::IsTerminal};

use super::{args::Color, exit_code};
use crate::{
    checkpoint::CheckpointError,
    config::ConfigError,
    import::{ImportError, PullError},
    mapping::SettingFault,
    report::RejectsError,
    sandbox::SandboxError,
    source::SourceError,
};

/// Why a command ended.
#[derive(Debug)]
pub(super) struct Failure {
    /// The exit code.
    pub(super) code: u8,
    error: anyhow::Error,
    advice: Vec<String>,
}

impl Failure {
    fn new(code: u8, error: impl Into<anyhow::Error>) -> Self {
        Self { code, error: error.into(), advice: Vec::new() }
    }

    /// Wrong usage; `message` is a lower-case fragment.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(exit_code::USAGE, anyhow::Error::msg(message.into()))
    }

    /// Something that should not happen.
    pub(super) fn unexpected(error: impl Error + Send + Sync + 'static) -> Self {
        Self::new(exit_code::UNEXPECTED, error)
    }

    /// Standard output does not take the result. What was done is done.
    pub(super) fn output(error: std::io::Error) -> Self {
        Self::new(
            exit_code::UNEXPECTED,
            anyhow::Error::new(error).context("the result could not be written to standard output"),
        )
    }

    /// A mapping that makes no sense, whatever the file.
    pub(super) fn mapping(faults: Vec<SettingFault>) -> Self {
        let lines: Vec<String> =
            faults.into_iter().map(|fault| format!("{}: {}", fault.key, fault.reason)).collect();
        Self::usage(lines.join("\n"))
    }

    /// The account could not be asked. What an import would add to its advice says nothing to who only checks.
    pub(super) fn of_survey(error: ImportError) -> Self {
        let advice = match &error {
            ImportError::Stopped | ImportError::GaveUp { .. } | ImportError::Refused(_) => Some(
                "the account was not asked: what is told of the rows and the plan is as without --online",
            ),
            _ => None,
        };
        let code = Self::from(error.clone()).code;
        Self::new(code, error).with_advice(advice.map(str::to_owned))
    }

    /// The same, but stopped before its end with something done.
    pub(super) fn stopped(mut self) -> Self {
        self.code = exit_code::STOPPED;
        self
    }

    /// The same with what to do, if there is something.
    pub(super) fn with_advice(mut self, advice: Option<String>) -> Self {
        self.advice.extend(advice);
        self
    }

    /// Says what happened, then what to do.
    pub(super) fn print(&self, color: Color) {
        let colored = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        };
        let (red, plain) = if colored { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
        let mut text = format!("{red}error{plain}: {}\n", self.told());
        for advice in &self.advice {
            text.extend(["  ", advice.as_str(), "\n"]);
        }
        super::say(&text);
    }

    /// The error with its causes, each once: some messages name their cause themselves.
    fn told(&self) -> String {
        let mut text = String::new();
        for cause in self.error.chain() {
            let cause = cause.to_string();
            if !text.contains(&cause) {
                if !text.is_empty() {
                    text.push_str(": ");
                }
                text.push_str(&cause);
            }
        }
        text
    }
}

impl From<CheckpointError> for Failure {
    fn from(error: CheckpointError) -> Self {
        let code = if error.is_refusal() {
            exit_code::USAGE
        } else if error.is_passing() {
            exit_code::STOPPED
        } else {
            exit_code::UNEXPECTED
        };
        let advice = error.advice();
        Self::new(code, error).with_advice(advice)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(exit_code::USAGE, error)
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self::new(exit_code::USAGE, error)
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        Self::new(exit_code::USAGE, error)
    }
}

impl From<RejectsError> for Failure {
    /// The calls are where they belong; what is missing is made by the same command again.
    fn from(error: RejectsError) -> Self {
        let advice = "see that there is space and that it may be written, and run the same command again: it sends nothing \
                      twice and writes the rejected rows";
        Self::new(exit_code::STOPPED, error).with_advice(Some(advice.to_owned()))
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        let code = match &error {
            ImportError::Checkpoint(error) => return error.clone().into(),
            ImportError::Source(_)
            | ImportError::Mapping { .. }
            | ImportError::Setting(_)
            | ImportError::Contradicted(_) => exit_code::USAGE,
            ImportError::Strict(_) => exit_code::INCOMPLETE,
            ImportError::Stopped | ImportError::GaveUp { .. } | ImportError::Declined => exit_code::STOPPED,
            ImportError::Refused(_) => exit_code::REFUSED,
            ImportError::Unexpected(_) => exit_code::UNEXPECTED,
        };
        let advice = match &error {
            ImportError::Contradicted(_) => Some(
                "put the newest copy of the checkpoint back, or let `callport recover` add what the account holds to this one",
            ),
            ImportError::Strict(_) => Some("mend them, or leave --strict out to import the others"),
            ImportError::Stopped | ImportError::GaveUp { .. } => {
                Some("run the same command again: it goes on where it stopped and imports nothing twice")
            }
            ImportError::Refused(_) => Some(
                "when that is mended, run the same command again: it goes on where it stopped and imports nothing twice",
            ),
            _ => None,
        };
        Self::new(code, error).with_advice(advice.map(str::to_owned))
    }
}

impl From<PullError> for Failure {
    fn from(error: PullError) -> Self {
        let again = "run the same command again: it goes on where it stopped";
        match error {
            // What an import would add to its advice says nothing to who pulls.
            PullError::Account(error) => {
                let advice =
                    matches!(&error, ImportError::Stopped | ImportError::GaveUp { .. }).then_some(again);
                let code = Self::from(error.clone()).code;
                Self::new(code, error).with_advice(advice.map(str::to_owned))
            }
            PullError::Part(_) => Self::new(exit_code::USAGE, error),
            PullError::Unwritable { .. } => {
                let advice = format!("see that there is space and that it may be written, and {again}");
                Self::new(exit_code::STOPPED, error).with_advice(Some(advice))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_of_an_import_has_its_code() {
        let code = |error: ImportError| Failure::from(error).code;
        assert_eq!(code(ImportError::Setting("x".into())), 2);
        assert_eq!(code(CheckpointError::InUse("c".into()).into()), 2);
        assert_eq!(code(ImportError::Strict("1 row is".into())), 3);
        assert_eq!(code(CheckpointError::DiskFull.into()), 4);
        assert_eq!(code(ImportError::Stopped), 4);
        assert_eq!(code(ImportError::GaveUp { seconds: 9, why: "x".into() }), 4);
        assert_eq!(code(ImportError::Refused("x".into())), 5);
        assert_eq!(code(CheckpointError::Closed.into()), 1);
    }

    #[test]
    fn a_cause_is_told_once() {
        let inner = std::io::Error::other("no space");
        let source = SourceError::Unopened { name: "a.csv".into(), cause: inner };
        assert_eq!(Failure::from(source).told(), "`a.csv` cannot be opened: no space");
    }
}
