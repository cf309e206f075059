//! The way to the service: names, connections, TLS.

use std::net::TcpListener;

use super::{
    GO_ON, Work,
    peer::{Deed, Peer, certificate},
    served,
};
use crate::desk::Ended;

/// Nothing is sent to `address`, which nobody reaches; the run gives up after a second, says `words` and can go on.
fn gives_up(work: &Work, address: &str, words: &[&str]) {
    let mut command = work.command(address);
    let mut ended = Ended::of(command.args(["--set", "limits.give_up=1s"])).with(4);
    assert_eq!(ended.json()["pending"], work.references.len(), "{}", ended.out);
    for word in ["no success for", GO_ON].iter().chain(words) {
        ended = ended.saying(word);
    }
}

#[test]
fn a_name_that_does_not_resolve_ends_with_four_and_is_named() {
    let work = Work::new();
    // No resolver knows a name below `.invalid`; one that is silent is waited for no longer than any connection.
    gives_up(&work, "https://callport.invalid", &["error sending request"]);
    // A checkpoint belongs to the account and the address of its first success: another address is no obstacle here.
    work.finishes(&served(""));
}

#[test]
fn a_service_that_speaks_no_tls_ends_with_four_and_gets_no_token() {
    let served = served("");
    let work = Work::new();
    gives_up(&work, &served.address().replace("http://", "https://"), &["error sending request", "corrupt"]);
    work.finishes(&served);
}

#[test]
fn a_certificate_that_nobody_signed_ends_with_four_and_is_taken_once_it_is_trusted() {
    let served = served("");
    let (work, peer) = (Work::new(), Peer::over_tls(&served));
    gives_up(&work, peer.address(), &["certificate"]);
    assert_eq!(served.references().len(), 0);
    let mut trusting = work.command(peer.address());
    Ended::of(trusting.env("SSL_CERT_FILE", certificate())).with(0);
    assert_eq!(served.references(), work.references);
}

/// The first request of each kind suffers `deed`; the import ends well nevertheless.
fn survives_at_each_step(deed: Deed) {
    std::thread::scope(|scope| {
        for step in ["token", "read", "threads", "customer", "create", "append"] {
            scope.spawn(move || {
                let served = served("");
                let (work, peer) = (Work::new(), Peer::before(&served, step, 1, deed));
                work.finishes_at(peer.address(), &served);
                assert_eq!(peer.struck(), 1, "{step}");
            });
        }
    });
}

#[test]
fn a_connection_reset_before_the_body_loses_nothing_and_doubles_nothing() {
    survives_at_each_step(Deed::ResetBeforeBody);
}

#[test]
fn a_connection_reset_after_the_body_loses_nothing_and_doubles_nothing() {
    survives_at_each_step(Deed::ResetAfterBody);
}

#[test]
fn an_answer_that_ends_amid_its_head_loses_nothing_and_doubles_nothing() {
    survives_at_each_step(Deed::HalfHead);
}

#[test]
fn an_answer_that_is_no_http_loses_nothing_and_doubles_nothing() {
    survives_at_each_step(Deed::Instead("SSH-2.0-OpenSSH_9.9\r\n"));
}

#[test]
fn a_connection_that_is_closed_at_once_ends_with_four_and_can_go_on() {
    let closing = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", closing.local_addr().unwrap());
    std::thread::spawn(move || closing.incoming().for_each(drop));
    let work = Work::new();
    gives_up(&work, &address, &[]);
    work.finishes(&served(""));
}
