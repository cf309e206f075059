//! The way to the records inside a JSON document.

use std::fmt;

/// A JSON Pointer (RFC 6901): `/data/calls`; an empty one means the whole document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    text: String,
    steps: Vec<String>,
}

/// A text that is no JSON Pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is `{0}`: each step begins with `/`, as in `/calls` or `/data/calls`")]
pub struct NoPointer(String);

impl Pointer {
    /// Reads `text`.
    pub fn parse(text: &str) -> Result<Self, NoPointer> {
        if text.is_empty() {
            return Ok(Self { text: String::new(), steps: Vec::new() });
        }
        let steps = text.strip_prefix('/').ok_or_else(|| NoPointer(text.to_owned()))?;
        let steps = steps.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        Ok(Self { text: text.to_owned(), steps })
    }

    /// The pointer to `key` of the document itself.
    pub(super) fn to_key(key: &str) -> Self {
        let text = format!("/{}", key.replace('~', "~0").replace('/', "~1"));
        Self { text, steps: vec![key.to_owned()] }
    }

    /// The keys and indices, from the outside in.
    pub(super) fn steps(&self) -> &[String] {
        &self.steps
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_parted_by_slashes_and_may_hold_them() {
        assert_eq!(Pointer::parse("/data/calls").unwrap().steps(), ["data", "calls"]);
        assert_eq!(Pointer::parse("/a~1b/~01").unwrap().steps(), ["a/b", "~1"]);
        assert_eq!(Pointer::parse("").unwrap().steps(), [""; 0]);
        assert_eq!(Pointer::to_key("a/b~"), Pointer::parse("/a~1b~0").unwrap());
        let told = Pointer::parse("data").unwrap_err().to_string();
        assert_eq!(told, "is `data`: each step begins with `/`, as in `/calls` or `/data/calls`");
    }
}
