//! Imports that stop before their end, and go on; and what others may do meanwhile.

use crate::{
    call_log::{CallLog, seed},
    desk::{Desk, Ended, Running},
    door::Door,
    served::Served,
};

#[cfg(unix)]
#[test]
fn ctrl_c_finishes_what_is_in_flight_and_the_same_command_goes_on() {
    let served = Served::with_seed(&seed(20, 3), &["--latency", "40"]);
    let (desk, log) = (Desk::new(), CallLog::into_existing(300, 20));
    desk.write("calls.csv", log.csv());
    let arguments = ["calls.csv", "--json", "--workers", "4"];
    let begin = served.changes();
    let mut running = desk.begin_import(&served, &arguments);
    assert!(served.wait_for_changes(begin + 20, &mut running));
    running.interrupt();
    let ended = running.end().with(4).saying("run the same command again");
    let sheet = ended.json();
    let imported = sheet["imported"].as_u64().unwrap();
    assert!(imported >= 20 && sheet["undecided"] == 0, "{sheet}");
    assert_eq!(sheet["pending"].as_u64().unwrap(), 300 - imported);
    assert_eq!(served.references().len() as u64, imported, "what was in flight is finished and known");

    let rest = desk.import(&served, &["calls.csv", "--json"]).with(0).json();
    assert_eq!(rest["imported"].as_u64().unwrap(), 300 - imported);
    assert_eq!(rest["already_imported"].as_u64().unwrap(), imported);
    assert_eq!(served.references(), log.references());
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_also_where_nobody_answers() {
    let desk = Desk::new();
    desk.write("calls.csv", CallLog::of(3, 2).csv());
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", mute.local_addr().unwrap());
    let arguments = ["import", "calls.csv", "--json", "--api-url", &address];
    let running = Running::of(desk.command(&arguments).env("HELPSCOUT_ACCESS_TOKEN", "t"));
    let held = mute.accept().unwrap();
    running.interrupt();
    let ended = running.end().with(4).saying("run the same command again");
    assert_eq!(ended.json()["pending"], 3);
    drop(held);
}

#[test]
fn a_service_that_falls_amid_an_import_loses_and_doubles_nothing() {
    let mut served = Served::with_seed(&seed(20, 3), &["--latency", "10"]);
    let door = Door::to(served.address());
    let (desk, log) = (Desk::new(), CallLog::into_existing(400, 20));
    desk.write("calls.csv", log.csv());
    let arguments =
        ["import", "calls.csv", "--json", "--api-url", door.address(), "--set", "limits.settle=1s"];
    let command = |give_up: &str| {
        let mut command = desk.command(&arguments);
        command.args(["--set", give_up]).env("HELPSCOUT_ACCESS_TOKEN", "t");
        command
    };
    let begin = served.changes();
    let mut running = Running::of(&mut command("limits.give_up=2s"));
    assert!(served.wait_for_changes(begin + 50, &mut running));
    served.fall();
    let sheet = running.end().with(4).saying("run the same command again").json();
    assert!(sheet["pending"].as_u64().unwrap() > 0, "{sheet}");
    let served = served.rise();
    door.lead_to(served.address());
    let sheet = Ended::of(&mut command("limits.give_up=1m")).with(0).json();
    assert_eq!((sheet["undecided"].as_u64(), sheet["pending"].as_u64()), (Some(0), Some(0)));
    assert_eq!(served.references(), log.references());
}

#[test]
fn while_an_import_runs_status_tells_of_it_and_a_second_one_is_refused() {
    let served = Served::with_seed(&seed(2, 3), &["--latency", "100"]);
    let desk = Desk::new();
    desk.write("calls.csv", CallLog::into_existing(100, 2).csv());
    let mut running = desk.begin_import(&served, &["calls.csv", "--workers", "1"]);
    assert!(served.wait_for_changes(served.changes() + 2, &mut running));
    desk.import(&served, &["calls.csv"]).with(2).saying("in use").saying("callport.checkpoint");
    let status = desk.run(&["status", "--json"]).with(0).json();
    let calls = status["calls"].as_object().unwrap();
    assert_eq!(calls.values().map(|count| count.as_u64().unwrap()).sum::<u64>(), 100, "{status}");
    assert!(calls["imported"].as_u64().unwrap() >= 1 && calls["staged"].as_u64().unwrap() >= 1, "{status}");
    let checked = desk.run(&["check", "calls.csv", "--json"]).with(0).json();
    assert_eq!(checked["rows"], 100);
    assert!(running.is_running());
    running.kill();
    desk.run(&["status"]).with(0);
}

#[test]
fn where_nobody_answers_it_gives_up_and_can_go_on() {
    let desk = Desk::new();
    desk.write("calls.csv", CallLog::of(3, 2).csv());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let arguments = ["import", "calls.csv", "--json", "--api-url", &closed, "--set", "limits.give_up=2s"];
    let ended = Ended::of(desk.command(&arguments).env("HELPSCOUT_ACCESS_TOKEN", "t")).with(4);
    assert_eq!(ended.json()["pending"], 3);
    ended.saying("run the same command again");
    let served = Served::start(&[]);
    desk.import(&served, &["calls.csv"]).with(0);
    assert_eq!(served.references().len(), 3);
}

#[test]
fn refused_credentials_end_with_five_and_a_service_that_is_none_too() {
    let desk = Desk::new();
    desk.write("calls.csv", CallLog::of(3, 2).csv());
    let import = |served: &Served| {
        let mut command = desk.command(&["import", "calls.csv", "--api-url", served.address()]);
        Ended::of(command.env("HELPSCOUT_APP_ID", "an-id").env("HELPSCOUT_APP_SECRET", "a-secret"))
    };
    let refusing = r#"
        [[fault]]
        on = "token"
        do = "refuse"
        status = 401
        body = '{"error":"invalid_client","error_description":"Invalid client authentication"}'
    "#;
    let served = Served::with_faults(refusing, &[]);
    import(&served).with(5).saying("credentials").saying("Invalid client authentication");
    let portal = Served::with_faults("[[fault]]\non = \"read\"\ndo = \"html\"\n", &[]);
    import(&portal).with(5).saying("unexpected answer 200");
}
