//! The checks of `[conversation]` and `[limits]`.

use std::time::Duration;

use email_address::EmailAddress;

use crate::{
    import::{
        AssignTo, ConversationSettings, ConversationStatus, LimitSettings, WhenFull, WhenLocked, WhenMissing,
    },
    plan::WhenAppending,
};

use super::{check::Checker, value::Value};

pub(super) fn conversation(checker: &mut Checker) -> ConversationSettings {
    let default = ConversationSettings::default();
    ConversationSettings {
        status: match checker.word("conversation.status") {
            "active" => ConversationStatus::Active,
            "pending" => ConversationStatus::Pending,
            _ => ConversationStatus::Closed,
        },
        tags: tags(checker),
        import_tag: checker.text("conversation.import_tag").unwrap_or(default.import_tag),
        assign_to: assign_to(checker),
        pack: checker.truth("conversation.pack", default.pack),
        when_appending: match checker.word("conversation.when_appending") {
            "cheap" => WhenAppending::Cheap,
            _ => WhenAppending::Fill,
        },
        when_full: match checker.word("conversation.when_full") {
            "reject" => WhenFull::Reject,
            _ => WhenFull::Continue,
        },
        when_locked: match checker.word("conversation.when_locked") {
            "reject" => WhenLocked::Reject,
            _ => WhenLocked::Continue,
        },
        when_missing: match checker.word("conversation.when_missing") {
            "new" => WhenMissing::New,
            _ => WhenMissing::Reject,
        },
    }
}

pub(super) fn limits(checker: &mut Checker) -> LimitSettings {
    let default = LimitSettings::default();
    LimitSettings {
        share: share(checker).unwrap_or(default.share),
        settle: duration(checker, "limits.settle", default.settle),
        give_up: duration(checker, "limits.give_up", default.give_up),
    }
}

fn tags(checker: &mut Checker) -> Vec<String> {
    let Some(Value::Texts(tags)) = checker.value("conversation.tags").cloned() else { return Vec::new() };
    if tags.iter().any(|tag| tag.trim().is_empty()) {
        checker.fault("conversation.tags", "holds an empty tag");
    }
    tags
}

fn assign_to(checker: &mut Checker) -> AssignTo {
    const KEY: &str = "conversation.assign_to";
    match checker.text(KEY) {
        None => AssignTo::Nobody,
        Some(word) if word == "nobody" => AssignTo::Nobody,
        Some(word) if word == "agent" => AssignTo::Agent,
        Some(email) if EmailAddress::is_valid(&email) => AssignTo::Email(email),
        Some(other) => {
            checker.fault(KEY, format!("is `{other}`: `nobody`, `agent` or a user's e-mail"));
            AssignTo::Nobody
        }
    }
}

/// No longer span makes sense, and far longer ones overflow once they are added to a time.
const LONGEST_SPAN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

fn duration(checker: &mut Checker, key: &str, default: Duration) -> Duration {
    match checker.value(key) {
        Some(Value::Duration(duration)) if duration.is_zero() => {
            checker.fault(key, "is nothing: a span above zero is needed");
            default
        }
        Some(Value::Duration(duration)) if *duration > LONGEST_SPAN => {
            let days = LONGEST_SPAN.as_secs() / 86_400;
            checker.fault(key, format!("is more than {days} days: a shorter span is needed"));
            default
        }
        Some(Value::Duration(duration)) => *duration,
        _ => default,
    }
}

fn share(checker: &mut Checker) -> Option<String> {
    const KEY: &str = "limits.share";
    let text = checker.text(KEY)?;
    let share = parse_share(&text);
    if share.is_none() {
        let how = "a fraction above 0 and up to 1, or a timetable such as `08:00,0.3 19:00,0.9`";
        checker.fault(KEY, format!("is `{text}`: {how}"));
    }
    share
}

/// A fraction, or times of day with fractions; in one spelling and in the order of the day.
fn parse_share(text: &str) -> Option<String> {
    if let Some(fraction) = fraction(text) {
        return Some(fraction);
    }
    let mut entries = Vec::new();
    for entry in text.split_whitespace() {
        let (time, part) = entry.split_once(',')?;
        entries.push((minute_of_day(time)?, fraction(part)?));
    }
    entries.sort();
    let twice = entries.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0));
    if entries.is_empty() || twice {
        return None;
    }
    let spelled =
        entries.iter().map(|(minute, part)| format!("{:02}:{:02},{part}", minute / 60, minute % 60));
    Some(spelled.collect::<Vec<_>>().join(" "))
}

fn fraction(text: &str) -> Option<String> {
    let number: f64 = text.trim().parse().ok()?;
    (number > 0.0 && number <= 1.0).then(|| number.to_string())
}

fn minute_of_day(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |part: &str| part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let (hours, minutes): (u32, u32) = (digits(hours) && digits(minutes) && minutes.len() == 2)
        .then(|| Some((hours.parse().ok()?, minutes.parse().ok()?)))??;
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        call::Moment,
        config::{ConfigFile, Overrides, Settings},
    };

    fn check(text: &str) -> Result<Settings, String> {
        let file = ConfigFile::parse(Path::new("callport.toml"), text).unwrap();
        let now = Moment::from_epoch_seconds(0).unwrap();
        Settings::check(Some(&file), &Overrides::default(), now).map_err(|error| error.to_string())
    }

    #[test]
    fn every_key_reaches_its_setting() {
        let settings = check(include_str!("../../fixtures/whole-configuration/callport.toml")).unwrap();
        assert_eq!(
            settings.conversation,
            ConversationSettings {
                status: ConversationStatus::Pending,
                tags: vec!["phone-history".into(), "2024".into()],
                import_tag: "callport".into(),
                assign_to: AssignTo::Email("ada@example.com".into()),
                pack: false,
                when_appending: WhenAppending::Cheap,
                when_full: WhenFull::Reject,
                when_locked: WhenLocked::Reject,
                when_missing: WhenMissing::New,
            }
        );
        assert_eq!(
            settings.limits,
            LimitSettings {
                share: "08:00,0.3 19:00,0.9".into(),
                settle: Duration::from_secs(5),
                give_up: Duration::from_secs(3600),
            }
        );
    }

    #[test]
    fn a_share_is_a_fraction_or_a_timetable() {
        for (text, share) in [
            ("0.8", "0.8"),
            ("1", "1"),
            (" 1.0 ", "1"),
            (".5", "0.5"),
            ("19:00,0.90 8:00,0.3", "08:00,0.3 19:00,0.9"),
        ] {
            assert_eq!(parse_share(text).as_deref(), Some(share), "{text}");
        }
        for wrong in [
            "",
            "0",
            "-1",
            "1.01",
            "NaN",
            "inf",
            "all",
            "08:00",
            "24:00,0.5",
            "8:0,0.5",
            "08:00,0.3 8:00,1",
            "8:é,1",
        ] {
            assert_eq!(parse_share(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn waiting_for_nothing_and_tags_of_nothing_are_faults() {
        let told =
            check("[limits]\nsettle = '0s'\n[conversation]\ntags = [' ']\nimport_tag = ''\n").unwrap_err();
        assert_eq!(
            told,
            "callport.toml:4: `conversation.tags` holds an empty tag\n\
             callport.toml:5: `conversation.import_tag` is empty: give it a value or leave it out\n\
             callport.toml:2: `limits.settle` is nothing: a span above zero is needed"
        );
    }

    #[test]
    fn a_wait_that_would_overflow_once_it_is_added_to_a_time_is_refused() {
        for wait in ["99999999999999h", "18446744073709551615s", "721h"] {
            let told = check(&format!("[limits]\nsettle = '{wait}'\n")).unwrap_err();
            assert_eq!(
                told,
                "callport.toml:2: `limits.settle` is more than 30 days: a shorter span is needed"
            );
        }
        assert!(check("[limits]\nsettle = '720h'\n").is_ok());
    }
}
