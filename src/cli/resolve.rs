//! `callport resolve`: a person decides an undecided call.

use serde::Serialize;

use super::{
    args::{Common, ResolveOptions},
    exit_code,
    failure::Failure,
    setup,
};
use crate::{
    checkpoint::{Checkpoint, CheckpointError, Decision, Resolved},
    report::counted,
};

/// Runs the command.
pub(super) fn run(common: &Common, options: &ResolveOptions) -> Result<u8, Failure> {
    let path = setup::paths(common).checkpoint;
    if !path.exists() {
        return Err(CheckpointError::Missing(path).into());
    }
    let decision = options.landed.map_or(Decision::Resend, Decision::Landed);
    let resolved = Checkpoint::open(&path)?.resolve(&options.call, decision)?;
    if common.json {
        super::print_json(&document(&resolved))?;
    } else {
        super::print(&text(&resolved))?;
    }
    Ok(exit_code::DONE)
}

/// The result of `resolve --json`.
#[derive(Serialize)]
struct Document<'a> {
    call: &'a str,
    decision: &'static str,
    thread: Option<u64>,
    /// Whether it is dropped instead of being sent again, because its person is barred.
    dropped: bool,
    undecided: u64,
}

fn document(resolved: &Resolved) -> Document<'_> {
    let (decision, thread) = match resolved.decision {
        Decision::Landed(thread) => ("landed", Some(thread)),
        Decision::Resend => ("resend", None),
    };
    let dropped = resolved.is_barred && resolved.decision == Decision::Resend;
    Document { call: &resolved.call, decision, thread, dropped, undecided: resolved.undecided }
}

fn text(resolved: &Resolved) -> String {
    let call = &resolved.call;
    let mut text = match resolved.decision {
        Decision::Landed(thread) => format!("`{call}` counts as imported, as thread {thread}\n"),
        Decision::Resend if resolved.is_barred => {
            format!(
                "`{call}` is not sent again but dropped: it is of somebody who is barred (`callport forget`)\n"
            )
        }
        Decision::Resend => format!("`{call}` is sent again by the next import\n"),
    };
    if resolved.beside > 0 {
        let others = counted(resolved.beside, "other call");
        text.push_str(&others);
        text.push_str(" of the same request still undecided: each is decided by itself\n");
    }
    let left = counted(resolved.undecided, "call");
    text.push_str(&left);
    text.push_str(" undecided\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_barred_persons_call_is_not_said_to_be_sent_again() {
        let mut resolved = Resolved {
            call: "crm-1".into(),
            decision: Decision::Resend,
            is_barred: true,
            beside: 0,
            undecided: 0,
        };
        assert!(text(&resolved).starts_with("`crm-1` is not sent again but dropped"), "{}", text(&resolved));
        assert!(document(&resolved).dropped);
        resolved.is_barred = false;
        assert!(
            text(&resolved).starts_with("`crm-1` is sent again by the next import"),
            "{}",
            text(&resolved)
        );
        assert!(!document(&resolved).dropped);
    }
}
