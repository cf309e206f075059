//! The sandbox behind a socket.
//!
//! HTTP is axum's; only what HTTP cannot say is done here: a connection that breaks. Each connection carries a [`Line`],
//! which a request's handler can tell to cut: what was chosen to leave still leaves, then the connection is closed.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::error::SandboxError;
use super::exchange::{Outcome, SandboxRequest, SandboxResponse};
use super::service::Sandbox;

/// The most that is read of a body; the service's own limit is far below.
const BODY_LIMIT: usize = 64 << 20;

/// Serves until `shutdown` is done. `clock` tells milliseconds since 1970.
pub async fn serve(
    listener: TcpListener,
    sandbox: Arc<Mutex<Sandbox>>,
    clock: impl Fn() -> i64 + Clone + Send + Sync + 'static,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), SandboxError> {
    let handler = move |ConnectInfo(line): ConnectInfo<Line>, request: Request| {
        let (sandbox, clock) = (sandbox.clone(), clock.clone());
        async move { answer(&sandbox, clock, &line, request).await }
    };
    let service = Router::new().fallback(handler).into_make_service_with_connect_info::<Line>();
    axum::serve(Door(listener), service).with_graceful_shutdown(shutdown).await?;
    Ok(())
}

async fn answer(
    sandbox: &Mutex<Sandbox>,
    clock: impl Fn() -> i64,
    line: &Line,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await;
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let request = SandboxRequest {
        method: parts.method.as_str().to_owned(),
        target: parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
        headers: parts.headers.iter().map(header).collect(),
        body: match body {
            Ok(body) => body,
            // The caller went away, or sent more than any service would read.
            Err(_) => return line.cut(None),
        },
    };
    let handling = lock(sandbox).handle(clock(), &request);
    if !handling.delay.is_zero() {
        tokio::time::sleep(handling.delay).await;
    }
    match handling.outcome {
        Outcome::Answer(answer) => respond(answer),
        Outcome::Cut { sent } => line.cut(sent),
    }
}

fn respond(answer: SandboxResponse) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() =
        http::StatusCode::from_u16(answer.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        // A fault script may name a header value that HTTP does not allow: it is left out.
        if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), http::HeaderValue::try_from(value))
        {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection as its requests see it.
#[derive(Debug, Clone, Default)]
struct Line(Arc<Mutex<Cut>>);

#[derive(Debug, Default)]
struct Cut {
    is_ordered: bool,
    left: Bytes,
}

impl Line {
    /// Orders the cut. The answer returned here never leaves.
    fn cut(&self, sent: Option<Bytes>) -> Response {
        *lock(&self.0) = Cut { is_ordered: true, left: sent.unwrap_or_default() };
        Response::new(Body::empty())
    }
}

impl Connected<IncomingStream<'_, Door>> for Line {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().line.clone()
    }
}

/// A listener whose connections can be cut.
#[derive(Debug)]
struct Door(TcpListener);

impl Listener for Door {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Without it, small answers wait for one another; a socket that refuses it still works.
        drop(stream.set_nodelay(true));
        (Wire { stream, line: Line::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

#[derive(Debug)]
struct Wire {
    stream: TcpStream,
    line: Line,
}

impl Wire {
    /// Once a cut is ordered: writes what is to leave, then fails. Ready with `None` if there is no order.
    fn poll_cut(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Error>> {
        let mut cut = lock(&self.line.0);
        if !cut.is_ordered {
            return Poll::Ready(None);
        }
        while !cut.left.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, &cut.left) {
                Poll::Ready(Ok(written)) if written > 0 => cut.left.advance(written),
                Poll::Ready(_) => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Some(io::Error::from(io::ErrorKind::ConnectionReset)))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.poll_cut(cx) {
            Poll::Ready(None) => Pin::new(&mut self.stream).poll_write(cx, bytes),
            Poll::Ready(Some(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.poll_cut(cx) {
            Poll::Ready(None) => Pin::new(&mut self.stream).poll_write_vectored(cx, slices),
            Poll::Ready(Some(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.poll_cut(cx) {
            Poll::Ready(None) => Pin::new(&mut self.stream).poll_flush(cx),
            Poll::Ready(Some(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;

    use super::super::fault_script::FaultScript;
    use super::super::service::SandboxOptions;
    use super::*;

    /// Sends one request on a connection of its own and reads all that comes back.
    async fn exchange(address: SocketAddr, text: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A reset counts as the end, as a caller sees it.
        drop(stream.read_to_end(&mut answer).await);
        String::from_utf8(answer).unwrap()
    }

    const ME: &str = "GET /v2/users/me HTTP/1.1\r\nHost: sandbox.test\r\nAuthorization: Bearer t\r\nConnection: close\r\n\r\n";

    async fn served(script: &str, requests: usize) -> Vec<String> {
        let faults = FaultScript::parse(script).unwrap();
        let sandbox = Sandbox::new(SandboxOptions { faults, rate: 400, ..SandboxOptions::default() });
        let sandbox = Arc::new(Mutex::new(sandbox));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { drop(stopped.await) };
        let server = tokio::spawn(serve(listener, sandbox.clone(), || 1_000, shutdown));
        let mut answers = Vec::new();
        for _ in 0..requests {
            answers.push(exchange(address, ME).await);
        }
        stop.send(()).unwrap();
        server.await.unwrap().unwrap();
        assert_eq!(lock(&sandbox).tally().requests, requests as u64);
        answers
    }

    const SCRIPT: &str = "[[fault]]\nat = [2]\ndo = \"drop_after\"\n[[fault]]\nat = [3]\ndo = \"half_answer\"\n\
        [[fault]]\nat = [4]\ndo = \"delay\"\nfor = \"1ms\"";

    fn check(answers: &[String]) {
        assert!(answers[0].starts_with("HTTP/1.1 200 OK\r\n"), "{}", answers[0]);
        assert!(answers[0].to_lowercase().contains("x-ratelimit-remaining-minute: 399\r\n"));
        assert!(answers[0].contains("http://sandbox.test/v2/users/1"));
        let dates: Vec<&str> =
            answers[0].lines().filter(|line| line.to_lowercase().starts_with("date:")).collect();
        assert_eq!(dates.len(), 1, "the sandbox's own clock, and no other: {dates:?}");
        assert!(dates[0].ends_with("Thu, 01 Jan 1970 00:00:01 GMT"), "{dates:?}");
        assert_eq!(answers[1], "", "not one byte of the second answer leaves");
        assert!(answers[2].starts_with("HTTP/1.1 200 "), "{}", answers[2]);
        assert!(!answers[2].contains('}'), "the third answer breaks off");
        assert!(answers[3].ends_with('}'), "the fourth is late and whole");
    }

    #[tokio::test]
    async fn answers_cuts_and_half_answers_pass_the_socket() {
        check(&served(SCRIPT, 4).await);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn it_serves_on_several_threads_too() {
        check(&served(SCRIPT, 4).await);
    }
}
