//! Why a question to the service has no answer.

use std::time::Duration;

/// Why a read failed for good. No message holds a query: it may name a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// A person asked to stop while the service was away.
    #[error("stopped on request")]
    Stopped,
    /// The service does not take the credentials.
    #[error("Help Scout refused the credentials: {words}")]
    Credentials {
        /// The service's own words.
        words: String,
    },
    /// The token's owner may not read this, or the account has no API.
    #[error("Help Scout denied access to `{target}`: {words}")]
    Forbidden {
        /// What was asked for, without its query.
        target: String,
        /// The service's own words.
        words: String,
    },
    /// There is no such thing, or no longer.
    #[error("`{target}` was not found")]
    NotFound {
        /// What was asked for, without its query.
        target: String,
    },
    /// It is elsewhere.
    #[error(
        "Help Scout's address redirects to `{location}`, which is not followed: see whether a proxy or a portal stands \
         in between"
    )]
    Moved {
        /// `Location`, as it came.
        location: String,
    },
    /// No success for so long that it makes no sense to go on.
    #[error("gave up after {attempts} attempts in {} s: {why}", .elapsed.as_secs())]
    GaveUp {
        /// How often it was tried.
        attempts: u32,
        /// For how long.
        elapsed: Duration,
        /// What happened last.
        why: String,
    },
    /// The service, or something before it, behaves otherwise than its documents say.
    #[error("unexpected answer {status} to `{target}`: {why}{}", shown(.correlation.as_deref()))]
    Undocumented {
        /// The HTTP status.
        status: u16,
        /// What was asked for, without its query.
        target: String,
        /// What is wrong with the answer.
        why: String,
        /// `Correlation-Id`: the service's staff ask for it.
        correlation: Option<String>,
    },
}

fn shown(correlation: Option<&str>) -> String {
    correlation.map(|id| format!(" (Correlation-Id `{id}`)")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_carry_numbers_and_the_correlation() {
        let error = ApiError::Undocumented {
            status: 418,
            target: "/v2/users".into(),
            why: "teapot".into(),
            correlation: Some("a#0".into()),
        };
        assert_eq!(error.to_string(), "unexpected answer 418 to `/v2/users`: teapot (Correlation-Id `a#0`)");
        let error = ApiError::GaveUp { attempts: 7, elapsed: Duration::from_secs(90), why: "reset".into() };
        assert_eq!(error.to_string(), "gave up after 7 attempts in 90 s: reset");
    }
}
