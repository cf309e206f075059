//! Secrets are told to nobody, and files are readable by their owner only.

use crate::{
    call_log::CallLog,
    desk::{Desk, Ended},
    served::Served,
};

const SECRETS: [&str; 3] = ["id-4f1d9c", "secret-77ab03", "token-e90b51"];

/// Nothing of the run tells a secret: neither its output nor any file that it left.
fn keeps_secrets(desk: &Desk, ended: &Ended) {
    for secret in SECRETS {
        assert!(!ended.out.contains(secret), "{secret} in {}", ended.out);
        assert!(!ended.err.contains(secret), "{secret} in {}", ended.err);
        for name in desk.files() {
            let bytes = std::fs::read(desk.path(&name)).unwrap();
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {name}");
        }
    }
}

#[test]
fn secrets_are_in_no_output_and_no_file_however_much_is_logged() {
    let answers = [
        "on = \"create\"\nat = [1]\ndo = \"expire_tokens\"",
        "on = \"token\"\ndo = \"refuse\"\nstatus = 401\nbody = '{\"error\":\"invalid_client\"}'",
        "on = \"token\"\ndo = \"html\"",
        "on = \"read\"\ndo = \"refuse\"\nstatus = 401",
        "on = \"read\"\ndo = \"refuse\"\nstatus = 403\nbody = 'no access'",
        "on = \"create\"\ndo = \"refuse\"\nstatus = 400\nbody = '{\"message\":\"Bad request\"}'",
        "on = \"create\"\nat = [1]\ndo = \"redirect\"\nlocation = \"https://example.com/\"",
    ];
    for answer in answers {
        let served = Served::with_faults(&format!("[[fault]]\n{answer}\n"), &[]);
        for by_token in [false, true] {
            let desk = Desk::new();
            desk.write("calls.csv", CallLog::of(8, 2).csv());
            let arguments =
                ["import", "calls.csv", "-vv", "--log-format", "json", "--api-url", served.address()];
            let mut command = desk.command(&arguments);
            if by_token {
                command.env("HELPSCOUT_ACCESS_TOKEN", SECRETS[2]);
            } else {
                command.env("HELPSCOUT_APP_ID", SECRETS[0]).env("HELPSCOUT_APP_SECRET", SECRETS[1]);
            }
            let ended = Ended::of(command.args(["--set", "account.share_tag=true"]));
            keeps_secrets(&desk, &ended);
        }
    }
}

#[cfg(unix)]
#[test]
fn every_file_is_readable_by_its_owner_only() {
    use std::{os::unix::fs::PermissionsExt, process::Command};

    let desk = Desk::new();
    desk.write("calls.csv", CallLog::of(60, 2).csv() + "x,never,1,inbound,,,jo@example.com,,\n");
    let served = Served::start(&["--latency", "100"]);
    // A shell that lets everybody read whatever is not asked for otherwise.
    let open_handed = |arguments: &[&str]| {
        let inner = desk.command(&[]);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "umask 0; exec \"$0\" \"$@\""]).arg(inner.get_program()).args(arguments);
        command.current_dir(desk.path("")).env_clear().env("HELPSCOUT_ACCESS_TOKEN", "t");
        command
    };
    let arguments = ["import", "calls.csv", "--api-url", served.address()];
    let appended = ["--set", "conversation.pack=false", "--workers", "1"];
    let mut running = crate::desk::Running::of(&mut open_handed(&[&arguments[..], &appended].concat()));
    assert!(served.wait_for_changes(served.changes() + 2, &mut running));
    running.kill();
    // A run that was killed leaves more files behind than one that ended.
    let left = [
        "callport.checkpoint",
        "callport.checkpoint-shm",
        "callport.checkpoint-wal",
        "callport.checkpoint.lock",
    ];
    assert!(left.iter().all(|name| desk.path(name).exists()), "{:?}", desk.files());
    Ended::of(&mut open_handed(&["import", "calls.csv", "--sandbox", "--checkpoint", "kept"])).with(3);
    assert!(["kept", "kept.sandbox", "rejects.csv"].iter().all(|name| desk.path(name).exists()));
    for name in desk.files().iter().filter(|name| *name != "calls.csv") {
        let mode = std::fs::metadata(desk.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
}
