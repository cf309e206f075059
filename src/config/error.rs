//! What is wrong with a configuration: every fault at once, each with its place.

use std::fmt;

/// One fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// The key's dotted name, or the variable's; empty where the file as a whole is at fault.
    pub key: String,
    /// `callport.toml:12`, `--set`, an option's name, or `environment`.
    pub place: String,
    /// What is wrong and what to do.
    pub reason: String,
}

impl ConfigFault {
    pub(super) fn new(key: impl Into<String>, place: impl fmt::Display, reason: impl Into<String>) -> Self {
        Self { key: key.into(), place: place.to_string(), reason: reason.into() }
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "`{}` ", self.key)?;
        }
        f.write_str(&self.reason)
    }
}

/// A configuration that cannot be used; shown as one fault a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// At least one.
    pub faults: Vec<ConfigFault>,
}

impl ConfigError {
    pub(super) fn one(fault: ConfigFault) -> Self {
        Self { faults: vec![fault] }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_told_on_a_line_of_its_own() {
        let error = ConfigError {
            faults: vec![
                ConfigFault::new("call.ids", "callport.toml:3", "is unknown"),
                ConfigFault::new("", "callport.toml", "cannot be read"),
            ],
        };
        assert_eq!(
            error.to_string(),
            "callport.toml:3: `call.ids` is unknown\ncallport.toml: cannot be read"
        );
    }
}
