//! What is wrong with a setting of the mapping.

/// A setting that cannot be used, alone or with a file's headings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` {reason}")]
pub struct SettingFault {
    /// The setting's dotted name in the configuration.
    pub key: String,
    /// What is wrong and what to do, as a lower-case fragment.
    pub reason: String,
}

impl SettingFault {
    pub(super) fn new(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { key: key.into(), reason: reason.into() }
    }
}

/// Of `known`, the name most like `name`, if any is like it at all.
pub(super) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    const LIKE: f64 = 0.75;
    let name = name.to_lowercase();
    known
        .map(|other| (strsim::jaro_winkler(&name, &other.trim().to_lowercase()), other))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| other)
}

/// The nearest name as a question in brackets, or nothing.
pub(super) fn hint<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> String {
    nearest(name, known).map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"))
}

/// Names as they stand in a message.
pub(super) fn list<'k>(names: impl Iterator<Item = &'k str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_told_only_if_it_is_near() {
        let known = ["Start Time", "Duration", "From"];
        assert_eq!(nearest("start_time", known.into_iter()), Some("Start Time"));
        assert_eq!(nearest("Color", known.into_iter()), None);
        assert_eq!(hint("Form", known.into_iter()), " (did you mean `From`?)");
        assert_eq!(list(known.into_iter()), "`Start Time`, `Duration`, `From`");
    }
}
