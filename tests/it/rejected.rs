//! Rejected rows: where they stand, that they can be mended, and that `--strict` sends nothing.

use crate::{desk::Desk, served::Served};

const EXPORT: &str = "id,started_at,duration,direction,email,notes\n\
    1,2024-01-01T10:00:00Z,60,inbound,jo@example.com,fine\n\
    2,2024-13-01T10:00:00Z,60,inbound,jo@example.com,\"two\nlines, \"\"quoted\"\"\"\n\
    3,2024-01-03T10:00:00Z,60,inbound,jo@example.com,one,too many\n\
    4,2024-01-04T10:00:00Z,60,inbound,,no customer\n";

#[test]
fn they_stand_as_they_were_read_with_file_line_and_reason_and_go_in_when_mended() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("export.csv", EXPORT);
    let sheet = desk.import(&served, &["export.csv", "--json"]).with(3).json();
    assert_eq!((sheet["imported"].as_u64(), sheet["rejected"].as_u64()), (Some(1), Some(3)));
    assert_eq!(sheet["rejects_file"], "rejects.csv");
    let text = desk.read("rejects.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headings: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let original = ["id", "started_at", "duration", "direction", "email", "notes"];
    assert_eq!(headings[..6], original);
    assert_eq!(headings[6..], ["callport_file", "callport_line", "callport_reason", "callport_raw"]);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let lines: Vec<&str> = rows.iter().map(|row| &row[7]).collect();
    assert_eq!(lines, ["3", "5", "6"]);
    assert!(rows.iter().all(|row| &row[6] == "export.csv" && !row[8].is_empty()), "{text}");
    assert_eq!((&rows[0][1], &rows[0][5]), ("2024-13-01T10:00:00Z", "two\nlines, \"quoted\""));
    assert_eq!(&rows[1][9], "3,2024-01-03T10:00:00Z,60,inbound,jo@example.com,one,too many");
    assert!(rows[1].iter().take(6).all(str::is_empty), "{text}");

    // Again, nothing is new: the same rejections are no failure.
    let again = desk.import(&served, &["export.csv", "--json"]).with(0).json();
    assert_eq!((again["rejected"].as_u64(), again["rejected_before"].as_u64()), (Some(3), Some(3)));

    let mended = text
        .replace("2024-13-01", "2024-01-02")
        .replace("inbound,,no customer", "inbound,ada@example.com,no customer")
        .replace("\n,,,,,,export.csv", "\n3,2024-01-03T10:00:00Z,60,inbound,jo@example.com,one,export.csv");
    desk.write("rejects.csv", mended);
    let sheet = desk.import(&served, &["rejects.csv", "--json"]).with(0).json();
    assert_eq!((sheet["imported"].as_u64(), sheet["rejected"].as_u64()), (Some(3), Some(0)));
    assert_eq!(served.references(), ["1", "2", "3", "4"]);
    assert!(!desk.files().contains(&"rejects-2.csv".to_owned()), "{:?}", desk.files());

    // The file is left, and nobody takes it for this run's.
    desk.write("mended.csv", desk.read("rejects.csv"));
    desk.import(&served, &["mended.csv"]).with(0).saying("`rejects.csv` is of an earlier run");
    assert!(desk.files().contains(&"rejects.csv".to_owned()));
}

#[test]
fn a_file_that_is_read_is_never_replaced() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("rejects.csv", EXPORT);
    let sheet = desk.import(&served, &["rejects.csv", "--json"]).with(3).json();
    assert_eq!(sheet["rejects_file"], "rejects-2.csv");
    assert_eq!(desk.read("rejects.csv"), EXPORT);
}

#[test]
fn strict_sends_nothing_while_a_row_is_rejected() {
    let (desk, served) = (Desk::new(), Served::start(&[]));
    desk.write("export.csv", EXPORT);
    let before = served.changes();
    let ended = desk.import(&served, &["export.csv", "--strict", "--json"]).with(3).saying("--strict");
    let sheet = ended.json();
    assert_eq!((sheet["requests"].as_u64(), sheet["rejected"].as_u64()), (Some(0), Some(3)));
    assert_eq!(served.changes(), before);
    desk.run(&["check", "export.csv", "--strict"]).with(3);
    desk.import(&served, &["export.csv"]).with(3);
    assert_eq!(served.references(), ["1"]);
}

#[test]
fn a_row_that_the_service_refuses_is_rejected_alone_with_its_words() {
    let script = r#"
        [[fault]]
        on = "create"
        do = "refuse_thread"
        containing = "note 7,"
    "#;
    let (desk, served) = (Desk::new(), Served::with_faults(script, &[]));
    let log = crate::call_log::CallLog::of(20, 2);
    desk.write("calls.csv", log.csv());
    let sheet = desk.import(&served, &["calls.csv", "--json"]).with(3).json();
    assert_eq!((sheet["imported"].as_u64(), sheet["rejected"].as_u64()), (Some(19), Some(1)));
    let text = desk.read("rejects.csv");
    assert!(text.contains("c0007") && text.contains("note 7,") && !text.contains("c0008"), "{text}");
    assert_eq!(served.references().len(), 19);
    assert!(!served.references().contains(&"c0007".to_owned()));
}
