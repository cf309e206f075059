//! Whose fault a refused create is: one of its calls', their customer's, or the request's as a whole.

use super::FieldError;

/// Where the fault of a refused create lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blame {
    /// With these calls (their indices in the request), each with the service's words.
    Calls(Vec<(usize, String)>),
    /// With some call or with their customer, but the service does not say which.
    Unnamed,
    /// With what all calls share (`subject`, `mailboxId`, `tags`, …): no call can mend it, so the run stops.
    Request(String),
}

/// Reads the errors of a refused create of `calls` calls. `threads[N]` names a call; `threads` alone and `customer` (which
/// is made from a call) blame the calls without naming one; any other path is the request's.
pub fn blame(errors: &[FieldError], calls: usize) -> Blame {
    if let Some(error) = errors.iter().find(|error| !is_of_calls(&error.path)) {
        return Blame::Request(format!("{}: {}", error.path, error.message));
    }
    let mut named: Vec<(usize, String)> = Vec::new();
    for error in errors {
        let Some((index, field)) = thread_index(&error.path).filter(|(index, _)| *index < calls) else {
            continue;
        };
        let words =
            if field.is_empty() { error.message.clone() } else { format!("{field}: {}", error.message) };
        match named.iter_mut().find(|(known, _)| *known == index) {
            Some((_, told)) => {
                told.push_str("; ");
                told.push_str(&words);
            }
            None => named.push((index, words)),
        }
    }
    named.sort_unstable_by_key(|(index, _)| *index);
    if named.is_empty() { Blame::Unnamed } else { Blame::Calls(named) }
}

/// What two refusals must share to be alike: paths without their indices, and the words.
pub fn signature(message: &str, errors: &[FieldError]) -> String {
    if errors.is_empty() {
        // The correlation id differs each time.
        return message.split(", correlation ").next().unwrap_or_default().to_owned();
    }
    let mut parts: Vec<String> = errors
        .iter()
        .map(|error| {
            let path: String = error.path.chars().filter(|c| !c.is_ascii_digit()).collect();
            format!("{path}={}", error.message)
        })
        .collect();
    parts.sort_unstable();
    parts.dedup();
    parts.join("|")
}

fn is_of_calls(path: &str) -> bool {
    path.is_empty()
        || ["threads", "customer", "text", "createdAt"].iter().any(|root| {
            path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
}

/// `threads[3].customer.email` is call 3, field `customer.email`.
fn thread_index(path: &str) -> Option<(usize, &str)> {
    let (index, rest) = path.strip_prefix("threads[")?.split_once(']')?;
    Some((index.parse().ok()?, rest.trim_start_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(path: &str, message: &str) -> FieldError {
        FieldError { path: path.into(), message: message.into() }
    }

    #[test]
    fn a_named_thread_is_a_call() {
        let errors =
            [error("threads[3].text", "may not be empty"), error("threads[1].customer.email", "bad")];
        let calls = vec![(1, "customer.email: bad".to_owned()), (3, "text: may not be empty".to_owned())];
        assert_eq!(blame(&errors, 5), Blame::Calls(calls));
    }

    #[test]
    fn a_field_that_all_calls_share_stops_the_run() {
        let errors = [error("threads[0].text", "bad"), error("mailboxId", "not found")];
        assert_eq!(blame(&errors, 5), Blame::Request("mailboxId: not found".into()));
        assert_eq!(blame(&[error("customerFields", "x")], 1), Blame::Request("customerFields: x".into()));
    }

    #[test]
    fn a_refusal_that_names_nobody_blames_nobody() {
        assert_eq!(blame(&[], 5), Blame::Unnamed);
        assert_eq!(blame(&[error("threads", "bad")], 5), Blame::Unnamed);
        assert_eq!(blame(&[error("customer.email", "bad")], 5), Blame::Unnamed);
        assert_eq!(blame(&[error("threads[9].text", "beyond the request")], 5), Blame::Unnamed);
    }

    #[test]
    fn refusals_are_alike_whatever_thread_they_name() {
        let one = signature("Bad request", &[error("threads[3].text", "x")]);
        assert_eq!(one, signature("Bad request", &[error("threads[12].text", "x")]));
        assert_ne!(one, signature("Bad request", &[error("threads[3].text", "y")]));
        assert_eq!(signature("a, correlation 1", &[]), signature("a, correlation 2", &[]));
    }
}
