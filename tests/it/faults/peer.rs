//! A peer: it stands before a sandbox and misbehaves on the wire in ways that no server does of its own will.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

use crate::served::Served;

/// What becomes of a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    /// The connection is reset before its body is read.
    ResetBeforeBody,
    /// It reaches the service, and the connection is reset instead of an answer.
    ResetAfterBody,
    /// It reaches the service, and the answer ends amid its head.
    HalfHead,
    /// It does not reach the service; this is what comes back.
    Instead(&'static str),
    /// It does not reach the service, and nothing ever comes back.
    Silence,
}

/// A peer that lives as long as the test's process.
pub(super) struct Peer {
    address: String,
    struck: Arc<AtomicU64>,
}

/// Which requests a deed is for, by method and path, and how often.
#[derive(Clone)]
struct Plan {
    upstream: String,
    step: &'static str,
    times: u64,
    deed: Deed,
    struck: Arc<AtomicU64>,
}

impl Peer {
    /// Before `served`; the first `times` requests of the kind `step` suffer `deed`.
    pub(super) fn before(served: &Served, step: &'static str, times: u64, deed: Deed) -> Self {
        Self::start(served, step, times, deed, None)
    }

    /// Before `served`, over TLS with the certificate of [`certificate`].
    pub(super) fn over_tls(served: &Served) -> Self {
        let pem = |name: &str| std::fs::read(fixture(name)).unwrap();
        let certificate = CertificateDer::from_pem_slice(&pem("certificate.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_slice(&pem("key.pem")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let mut peer =
            Self::start(served, "none", 0, Deed::Silence, Some(TlsAcceptor::from(Arc::new(config))));
        peer.address = peer.address.replace("http://", "https://");
        peer
    }

    fn start(served: &Served, step: &'static str, times: u64, deed: Deed, tls: Option<TlsAcceptor>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let struck = Arc::new(AtomicU64::new(0));
        let upstream = served.address().trim_start_matches("http://").to_owned();
        let plan = Plan { upstream, step, times, deed, struck: Arc::clone(&struck) };
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(accept(stream, plan.clone(), tls.clone()));
                }
            });
        });
        Self { address, struck }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// How many requests suffered.
    pub(super) fn struck(&self) -> u64 {
        self.struck.load(Ordering::SeqCst)
    }
}

/// The certificate of a peer over TLS, which nobody signed.
pub(super) fn certificate() -> PathBuf {
    fixture("certificate.pem")
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls").join(name)
}

/// How a connection ends.
#[derive(PartialEq)]
enum End {
    Closed,
    Reset,
}

async fn accept(mut stream: TcpStream, plan: Plan, tls: Option<TlsAcceptor>) {
    if let Some(tls) = tls {
        // A client that does not trust the certificate goes away.
        if let Ok(mut stream) = tls.accept(stream).await {
            converse(&mut stream, &plan).await;
        }
    } else if converse(&mut stream, &plan).await == Some(End::Reset) {
        stream.set_zero_linger().unwrap();
    }
}

/// Passes requests and answers until one of the two leaves (`None`), or a deed ends it.
async fn converse(client: &mut (impl AsyncRead + AsyncWrite + Unpin), plan: &Plan) -> Option<End> {
    loop {
        let (mut message, body) = read_head(client).await?;
        let deed = plan.deed_for(&message);
        if matches!(deed, Some(Deed::ResetBeforeBody)) {
            return Some(End::Reset);
        }
        read_body(client, &mut message, body).await?;
        match deed {
            Some(Deed::Instead(words)) => {
                client.write_all(words.as_bytes()).await.ok()?;
                client.flush().await.ok()?;
                return Some(End::Closed);
            }
            Some(Deed::Silence) => tokio::time::sleep(Duration::MAX).await,
            _ => {}
        }
        let answer = ask(&plan.upstream, &message).await?;
        match deed {
            Some(Deed::ResetAfterBody) => return Some(End::Reset),
            Some(Deed::HalfHead) => {
                client.write_all(answer.get(..20)?).await.ok()?;
                return Some(End::Closed);
            }
            _ => client.write_all(&answer).await.ok()?,
        }
        client.flush().await.ok()?;
    }
}

impl Plan {
    fn deed_for(&self, head: &[u8]) -> Option<Deed> {
        let due = step(head) == self.step && self.struck.load(Ordering::SeqCst) < self.times;
        if due {
            self.struck.fetch_add(1, Ordering::SeqCst);
        }
        due.then_some(self.deed)
    }
}

/// The kind of a request.
fn step(head: &[u8]) -> &'static str {
    let head = String::from_utf8_lossy(head);
    let mut words = head.split([' ', '?']);
    match (words.next(), words.next()) {
        (Some("POST"), Some("/v2/oauth2/token")) => "token",
        (Some("POST"), Some("/v2/conversations")) => "create",
        (Some("POST"), Some("/v2/customers")) => "customer",
        (Some("POST"), Some(path)) if path.ends_with("/phones") => "append",
        (Some("GET"), Some(path)) if path.ends_with("/threads") => "threads",
        (Some("GET"), Some("/v2/users")) => "users",
        (Some("GET"), Some(_)) => "read",
        _ => "other",
    }
}

async fn ask(upstream: &str, request: &[u8]) -> Option<Vec<u8>> {
    let mut service = TcpStream::connect(upstream).await.ok()?;
    service.write_all(request).await.ok()?;
    let (mut answer, body) = read_head(&mut service).await?;
    read_body(&mut service, &mut answer, body).await?;
    Some(answer)
}

/// A message up to the end of its head (and perhaps some bytes more), and how long it is as a whole.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<(Vec<u8>, usize)> {
    let mut message = Vec::new();
    loop {
        if stream.read_buf(&mut message).await.ok()? == 0 {
            return None;
        }
        if let Some(at) = message.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&message[..at]).to_ascii_lowercase();
            let length = head.split("content-length:").nth(1).and_then(|rest| rest.lines().next());
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            return Some((message, at + 4 + length));
        }
    }
}

async fn read_body(stream: &mut (impl AsyncRead + Unpin), message: &mut Vec<u8>, whole: usize) -> Option<()> {
    while message.len() < whole {
        if stream.read_buf(message).await.ok()? == 0 {
            return None;
        }
    }
    Some(())
}
