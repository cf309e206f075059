//! A door: an address that leads to one server or another, so that a program can meet a changed world at an old address.

use std::{
    io,
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// Passes connections on, for as long as the test's process lives.
pub(crate) struct Door {
    address: String,
    target: Arc<Mutex<String>>,
}

impl Door {
    /// A door to `address` (`http://HOST:PORT`).
    pub(crate) fn to(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let target = Arc::new(Mutex::new(host(address)));
        let leads_to = Arc::clone(&target);
        thread::spawn(move || {
            for caller in listener.incoming().map_while(Result::ok) {
                let target = leads_to.lock().unwrap().clone();
                // A server that has gone away closes the door.
                let Ok(server) = TcpStream::connect(target) else { continue };
                let (from, to) = (caller.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || pass(from, to));
                thread::spawn(move || pass(server, caller));
            }
        });
        Self { address: own, target }
    }

    /// From now on new connections lead to `address`.
    pub(crate) fn lead_to(&self, address: &str) {
        *self.target.lock().unwrap() = host(address);
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

fn host(address: &str) -> String {
    address.trim_start_matches("http://").to_owned()
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    // Either side may leave at any time.
    io::copy(&mut from, &mut to).ok();
    to.shutdown(std::net::Shutdown::Write).ok();
}
