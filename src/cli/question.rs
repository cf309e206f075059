//! The one question before the first write to an account.

use std::io::{BufRead, IsTerminal, Write};

use crate::{
    helpscout::{Share, time_for},
    import::Prospect,
    report::{counted, span},
};

/// Asks on a terminal; elsewhere nothing is asked and the answer is yes.
pub(super) fn ask(prospect: &Prospect, share: &Share, second: u32) -> bool {
    let (input, mut output) = (std::io::stdin(), std::io::stderr());
    if !input.is_terminal() || !output.is_terminal() {
        return true;
    }
    let mut answer = String::new();
    let asked = write!(output, "{} ", question(prospect, share, second)).and_then(|()| output.flush());
    asked.is_ok() && input.lock().read_line(&mut answer).is_ok() && is_yes(&answer)
}

fn question(prospect: &Prospect, share: &Share, second: u32) -> String {
    let time = time_for(prospect.units, prospect.limit.unwrap_or(0), share, second);
    format!(
        "{}, as {}: {}, {}, {}, about {}. Go on? [y/N]",
        prospect.account,
        prospect.user,
        counted(prospect.calls, "call"),
        counted(prospect.conversations, "new conversation"),
        counted(prospect.new_customers, "new customer"),
        span(time),
    )
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_names_the_account_the_person_and_the_size() {
        let prospect = Prospect {
            account: "Acme".into(),
            user: "Nina".into(),
            calls: 180_000,
            conversations: 41_000,
            new_customers: 20_000,
            units: 115_200,
            limit: Some(400),
        };
        insta::assert_snapshot!(question(&prospect, &Share::parse("0.8").unwrap(), 0), @"Acme, as Nina: 180,000 calls, 41,000 new conversations, 20,000 new customers, about 6 h 3 min. Go on? [y/N]");
    }

    #[test]
    fn only_a_yes_is_one() {
        assert!(is_yes(" Yes\n") && is_yes("y"));
        assert!(!is_yes("") && !is_yes("no") && !is_yes("yep"));
    }
}
