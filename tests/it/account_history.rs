//! What the account holds against what the checkpoint says: a lost one is rebuilt, an old copy is noticed, a first request
//! is read back, and a person decides what nobody else can.

use serde_json::{Value, json};

use crate::{
    call_log::{CallLog, seed},
    desk::{Desk, Ended, Running},
    served::{Served, reference},
};

const QUICK: &[&str] = &["--set", "limits.settle=1s"];

fn import(desk: &Desk, served: &Served, arguments: &[&str]) -> Ended {
    desk.import(served, &[arguments, QUICK].concat())
}

fn recover_command(desk: &Desk, served: &Served, arguments: &[&str]) -> std::process::Command {
    let mut command = desk.command(&["recover", "--api-url", served.address()]);
    command.args(arguments).args(QUICK).env("HELPSCOUT_ACCESS_TOKEN", "a-token");
    command
}

fn recover(desk: &Desk, served: &Served, arguments: &[&str]) -> Ended {
    Ended::of(&mut recover_command(desk, served, arguments))
}

fn remove_checkpoint(desk: &Desk) {
    for name in desk.files().iter().filter(|name| name.starts_with("callport.checkpoint")) {
        std::fs::remove_file(desk.path(name)).unwrap();
    }
}

/// Begins an import of `log` with `options`, kills it when about half of its `requests` are done, and loses the checkpoint.
fn half_an_import(desk: &Desk, served: &Served, log: &CallLog, requests: usize, options: &[&str]) {
    desk.write("calls.csv", log.csv());
    let arguments = [&["calls.csv", "--workers", "2"], QUICK, options].concat();
    let begin = served.changes();
    let mut running = desk.begin_import(served, &arguments);
    assert!(served.wait_for_changes(begin + requests / 2, &mut running), "it ended before it was killed");
    running.kill();
    remove_checkpoint(desk);
}

#[test]
fn a_checkpoint_lost_after_half_an_import_is_refused_recovered_and_finished_with_nothing_twice() {
    for options in [&["--set", "conversation.group_by=call"][..], &["--set", "conversation.pack=false"], &[]]
    {
        let (desk, served) = (Desk::new(), Served::start(&["--latency", "20"]));
        let log = CallLog::of(240, 40);
        let requests = if options.is_empty() { 40 } else { 240 };
        half_an_import(&desk, &served, &log, requests, options);
        let there = served.references();
        assert!(!there.is_empty() && there.len() < 240, "{} calls", there.len());

        let arguments = [&["calls.csv", "--json"], options].concat();
        import(&desk, &served, &arguments).with(2).saying("`callport recover`");
        assert_eq!(served.references(), there, "nothing was sent");
        let found = recover(&desk, &served, &[&["--json"], options].concat()).with(0).json();
        let held = served.references().len();
        assert_eq!(found["calls"].as_u64().unwrap(), held as u64, "{found}");
        let sheet = import(&desk, &served, &arguments).with(0).json();
        assert_eq!(sheet["already_imported"].as_u64().unwrap(), held as u64, "{sheet}");
        assert_eq!(sheet["imported"].as_u64().unwrap(), (240 - held) as u64, "{sheet}");
        assert_eq!(served.references(), log.references(), "{options:?}");
        assert_eq!(import(&desk, &served, &arguments).with(0).json()["requests"], 0);
    }
}

#[test]
fn what_was_recovered_goes_on_in_its_conversations_and_makes_no_second_customer() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    let rows: Vec<String> = (0..6)
        .map(|n| {
            format!("p{n},2024-01-0{}T10:00:00Z,60,inbound,+1555010{},+15550199,hello {n}", n + 1, n % 2)
        })
        .collect();
    let csv =
        |rows: &[String]| format!("id,started_at,duration,direction,from,to,notes\n{}\n", rows.join("\n"));
    desk.write("calls.csv", csv(&rows[..4]));
    import(&desk, &served, &["calls.csv"]).with(0);
    remove_checkpoint(&desk);
    recover(&desk, &served, &[]).with(0);
    desk.write("calls.csv", csv(&rows));
    let sheet = import(&desk, &served, &["calls.csv", "--json"]).with(0).json();
    assert_eq!((&sheet["already_imported"], &sheet["imported"]), (&json!(4), &json!(2)), "{sheet}");
    assert_eq!(
        (&sheet["conversations_created"], &sheet["customers_created"]),
        (&json!(0), &json!(0)),
        "{sheet}"
    );
    let sizes: Vec<usize> = served.world().values().map(|one| one.threads.len()).collect();
    assert_eq!(sizes, [3, 3]);
    assert_eq!(served.pages("/v2/customers", "customers").len(), 2);
}

#[test]
fn calls_in_conversations_without_the_tag_are_noticed_before_anything_is_added_and_then_recovered() {
    let served = Served::with_seed(&seed(10, 40), &["--latency", "5"]);
    let (desk, log) = (Desk::new(), CallLog::into_existing(100, 10));
    half_an_import(&desk, &served, &log, 100, &[]);
    let there = served.references();
    let refused = import(&desk, &served, &["calls.csv"]);
    // Another conversation, into which nothing had landed, may have got its first call before that.
    let has_sent = served.references() != there;
    assert_eq!(refused.code, if has_sent { 4 } else { 2 }, "{refused:?}");
    refused.saying("holds the call `Ref: c").saying("callport recover");
    recover(&desk, &served, &[]).with(0);
    import(&desk, &served, &["calls.csv"]).with(0);
    assert_eq!(served.references(), log.references());
}

#[test]
fn an_old_copy_of_the_checkpoint_is_noticed_and_brought_up_to_date() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    let log = CallLog::of(60, 12);
    desk.write("calls.csv", log.csv());
    import(&desk, &served, &["calls.csv", "--limit", "5"]).with(0);
    std::fs::copy(desk.path("callport.checkpoint"), desk.path("backup")).unwrap();
    import(&desk, &served, &["calls.csv", "--limit", "25"]).with(0);
    let there = served.references();
    std::fs::rename(desk.path("backup"), desk.path("callport.checkpoint")).unwrap();
    let refused = import(&desk, &served, &["calls.csv", "--json"]).with(2);
    refused.saying("older copy").saying("`callport.checkpoint`").saying("callport recover");
    assert_eq!(served.references(), there, "nothing was sent");
    recover(&desk, &served, &[]).with(0);
    import(&desk, &served, &["calls.csv"]).with(0);
    assert_eq!(served.references(), log.references());
}

#[test]
fn an_old_copy_is_noticed_by_a_conversation_that_it_knows_too() {
    let served = Served::with_seed(&seed(2, 3), &[]);
    let desk = Desk::new();
    desk.write("some.csv", CallLog::into_existing(10, 2).csv());
    import(&desk, &served, &["some.csv"]).with(0);
    std::fs::copy(desk.path("callport.checkpoint"), desk.path("backup")).unwrap();
    let log = CallLog::into_existing(20, 2);
    desk.write("all.csv", log.csv());
    import(&desk, &served, &["all.csv"]).with(0);
    std::fs::rename(desk.path("backup"), desk.path("callport.checkpoint")).unwrap();
    import(&desk, &served, &["all.csv"]).with(2).saying("older copy");
    assert_eq!(served.references(), log.references());
    let found = recover(&desk, &served, &["--json"]).with(0).json();
    assert_eq!((&found["calls"], &found["already_known"]), (&json!(10), &json!(10)), "{found}");
    let sheet = import(&desk, &served, &["all.csv", "--json"]).with(0).json();
    assert_eq!(sheet["already_imported"], 20);
    assert_eq!(served.references(), log.references());
}

#[test]
fn a_recovery_is_refused_where_an_import_would_be() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("calls.csv", CallLog::of(4, 2).csv());
    import(&desk, &served, &["calls.csv"]).with(0);
    recover(&desk, &served, &["--set", "source.name=other"]).with(2).saying("source.name");
    let other = Served::start(&[]);
    recover(&desk, &other, &[]).with(2).saying("API address");
    let fresh = ["--checkpoint", "new", "--set", "conversation.import_tag=elsewhere"];
    let ended = recover(&desk, &served, &fresh).with(3);
    assert!(ended.out.contains("no conversation with the tag `elsewhere`"), "{}", ended.out);
}

#[test]
fn a_rehearsal_that_was_kept_is_recovered_from_its_world() {
    let desk = Desk::new();
    desk.write("calls.csv", CallLog::of(6, 2).csv());
    let import = ["import", "calls.csv", "--sandbox", "--checkpoint", "try", "--json", "--rate", "100000"];
    desk.run(&import).with(0);
    std::fs::remove_file(desk.path("try")).unwrap();
    let recover = ["recover", "--sandbox", "--checkpoint", "try", "--json", "--set", "limits.settle=1s"];
    assert_eq!(desk.run(&recover).with(0).json()["calls"], 6);
    let sheet = desk.run(&import).with(0).json();
    assert_eq!((&sheet["already_imported"], &sheet["requests"]), (&json!(6), &json!(0)), "{sheet}");
}

/// Waits until `status` lists a call whose answer was lost; what it lists.
fn undecided(desk: &Desk, running: &mut Running) -> Vec<Value> {
    loop {
        let status = Ended::of(&mut desk.command(&["status", "--json"]));
        if status.code == 0 {
            let listed = status.json()["undecided"].as_array().unwrap().clone();
            let is_lost = |call: &Value| call["why"].as_str().is_some_and(|why| why.contains("connection"));
            if listed.iter().any(is_lost) {
                return listed;
            }
        }
        assert!(running.is_running(), "it ended with nothing undecided");
    }
}

/// An import that is killed while it looks for what came of the second append; its undecided calls.
fn lost_append(desk: &Desk, deed: &str) -> (Served, Vec<Value>) {
    let script = format!("[[fault]]\non = \"append\"\nat = [2]\ndo = \"{deed}\"\n");
    let served = Served::with_seed_and_faults(&seed(1, 3), &script);
    desk.write("calls.csv", CallLog::into_existing(5, 1).csv());
    let mut running = desk.begin_import(&served, &["calls.csv", "--set", "limits.settle=1h"]);
    let listed = undecided(desk, &mut running);
    running.kill();
    (served, listed)
}

#[test]
fn a_person_decides_that_a_call_is_sent_again() {
    let desk = Desk::new();
    let (served, listed) = lost_append(&desk, "drop_before");
    let names: Vec<&str> = listed[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["call", "file", "line", "conversation", "sent_at", "why"]);
    assert_eq!((&listed[0]["call"], &listed[0]["conversation"]), (&json!("c0001"), &json!(1000)));
    let shown = desk.run(&["status"]).with(0).out;
    assert!(shown.contains("c0001 (calls.csv:4)") && shown.contains("conversation 1000"), "{shown}");
    let resolved = desk.run(&["resolve", "c0001", "--resend", "--json"]).with(0).json();
    assert_eq!(
        resolved,
        json!({"call": "c0001", "decision": "resend", "thread": null, "dropped": false, "undecided": 0})
    );
    import(&desk, &served, &["calls.csv"]).with(0);
    assert_eq!(served.references().len(), 5);
}

#[test]
fn a_person_decides_that_a_call_has_landed() {
    // It is stored, and the answer does not come before the program is killed.
    let script = "[[fault]]\non = \"append\"\nat = [2]\ndo = \"delay\"\nfor = \"1h\"\n";
    let (desk, served) = (Desk::new(), Served::with_seed_and_faults(&seed(1, 3), script));
    desk.write("calls.csv", CallLog::into_existing(5, 1).csv());
    let mut running = desk.begin_import(&served, &["calls.csv"]);
    let id = loop {
        let threads = &served.world()[&1000].threads;
        if let Some(thread) = threads.iter().find(|thread| reference(thread).as_deref() == Some("c0001")) {
            break thread["id"].to_string();
        }
        assert!(running.is_running(), "it ended before its answer was held back");
    };
    running.kill();
    let ended = desk.run(&["resolve", "c0001", "--landed", &id]).with(0);
    assert!(ended.out.contains(&format!("as thread {id}")), "{}", ended.out);
    let sheet = import(&desk, &served, &["calls.csv", "--json"]).with(0).json();
    assert_eq!(sheet["already_imported"], 2, "{sheet}");
    assert_eq!(served.references().len(), 5);
}

#[test]
fn a_decision_that_makes_no_sense_is_refused() {
    let desk = Desk::new();
    desk.run(&["resolve", "c1", "--resend"]).with(2).saying("no checkpoint");
    let (served, _) = lost_append(&desk, "drop_before");
    desk.run(&["resolve", "c0001"]).with(2).saying("--resend");
    desk.run(&["resolve", "c0001", "--resend", "--landed", "5"]).with(2);
    desk.run(&["resolve", "nobody", "--resend"]).with(2).saying("knows no call `nobody`");
    desk.run(&["resolve", "c0000", "--resend"]).with(2).saying("it was imported at");
    desk.run(&["resolve", "c0003", "--landed", "5"]).with(2).saying("it waits to be sent");
    drop(served);
}

#[test]
fn a_service_that_does_otherwise_stops_the_first_request_and_says_what_to_do() {
    let served = Served::with_faults("[service]\nignore_thread_created_at = true\n", &[]);
    let desk = Desk::new();
    desk.write("calls.csv", CallLog::of(30, 6).csv());
    let ended = import(&desk, &served, &["calls.csv", "--json"]).with(5);
    let world = served.world();
    assert_eq!(world.len(), 1, "one conversation to undo");
    let made = *world.keys().next().unwrap();
    let sheet = ended.json();
    assert_eq!((&sheet["undecided"], &sheet["pending"]), (&json!(5), &json!(25)), "{sheet}");
    ended.saying("created_at is").saying(&format!("delete conversation {made} in Help Scout"));
    import(&desk, &served, &["calls.csv"]).with(5).saying("nothing else is sent while it is there");
    served.delete_conversation(made);
    let accept = "account.accept=['created_at']";
    let sheet = import(&desk, &served, &["calls.csv", "--json", "--set", accept]).with(0).json();
    assert_eq!(sheet["imported"], 30, "{sheet}");
    assert_eq!(served.references().len(), 30);
    import(&desk, &served, &["calls.csv", "--set", "account.accept=['colour']"])
        .with(2)
        .saying("`colour`")
        .saying("`created_at`");
}

#[test]
fn a_changed_mapping_says_which_calls_it_concerns() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("calls.csv", CallLog::of(4, 2).csv());
    desk.write("more.csv", CallLog::numbered(10..13, 1, |_| None).csv());
    import(&desk, &served, &["calls.csv"]).with(0);
    let rewritten = ["calls.csv", "more.csv", "--set", "text.template={{ notes }}!"];
    import(&desk, &served, &rewritten)
        .with(2)
        .saying("text.template was nothing and is")
        .saying("0 calls that are not sent yet")
        .saying("4 that were sent stay")
        .saying("--accept-mapping");
}

#[test]
fn a_template_in_which_no_reference_can_be_found_again_sends_no_call_twice() {
    let script = "[[fault]]\non = \"append\"\nat = [2]\ndo = \"drop_after\"\n";
    let (desk, served) = (Desk::new(), Served::with_seed_and_faults(&seed(1, 0), script));
    let rows: Vec<String> = ["", "hello", "good morning"]
        .iter()
        .enumerate()
        .map(|(n, notes)| {
            format!("r{n},2024-01-0{}T10:00:00Z,60,inbound,called about it,{notes},1001,201", n + 1)
        })
        .collect();
    let heading = "id,started_at,duration,direction,notes,topic,customer_id,conversation_id";
    desk.write("calls.csv", format!("{heading}\n{}\n", rows.join("\n")));
    let seeded = served.world();
    let (id, one) = seeded.iter().next().unwrap();
    let customer = one.shown["primaryCustomer"]["id"].as_u64().unwrap();
    let csv = std::fs::read_to_string(desk.path("calls.csv")).unwrap();
    desk.write("calls.csv", csv.replace(",1001,201", &format!(",{customer},{id}")));
    let ended = import(
        &desk,
        &served,
        &["calls.csv", "--set", "text.template={{ notes }}\n{{ reference }} {{ row['topic'] }}"],
    );
    let threads = &served.world()[id].threads;
    let texts: Vec<&Value> = threads.iter().map(|thread| &thread["body"]).collect();
    assert!(texts.len() <= 3, "exit {}: {texts:?}", ended.code);
}

#[test]
fn a_recovery_that_is_killed_lets_the_next_import_send_nothing_twice() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    let log = CallLog::of(20, 5);
    desk.write("calls.csv", log.csv());
    import(&desk, &served, &["calls.csv"]).with(0);
    remove_checkpoint(&desk);
    let mut command = desk.command(&["recover", "--api-url", served.address(), "--set", "limits.settle=1h"]);
    let mut running = Running::of(command.env("HELPSCOUT_ACCESS_TOKEN", "a-token"));
    // It has read everything, and waits for what the list may show later.
    loop {
        let status = Ended::of(&mut desk.command(&["status", "--json"]));
        if status.code == 0 && status.json()["calls"]["imported"] == 20 {
            break;
        }
        assert!(running.is_running());
    }
    running.kill();
    let ended = import(&desk, &served, &["calls.csv"]);
    assert_eq!(served.references().len(), 20, "exit {}: {}", ended.code, ended.out);
}

#[test]
fn a_recovery_that_was_told_no_template_lets_the_next_import_send_nothing_twice() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    let log = CallLog::of(20, 5);
    desk.write("calls.csv", log.csv());
    let template = ["calls.csv", "--set", "text.template={{ notes }}\n{{ reference }}, imported"];
    import(&desk, &served, &template).with(0);
    let there = served.world().values().map(|one| one.threads.len()).sum::<usize>();
    remove_checkpoint(&desk);
    recover(&desk, &served, &[]).with(0);
    import(&desk, &served, &template).with(2).saying("--accept-mapping");
    let ended = import(&desk, &served, &[&template[..], &["--accept-mapping"]].concat());
    let now = served.world().values().map(|one| one.threads.len()).sum::<usize>();
    assert_eq!((there, now), (20, 20), "exit {}: {}", ended.code, ended.out);
}
