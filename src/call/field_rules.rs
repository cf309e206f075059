//! What the service accepts in the fields of a customer, as one table (the page 'Create Phone Thread').

/// What a field must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Between so many characters.
    Length(usize, usize),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// No rule is documented.
    Free,
}

/// A field of the customer object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldRule {
    /// Its key in `[customer]` of the configuration.
    pub key: &'static str,
    /// Its name in the service's JSON.
    pub name: &'static str,
    /// What it must be.
    pub rule: Rule,
}

const fn field(key: &'static str, name: &'static str, rule: Rule) -> FieldRule {
    FieldRule { key, name, rule }
}

/// Every optional field of a customer but the e-mail and the number.
pub const FIELD_RULES: &[FieldRule] = &[
    field("first_name", "firstName", Rule::Length(1, 40)),
    field("last_name", "lastName", Rule::Length(1, 40)),
    field("photo_url", "photoUrl", Rule::Length(1, 200)),
    field("job_title", "jobTitle", Rule::Length(1, 60)),
    field("photo_type", "photoType", Rule::OneOf(PHOTO_TYPES)),
    field("background", "background", Rule::Length(1, 200)),
    field("location", "location", Rule::Length(1, 60)),
    field("organization", "organization", Rule::Length(1, 60)),
    field("gender", "gender", Rule::OneOf(&["male", "female", "unknown"])),
    field("age", "age", Rule::Free),
];

const PHOTO_TYPES: &[&str] =
    &["unknown", "gravatar", "twitter", "facebook", "googleprofile", "googleplus", "linkedin", "instagram"];

/// Why the service would refuse a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldFault {
    /// Too long or too short.
    #[error("has {found} characters, {least} to {most} are allowed")]
    Length {
        /// Characters in the value.
        found: usize,
        /// The least allowed.
        least: usize,
        /// The most allowed.
        most: usize,
    },
    /// Not a word of the list.
    #[error("is none of {}", .0.join(", "))]
    NotOneOf(&'static [&'static str]),
}

/// Whether the service would accept `value` under `rule`.
pub fn check_field(rule: Rule, value: &str) -> Result<(), FieldFault> {
    match rule {
        Rule::Length(least, most) => {
            let found = value.chars().count();
            if (least..=most).contains(&found) {
                Ok(())
            } else {
                Err(FieldFault::Length { found, least, most })
            }
        }
        Rule::OneOf(words) if words.contains(&value) => Ok(()),
        Rule::OneOf(words) => Err(FieldFault::NotOneOf(words)),
        Rule::Free => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str) -> Rule {
        FIELD_RULES.iter().find(|field| field.name == name).unwrap().rule
    }

    #[test]
    fn lengths_count_characters_not_bytes() {
        assert_eq!(check_field(rule("firstName"), &"é".repeat(40)), Ok(()));
        let fault = check_field(rule("firstName"), &"é".repeat(41)).unwrap_err();
        assert_eq!(fault.to_string(), "has 41 characters, 1 to 40 are allowed");
        assert!(check_field(rule("photoUrl"), &"x".repeat(201)).is_err());
        assert!(check_field(rule("jobTitle"), &"x".repeat(61)).is_err());
    }

    #[test]
    fn words_outside_the_list_are_refused() {
        assert_eq!(check_field(rule("gender"), "female"), Ok(()));
        assert_eq!(
            check_field(rule("gender"), "x").unwrap_err().to_string(),
            "is none of male, female, unknown"
        );
        assert_eq!(check_field(rule("photoType"), "gravatar"), Ok(()));
        assert!(check_field(rule("photoType"), "myspace").is_err());
    }
}
