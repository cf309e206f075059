//! What the command line says for itself: options with a name of their own, and `--set`.

use super::{
    raw::{Place, RawSettings},
    value::Value,
};

/// The options that stand above the file. What is left out (`None`, empty) leaves the file as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `KEY=VALUE` of every `--set`, in their order.
    pub set: Vec<String>,
    /// The FILE arguments: instead of `[source] files`, and relative to the working directory.
    pub files: Vec<String>,
    /// `--preset`.
    pub preset: Option<String>,
    /// `--time-zone`.
    pub time_zone: Option<String>,
    /// `--share`.
    pub share: Option<String>,
    /// `--since`.
    pub since: Option<String>,
    /// `--until`.
    pub until: Option<String>,
}

impl Overrides {
    /// Lays these over `raw`: each `--set` first, then the options.
    pub(super) fn lay_over(&self, raw: &mut RawSettings) {
        for text in &self.set {
            raw.set(text);
        }
        for (key, option, value) in [
            ("source.preset", "--preset", &self.preset),
            ("source.time_zone", "--time-zone", &self.time_zone),
            ("limits.share", "--share", &self.share),
        ] {
            if let Some(value) = value {
                raw.put(key, Value::Text(value.clone()), Place::Option(option));
            }
        }
        if !self.files.is_empty() {
            raw.put("source.files", Value::Texts(self.files.clone()), Place::Option("FILE"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_stronger_than_a_set() {
        let mut raw = RawSettings::default();
        let overrides = Overrides {
            set: vec!["source.time_zone=UTC".into(), "limits.share=0.1".into()],
            share: Some("0.9".into()),
            ..Overrides::default()
        };
        overrides.lay_over(&mut raw);
        assert_eq!(raw.get("source.time_zone").unwrap().value, Value::Text("UTC".into()));
        assert_eq!(raw.get("limits.share").unwrap().value, Value::Text("0.9".into()));
        assert_eq!(raw.get("limits.share").unwrap().place, Place::Option("--share"));
    }
}
