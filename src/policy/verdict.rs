//! What the reply to a write means.

use std::time::Duration;

use super::{Answer, FieldError, Reply};

/// What came of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is stored. Its id may be missing: `Resource-ID` is younger than the service (help-scout-api.md §4).
    Landed {
        /// The id of what was made.
        id: Option<u64>,
    },
    /// Nothing is stored: the service found fault with the request.
    Refused {
        /// The service's words.
        message: String,
        /// What it found, in its order.
        errors: Vec<FieldError>,
    },
    /// Nothing is stored: the conversation is merged or deleted, or something that the body names does not exist.
    Missing {
        /// The service's words.
        message: String,
    },
    /// Nothing is stored: the conversation is full, or locked by the company's policy (412).
    Closed,
    /// Nothing is stored: the request is too large (413).
    TooLarge,
    /// Nothing is stored: over the limit. May be sent again after the wait.
    Throttled {
        /// What the service asked for.
        wait: Duration,
    },
    /// Nothing is stored: the credentials are not valid, or may not do this.
    Denied {
        /// The service's words.
        message: String,
    },
    /// Nothing can have arrived. May be sent again.
    NotSent {
        /// What happened on the wire.
        why: String,
    },
    /// It may be stored or not, and is looked for before anything else.
    Unknown {
        /// What happened.
        why: String,
    },
    /// An answer that no document explains. It may be stored or not; going on would be guessing.
    Undocumented {
        /// What came.
        why: String,
    },
}

/// How long to wait after a 429 that does not say: the window is a minute.
const SILENT_WAIT: Duration = Duration::from_secs(60);

/// What the reply to a write means (help-scout-api.md §11 and §18).
pub fn verdict(reply: &Reply) -> Verdict {
    match reply {
        Reply::NeverLeft { why } => Verdict::NotSent { why: why.clone() },
        Reply::Lost { why } => Verdict::Unknown { why: why.clone() },
        Reply::Answer(answer) => of_answer(answer),
    }
}

fn of_answer(answer: &Answer) -> Verdict {
    match answer.status {
        201 => Verdict::Landed { id: answer.resource_id.or_else(|| id_of_location(answer)) },
        400 | 409 | 422 if answer.documented => {
            Verdict::Refused { message: words(answer), errors: answer.errors.clone() }
        }
        401 | 403 if answer.documented => Verdict::Denied { message: words(answer) },
        404 if answer.documented => Verdict::Missing { message: words(answer) },
        412 => Verdict::Closed,
        413 => Verdict::TooLarge,
        429 => Verdict::Throttled { wait: answer.retry_after.unwrap_or(SILENT_WAIT) },
        500..=599 => Verdict::Unknown { why: words(answer) },
        _ => Verdict::Undocumented { why: words(answer) },
    }
}

/// The last number of `Location`, which may carry a query (help-scout-api.md §3).
fn id_of_location(answer: &Answer) -> Option<u64> {
    let path = answer.location.as_deref()?.split(['?', '#']).next()?;
    path.trim_end_matches('/').rsplit('/').next()?.parse().ok()
}

fn words(answer: &Answer) -> String {
    let mut words = match &answer.message {
        Some(message) => format!("{} ({})", message, answer.status),
        None => format!("status {}", answer.status),
    };
    if let Some(location) = answer.location.as_ref().filter(|_| (300..400).contains(&answer.status)) {
        words.push_str(" to ");
        words.push_str(location);
    }
    if let Some(correlation) = &answer.correlation {
        words.push_str(", correlation ");
        words.push_str(correlation);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> Answer {
        Answer { status, documented: true, ..Answer::default() }
    }

    fn of(answer: Answer) -> Verdict {
        verdict(&Reply::Answer(answer))
    }

    #[test]
    fn only_a_201_is_a_success() {
        assert_eq!(of(Answer { resource_id: Some(567), ..answer(201) }), Verdict::Landed { id: Some(567) });
        assert_eq!(of(answer(201)), Verdict::Landed { id: None });
        for status in [100, 200, 202, 204] {
            assert!(matches!(of(answer(status)), Verdict::Undocumented { .. }), "{status}");
        }
    }

    #[test]
    fn the_id_may_stand_in_the_location() {
        let location = Some("https://api.helpscout.net/v2/conversations/77/?x=1".to_owned());
        assert_eq!(of(Answer { location, ..answer(201) }), Verdict::Landed { id: Some(77) });
    }

    #[test]
    fn no_server_error_is_ever_taken_as_a_failure() {
        for status in 500..=599 {
            for documented in [true, false] {
                assert!(
                    matches!(of(Answer { documented, ..answer(status) }), Verdict::Unknown { .. }),
                    "{status}"
                );
            }
        }
        assert!(matches!(verdict(&Reply::Lost { why: "reset".into() }), Verdict::Unknown { .. }));
    }

    #[test]
    fn only_what_cannot_be_stored_may_be_sent_again_at_once() {
        assert!(matches!(verdict(&Reply::NeverLeft { why: "refused".into() }), Verdict::NotSent { .. }));
        assert_eq!(of(answer(429)), Verdict::Throttled { wait: SILENT_WAIT });
    }

    #[test]
    fn a_refusal_that_the_service_did_not_write_is_not_the_calls_fault() {
        for status in [400, 401, 403, 404, 422] {
            let proxy = Answer { documented: false, message: Some("<html>".into()), ..answer(status) };
            assert!(matches!(of(proxy), Verdict::Undocumented { .. }), "{status}");
        }
        assert!(matches!(of(answer(302)), Verdict::Undocumented { .. }));
        assert!(matches!(of(answer(405)), Verdict::Undocumented { .. }));
    }

    #[test]
    fn the_words_carry_what_the_services_staff_ask_for() {
        let refused =
            Answer { message: Some("Bad request".into()), correlation: Some("ab#1".into()), ..answer(400) };
        let Verdict::Refused { message, .. } = of(refused) else { panic!("a documented 400") };
        assert_eq!(message, "Bad request (400), correlation ab#1");
    }
}
