//! What comes back: trouble that passes, pages of others, redirects, limits.

use std::{io::ErrorKind, net::TcpListener};

use super::{
    GO_ON, Work,
    peer::{Deed, Peer},
    served,
};
use crate::desk::Ended;

/// The kinds of requests that every import makes, or makes when it looks for what was lost.
const STEPS: [&str; 7] = ["token", "read", "list", "threads", "customer", "create", "append"];

const PAGE: &str = "body = '<html><h1>blocked</h1></html>'\nbody_type = \"text/html\"";

/// The first request of every kind suffers `deed` in one import; it ends well nevertheless.
fn passes_at_every_step(deed: &str) {
    let rule = |on: &&str| format!("[[fault]]\non = \"{on}\"\nat = [1]\n{deed}\n");
    let script: String = STEPS.iter().chain(&["search"]).map(rule).collect();
    Work::new().finishes(&served(&script));
}

#[test]
fn an_answer_lost_at_every_step_loses_nothing_and_doubles_nothing() {
    passes_at_every_step("do = \"drop_after\"");
}

#[test]
fn a_request_lost_at_every_step_loses_nothing_and_doubles_nothing() {
    passes_at_every_step("do = \"drop_before\"");
}

#[test]
fn half_an_answer_at_every_step_loses_nothing_and_doubles_nothing() {
    passes_at_every_step("do = \"half_answer\"");
}

#[test]
fn a_502_after_storing_at_every_step_loses_nothing_and_doubles_nothing() {
    passes_at_every_step("do = \"bad_gateway_after\"");
}

#[test]
fn a_proxys_page_with_502_or_503_at_every_step_loses_nothing_and_doubles_nothing() {
    for status in [502, 503] {
        passes_at_every_step(&format!("do = \"refuse\"\nstatus = {status}\n{PAGE}"));
    }
}

/// One request of each kind suffers `deed`: the run stops with 5 and says `words`; the same command finds out what was
/// stored and comes to its end.
fn stops_at_each_step(steps: &[&'static str], deed: &str, words: &[&str]) {
    std::thread::scope(|scope| {
        for step in steps {
            scope.spawn(move || {
                let script = format!("[[fault]]\non = \"{step}\"\ntimes = 1\n{deed}");
                let (served, work) = (served(&script), Work::new());
                let mut ended = work.import(served.address()).with(5);
                let sheet = ended.json();
                assert_eq!(sheet["rejected"], 0, "{step}: nothing is held against the calls");
                for word in words {
                    assert!(ended.err.contains(word), "{step}: `{word}` is not in {}", ended.err);
                    ended = ended.saying(GO_ON);
                }
                work.finishes(&served);
            });
        }
    });
}

#[test]
fn a_portals_page_with_200_stops_at_any_step_and_the_next_run_finds_out() {
    stops_at_each_step(&STEPS, "do = \"html\"", &["200"]);
}

#[test]
fn a_proxys_page_with_403_stops_at_any_step_and_is_not_taken_for_help_scouts_word() {
    let deed = format!("do = \"refuse\"\nstatus = 403\n{PAGE}");
    // What answers the request for a token is not quoted: it might hold one.
    stops_at_each_step(&STEPS[..1], &deed, &["403", "something before it may have answered"]);
    stops_at_each_step(&STEPS[1..], &deed, &["blocked", "403"]);
}

#[test]
fn an_answer_that_is_no_json_stops_the_run_and_the_next_one_finds_out() {
    let words = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"page\": ";
    for step in ["token", "read", "threads", "create", "append"] {
        let served = served("");
        let (work, peer) = (Work::new(), Peer::before(&served, step, 1, Deed::Instead(words)));
        work.import(peer.address()).with(5).saying("200");
        work.finishes_at(peer.address(), &served);
    }
}

#[test]
fn a_redirect_to_another_host_is_followed_at_no_step_and_the_token_stays_at_home() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let elsewhere = format!("http://{host}:{}", other.local_addr().unwrap().port());
        let deed = format!("do = \"redirect\"\nlocation = \"{elsewhere}/v2/conversations/7\"");
        stops_at_each_step(&STEPS, &deed, &[&elsewhere]);
    }
    let knocked = other.accept().map(|(_, from)| from);
    assert_eq!(knocked.unwrap_err().kind(), ErrorKind::WouldBlock, "the other host was asked");
}

#[test]
fn a_429_that_states_a_wait_is_waited_out_for_all() {
    for header in [true, false] {
        let script = format!(
            "[service]\nretry_after_header = {header}\n[[fault]]\non = \"write\"\nat = [3, 9]\ndo = \"refuse\"\n\
             status = 429\nretry_after = 1"
        );
        let (served, work) = (served(&script), Work::new());
        let sheet = work.import(served.address()).with(0).saying("Help Scout asks to wait").json();
        assert_eq!(sheet["throttled"], 2);
        assert_eq!(served.references(), work.references);
    }
}

#[cfg(unix)]
#[test]
fn a_429_that_states_no_wait_is_waited_out_for_a_minute_and_ctrl_c_ends_the_wait() {
    use crate::desk::Running;

    let served = served("");
    let words = "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n";
    let (work, peer) = (Work::new(), Peer::before(&served, "append", 1, Deed::Instead(words)));
    let running = Running::of(&mut work.command(peer.address()));
    running.waits_to_say("Help Scout asks to wait 1 min 1 s");
    running.interrupt();
    let sheet = running.end().with(4).saying(GO_ON).json();
    assert_eq!((&sheet["throttled"], &sheet["undecided"]), (&1.into(), &0.into()), "a 429 leaves no doubt");
    work.finishes_at(peer.address(), &served);
}

#[test]
fn a_service_that_answers_nothing_but_503_ends_with_four_and_can_go_on() {
    let script = format!("[[fault]]\non = \"read\"\nuntil = \"3s\"\ndo = \"refuse\"\nstatus = 503\n{PAGE}");
    let (served, work) = (served(&script), Work::new());
    let mut command = work.command(served.address());
    Ended::of(command.args(["--set", "limits.give_up=1s"])).with(4).saying("503").saying("no success for");
    work.finishes(&served);
}
