//! What is refused before anything is sent: exit code 2, the reason, and what to do.

use crate::{
    call_log::{CallLog, seed},
    desk::{Desk, Ended},
    door::Door,
    served::Served,
};

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("calls.csv", CallLog::of(3, 2).csv());
    desk
}

#[test]
fn what_was_typed_or_configured_wrongly_is_named() {
    let (desk, served) = (desk(), Served::start(&[]));
    desk.write("empty.csv", "");
    desk.write("folder/x.csv", "");
    desk.write("file", "x");
    desk.write("bad.toml", "[conversation]\ninbx = 85\n[limits]\nshare = 3\n");
    let before = served.changes();
    for (arguments, words) in [
        (&["calls.csv", "--wrong"][..], &["--wrong"][..]),
        (&["calls.csv", "--set", "conversation.inbx=85"], &["`conversation.inbx`", "`conversation.inbox`"]),
        (
            &["calls.csv", "--config", "bad.toml"],
            &["bad.toml", "inbx", "`conversation.inbox`", "limits.share"],
        ),
        (&["calls.csv", "--config", "none.toml"], &["none.toml"]),
        (&["none.csv"], &["`none.csv`"]),
        (&["none-*.csv"], &["`none-*.csv`"]),
        (&["folder"], &["`folder`"]),
        (&["empty.csv"], &["`empty.csv`"]),
        (&[], &["[source] files"]),
        (&["calls.csv", "--time-zone", "Mars/North"], &["Mars/North"]),
        (&["calls.csv", "--since", "soon"], &["soon"]),
        (&["calls.csv", "--workers", "65"], &["65"]),
        (&["calls.csv", "--rejects", "file/below.csv"], &["`file/below.csv`"]),
        (&["calls.csv", "--rejects", "folder"], &["`folder`"]),
        (&["calls.csv", "--limit", "0"], &["--limit"]),
        (&["calls.csv", "--share", "1.5"], &["1.5"]),
        (&["calls.csv", "--account", "none.json"], &["none.json"]),
        (&["calls.csv", "--set", "call.id={{ broken"], &["call.id"]),
        (&["calls.csv", "--set", "call.id=no such column"], &["no such column"]),
        (&["calls.csv", "--set", "conversation.inbox=Sales"], &["`Sales`", "`Support` (85)"]),
        (&["calls.csv", "--set", "conversation.assign_to=x@example.com"], &["x@example.com"]),
    ] {
        let mut ended = desk.import(&served, arguments).with(2);
        for word in words {
            ended = ended.saying(word);
        }
    }
    assert_eq!(served.changes(), before, "nothing was sent");
}

#[test]
fn an_import_without_credentials_names_the_variables() {
    let (desk, served) = (desk(), Served::start(&[]));
    let arguments = ["import", "calls.csv", "--api-url", served.address()];
    desk.run(&arguments).with(2).saying("`HELPSCOUT_APP_ID` is not set").saying("HELPSCOUT_ACCESS_TOKEN");
    let mut half = desk.command(&arguments);
    Ended::of(half.env("HELPSCOUT_APP_ID", "an-id")).with(2).saying("`HELPSCOUT_APP_SECRET` is not set");
}

#[test]
fn plain_http_to_another_machine_is_refused() {
    let desk = desk();
    for address in ["http://192.0.2.1", "http://api.helpscout.net", "http://127.0.0.1.example.com"] {
        let mut command = desk.command(&["import", "calls.csv", "--api-url", address]);
        Ended::of(command.env("HELPSCOUT_ACCESS_TOKEN", "t")).with(2).saying("https");
        let mut command = desk.command(&["import", "calls.csv"]);
        command.env("HELPSCOUT_ACCESS_TOKEN", "t").env("HELPSCOUT_API_URL", address);
        Ended::of(&mut command).with(2).saying("https");
    }
}

#[test]
fn a_checkpoint_that_is_none_is_refused_and_left_alone() {
    let (desk, served) = (desk(), Served::start(&[]));
    desk.write("empty", "");
    desk.write(
        "foreign",
        "A letter to my aunt, which is longer than a page of a database would ever be.\n".repeat(99),
    );
    desk.write("file", "x");
    for (checkpoint, words) in [
        ("empty", "empty (0 bytes)"),
        ("foreign", "is not a checkpoint"),
        ("file/below", "`file/below`"),
        ("none/below", "`none/below`"),
    ] {
        let sent = ["calls.csv", "--checkpoint", checkpoint];
        desk.import(&served, &sent).with(2).saying(words).saying(checkpoint);
        desk.run(&["status", "--checkpoint", checkpoint]).with(2).saying(checkpoint);
    }
    assert_eq!((desk.read("empty").len(), desk.read("file")), (0, "x".to_owned()));
    assert!(desk.read("foreign").starts_with("A letter"));
    assert_eq!(desk.files(), ["calls.csv", "empty", "file", "foreign"]);
    assert_eq!(served.world().len(), 0);
}

#[test]
fn a_damaged_checkpoint_is_refused() {
    let (desk, served) = (desk(), Served::start(&[]));
    desk.import(&served, &["calls.csv"]).with(0);
    let path = desk.path("callport.checkpoint");
    let mut bytes = std::fs::read(&path).unwrap();
    for byte in bytes.iter_mut().skip(4_096) {
        *byte ^= 0x5a;
    }
    std::fs::write(&path, bytes).unwrap();
    desk.import(&served, &["calls.csv"]).with(2).saying("damaged").saying("callport.checkpoint");
}

#[test]
fn a_checkpoint_of_another_account_or_address_is_refused() {
    let desk = desk();
    // Without a company, the inboxes tell one account from another.
    let script = "[service]\ncompany_id = false\n";
    let first = Served::with_seed_and_faults(&seed(1, 0), script);
    let mut other = seed(1, 0);
    other["inboxes"][0]["id"] = 86.into();
    other["conversations"][0]["inbox"] = 86.into();
    let other = Served::with_seed_and_faults(&other, script);
    let door = Door::to(first.address());
    let import = |files: &str| {
        let arguments = ["import", files, "--api-url", door.address()];
        Ended::of(desk.command(&arguments).env("HELPSCOUT_ACCESS_TOKEN", "t"))
    };
    import("calls.csv").with(0);
    desk.write("more.csv", CallLog::of(4, 2).csv());

    desk.import(&first, &["more.csv"]).with(2).saying("API address").saying("callport.checkpoint");
    door.lead_to(other.address());
    import("more.csv").with(2).saying("account").saying("`inboxes:85`").saying("`inboxes:86`");
    assert_eq!(other.references().len(), 0, "nothing was sent");
    door.lead_to(first.address());
    import("more.csv").with(0);
    assert_eq!(first.references().len(), 4);
}

#[test]
fn another_name_of_the_source_is_refused_and_another_text_must_be_accepted() {
    let (desk, served) = (desk(), Served::start(&[]));
    desk.import(&served, &["calls.csv"]).with(0);
    let renamed = ["calls.csv", "--set", "source.name=other"];
    desk.import(&served, &renamed).with(2).saying("source.name");
    let rewritten = ["calls.csv", "--set", "text.template={{ notes }}!"];
    desk.import(&served, &rewritten).with(2).saying("--accept-mapping");
    desk.import(&served, &[&rewritten[..], &["--accept-mapping"]].concat()).with(0);
    assert_eq!(served.references().len(), 3);
}

#[test]
fn calls_that_wait_are_made_anew_only_from_their_file() {
    let desk = desk();
    let served = Served::start(&[]);
    // An earlier import staged its calls and found nobody at the other end.
    let nobody = ["import", "calls.csv", "--api-url", "http://127.0.0.1:9", "--set", "limits.give_up=1s"];
    Ended::of(desk.command(&nobody).env("HELPSCOUT_ACCESS_TOKEN", "t")).with(4);
    desk.write("more.csv", CallLog::numbered(10..12, 2, |_| None).csv());
    let changed = ["--set", "text.template={{ notes }}!", "--accept-mapping"];
    let refused = desk.import(&served, &[&["more.csv"][..], &changed].concat());
    refused.with(2).saying("`calls.csv`").saying("made anew");
    desk.import(&served, &[&["calls.csv", "more.csv"][..], &changed].concat()).with(0);
    assert_eq!(served.references().len(), 5);
}

#[test]
fn an_empty_checkpoint_meets_an_account_with_imported_conversations_only_when_it_is_allowed() {
    let (desk, served) = (desk(), Served::start(&[]));
    desk.import(&served, &["calls.csv"]).with(0);
    let elsewhere = ["calls.csv", "--checkpoint", "other.checkpoint"];
    desk.import(&served, &elsewhere)
        .with(2)
        .saying("2 with the tag `callport`")
        .saying("account.share_tag=true");
    assert_eq!(served.references().len(), 3, "nothing was sent");
    desk.write("more.csv", CallLog::numbered(10..12, 1, |_| None).csv());
    let allowed = ["more.csv", "--checkpoint", "other.checkpoint", "--set", "account.share_tag=true"];
    desk.import(&served, &allowed).with(0);
    assert_eq!(served.references().len(), 5);
}

#[test]
fn an_inbox_that_the_sandbox_does_not_have_is_told_with_the_way_out() {
    let desk = Desk::new();
    desk.write("calls.csv", CallLog::of(3, 2).csv());
    let rehearse = ["import", "calls.csv", "--sandbox", "--set", "conversation.inbox=Billing"];
    let told = desk.run(&rehearse).with(2).err;
    let words = "the sandbox has no inbox `Billing`; it has `Support` (85): give it the account's inboxes in `account.json`";
    assert!(told.contains(words) && told.contains("e.g. `--set conversation.inbox=85`"), "{told}");
    desk.write("account.json", r#"{"inboxes":[{"id":7,"name":"Billing","email":"b@example.com"}]}"#);
    desk.run(&rehearse).with(0);
}
