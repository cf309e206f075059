//! Values that may be read in several ways, or hardly at all: what a user is told of them, and which calls still go in.

use serde_json::Value;

use crate::desk::Desk;

const HEADINGS: &str = "id,started_at,direction,from,to,duration";

/// What `check --json` tells of `rows` under our own headings.
fn check(rows: &[&str], more: &[&str], code: i32) -> Value {
    let desk = Desk::new();
    desk.write("calls.csv", format!("{HEADINGS}\n{}\n", rows.join("\n")));
    desk.run(&[&["check", "calls.csv", "--json"], more].concat()).with(code).json()
}

/// Values and reasons of all problems.
fn problems(checked: &Value) -> Vec<(&str, &str)> {
    let list = checked["problems"].as_array().unwrap();
    list.iter()
        .map(|one| (one["value"].as_str().unwrap_or_default(), one["reason"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_number_that_cannot_be_read_is_named_and_never_a_customer() {
    let rows = [
        "1,2026-03-30T14:05:09Z,inbound,4.93E+11,,5",
        "2,2026-03-30T14:06:09Z,inbound,+1 555 0100; +1 555 0101,,5",
        "3,2026-03-30T14:07:09Z,inbound,'+1 555 0100,,5",
        "4,2026-03-30T14:08:09Z,inbound,*67 555 0100,,5",
    ];
    let checked = check(&rows, &["--set", "customer.hidden=456"], 3);
    let told = problems(&checked);
    assert_eq!(told.len(), 3, "{checked}");
    assert!(told[0].0 == "4.93E+11" && told[0].1.contains("the column as text"), "{told:?}");
    assert!(told[1].0 == "+1 555 0100; +1 555 0101" && told[1].1.contains("several"), "{told:?}");
    assert!(told[2].0 == "*67 555 0100" && told[2].1.contains("cannot be read"), "{told:?}");
    assert_eq!((&checked["calls"], &checked["customers"]), (&1.into(), &1.into()), "{checked}");
}

#[test]
fn the_customer_of_hidden_callers_takes_no_call_that_shows_a_number() {
    let rows = [
        "1,2026-03-30T14:05:09Z,inbound,Anonymous,+15550199,5",
        "2,2026-03-30T14:06:09Z,internal,+15550100,+15550101,5",
        "3,2026-03-30T14:07:09Z,outbound,+15550199,,5",
    ];
    let own = "source.own_numbers=+15550199";
    let checked = check(&rows, &["--set", "customer.hidden=456", "--set", own], 3);
    let told = problems(&checked);
    assert!(told.len() == 1 && told[0].1.contains("from the direction `internal`"), "{checked}");
    assert_eq!((&checked["calls"], &checked["customers"]), (&2.into(), &1.into()), "{checked}");
}

#[test]
fn a_zone_without_summer_time_is_refused_with_the_place_that_is_meant() {
    let desk = Desk::new();
    desk.write("calls.csv", format!("{HEADINGS}\n1,2026-07-30 14:05:09,inbound,+15550100,,5\n"));
    let refused = desk.run(&["check", "calls.csv", "--time-zone", "EST"]).with(2);
    refused.saying("`America/New_York`").saying("`Etc/GMT+5`");
    desk.run(&["check", "calls.csv", "--time-zone", "EST5EDT"]).with(0);
}

#[test]
fn a_year_of_two_digits_is_read_only_in_the_order_that_is_set() {
    let rows = ["1,20-03-04 14:05,inbound,+15550100,,5", "2,21-Aug-26 14:05,inbound,+15550100,,5"];
    let zone = ["--time-zone", "UTC"];
    let refused = check(&rows, &zone, 3);
    let told = problems(&refused);
    assert!(told.len() == 2 && told.iter().all(|(_, why)| why.contains("`source.date_order`")), "{told:?}");
    let order = ["--set", "source.date_order=day_first", "--until", "2026-01-01"];
    let read = check(&rows, &[&zone[..], &order].concat(), 0);
    assert_eq!(
        (&read["rows"], &read["calls"]),
        (&1.into(), &1.into()),
        "20 March 2004 lies before 2026: {read}"
    );
}

#[test]
fn a_time_in_digits_is_read_and_never_taken_for_a_count() {
    let rows = ["1,202603301405,inbound,+15550100,,5", "2,20260330140500,inbound,+15550100,,5"];
    let told = check(&rows, &[], 3);
    assert!(problems(&told).iter().all(|(_, why)| why.contains("`--time-zone`")), "{told}");
    for epoch in ["s", "ms", "us", "days"] {
        let epoch = format!("source.epoch={epoch}");
        let read = check(&rows, &["--time-zone", "Europe/Berlin", "--set", &epoch], 0);
        assert_eq!(read["calls"], 2, "{read}");
    }
    let id = check(&["1,123456789,inbound,+15550100,,5"], &[], 3);
    assert!(problems(&id)[0].1.contains("no time of the years 1990 to 2100"), "{id}");
}

#[test]
fn plain_directions_beside_a_table_and_a_german_clock_are_worth_no_word() {
    let rows = [
        "1,30.03.2026 14:05 Uhr,inbound,+15550100,,5",
        "2,30.03.2026 14:06 Uhr,Anruf,+15550100,,5",
        "3,30.03.2026 14:07 Uhr,outgoing,+15550199,+15550100,5",
    ];
    let told =
        check(&rows, &["--time-zone", "Europe/Berlin", "--set", "values.direction={Anruf = 'inbound'}"], 0);
    assert_eq!((&told["calls"], &told["customers"]), (&3.into(), &1.into()), "{told}");
    assert_eq!(told["warnings"], serde_json::json!([]), "{told}");
}
