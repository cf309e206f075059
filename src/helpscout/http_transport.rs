//! The wire itself: reqwest with everything off that would act by itself.
//!
//! Nothing is sent twice (reqwest repeats protocol refusals by itself unless told never to), no redirect is followed and
//! every wait ends. A failure counts as "never left" only where the connection itself was not made; whatever happens
//! later may have arrived, because bytes in a socket's buffer tell nothing.

use std::{error::Error as _, time::Duration};

use bytes::{Bytes, BytesMut};

use super::{ApiUrl, Transport, TransportFailure, WireRequest, WireResponse};

/// An answer larger than this is not read on.
const LARGEST_ANSWER: usize = 32 * 1024 * 1024;
/// Connections kept open: no fewer than there are workers at most.
const IDLE_CONNECTIONS: usize = 256;
/// Shorter than the keep-alive of common gateways (60 s and more), so that the service hardly ever closes a connection
/// in the moment in which a request is put on it.
const IDLE_FOR: Duration = Duration::from_secs(20);

/// How long is waited, and what the program calls itself.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// For a connection, its TLS included.
    pub connect_timeout: Duration,
    /// For a whole answer, from the first byte sent.
    pub request_timeout: Duration,
    /// `User-Agent`.
    pub user_agent: String,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(15),
            request_timeout: Duration::from_secs(60),
            user_agent: concat!("callport/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Why no HTTP client could be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be set up")]
pub struct HttpSetupError(#[source] reqwest::Error);

/// Requests over HTTP to one address.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: reqwest::Client,
    base: String,
}

impl HttpTransport {
    /// A transport to `api_url`. A proxy of the environment is used, but never for this machine itself.
    pub fn new(api_url: &ApiUrl, settings: &HttpSettings) -> Result<Self, HttpSetupError> {
        let builder = reqwest::Client::builder()
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .http1_only()
            .tcp_nodelay(true)
            .https_only(!api_url.is_loopback())
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_idle_timeout(IDLE_FOR)
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.request_timeout)
            .user_agent(&settings.user_agent);
        let builder = if api_url.is_loopback() { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(HttpSetupError)?;
        Ok(Self { client, base: api_url.as_str().to_owned() })
    }

    fn prepare(&self, request: WireRequest) -> Result<reqwest::Request, TransportFailure> {
        let mut url = String::with_capacity(self.base.len() + request.target.len());
        url.push_str(&self.base);
        url.push_str(&request.target);
        let url = reqwest::Url::parse(&url).map_err(|fault| TransportFailure {
            may_have_arrived: false,
            why: format!("not a valid address: {fault}"),
        })?;
        let mut prepared = reqwest::Request::new(request.method, url);
        prepared.headers_mut().extend(request.headers);
        *prepared.body_mut() = request.body.map(Into::into);
        Ok(prepared)
    }
}

impl Transport for HttpTransport {
    async fn send(&self, request: WireRequest) -> Result<WireResponse, TransportFailure> {
        let request = self.prepare(request)?;
        #[expect(clippy::disallowed_methods, reason = "this is the one place where requests leave")]
        let mut response = self.client.execute(request).await.map_err(describe)?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let body = read_body(response).await?;
        Ok(WireResponse { status, headers, body })
    }
}

/// The whole body; one that came in one piece is not copied.
async fn read_body(mut response: reqwest::Response) -> Result<Bytes, TransportFailure> {
    let Some(first) = response.chunk().await.map_err(describe)? else { return Ok(Bytes::new()) };
    let mut whole: Option<BytesMut> = None;
    while let Some(more) = response.chunk().await.map_err(describe)? {
        let buffer = whole.get_or_insert_with(|| BytesMut::from(&first[..]));
        buffer.extend_from_slice(&more);
        if buffer.len() > LARGEST_ANSWER {
            return Err(TransportFailure {
                may_have_arrived: true,
                why: format!("the answer is larger than {} MiB", LARGEST_ANSWER / 1024 / 1024),
            });
        }
    }
    Ok(whole.map_or(first, BytesMut::freeze))
}

/// What happened, with its causes, and whether the request may have arrived. The URL is left out: a query may hold an
/// e-mail.
fn describe(error: reqwest::Error) -> TransportFailure {
    let may_have_arrived = !(error.is_connect() || error.is_builder());
    let timed_out = error.is_timeout();
    let error = error.without_url();
    let mut why = if timed_out { "timed out".to_owned() } else { error.to_string() };
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !why.contains(&said) {
            why.push_str(": ");
            why.push_str(&said);
        }
        cause = inner.source();
    }
    TransportFailure { may_have_arrived, why }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    fn post() -> WireRequest {
        WireRequest {
            method: http::Method::POST,
            target: "/v2/customers?a=%20b".into(),
            headers: vec![(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"))],
            body: Some(Bytes::from_static(b"{\"phone\":1}")),
        }
    }

    async fn transport(settings: HttpSettings) -> (TcpListener, HttpTransport) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = ApiUrl::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        (listener, HttpTransport::new(&url, &settings).unwrap())
    }

    /// Takes one connection and reads one request of `post`.
    async fn take(listener: &TcpListener) -> (TcpStream, String) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"{\"phone\":1}") {
            assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0);
        }
        (stream, String::from_utf8(seen).unwrap())
    }

    #[tokio::test]
    async fn a_request_arrives_as_it_was_given_and_its_answer_comes_whole() {
        let (listener, transport) = transport(HttpSettings::default()).await;
        let server = async {
            let (mut stream, seen) = take(&listener).await;
            stream
                .write_all(b"HTTP/1.1 201 Created\r\nResource-ID: 5\r\nContent-Length: 4\r\n\r\nab")
                .await
                .unwrap();
            stream.flush().await.unwrap();
            stream.write_all(b"cd").await.unwrap();
            seen
        };
        let (answer, seen) = tokio::join!(transport.send(post()), server);
        let answer = answer.unwrap();
        assert_eq!(
            (answer.status, answer.header("resource-id"), &answer.body[..]),
            (201, Some("5"), &b"abcd"[..])
        );
        assert!(seen.starts_with("POST /v2/customers?a=%20b HTTP/1.1\r\n"), "{seen}");
        assert!(seen.contains("user-agent: callport/"), "{seen}");
    }

    #[tokio::test]
    async fn a_refused_connection_never_left() {
        let (listener, transport) = transport(HttpSettings::default()).await;
        drop(listener);
        let failure = transport.send(post()).await.unwrap_err();
        assert!(!failure.may_have_arrived, "{failure}");
        assert!(failure.why.contains("efused"), "{failure}");
    }

    #[tokio::test]
    async fn a_connection_closed_after_the_request_may_have_carried_it_and_nothing_is_sent_twice() {
        let (listener, transport) = transport(HttpSettings::default()).await;
        let server = async { drop(take(&listener).await) };
        let (answer, ()) = tokio::join!(transport.send(post()), server);
        assert!(answer.unwrap_err().may_have_arrived);
        let again =
            std::future::poll_fn(|context| std::task::Poll::Ready(listener.poll_accept(context).is_ready()));
        assert!(!again.await, "a second connection was made");
    }

    #[tokio::test]
    async fn an_answer_cut_short_may_have_arrived() {
        let (listener, transport) = transport(HttpSettings::default()).await;
        let server = async {
            let (mut stream, _) = take(&listener).await;
            stream.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\nabc").await.unwrap();
        };
        let (answer, ()) = tokio::join!(transport.send(post()), server);
        assert!(answer.unwrap_err().may_have_arrived);
    }

    #[tokio::test]
    async fn no_answer_in_time_may_have_arrived() {
        let settings = HttpSettings { request_timeout: Duration::from_millis(50), ..HttpSettings::default() };
        let (listener, transport) = transport(settings).await;
        let (answer, _held) = tokio::join!(transport.send(post()), take(&listener));
        let failure = answer.unwrap_err();
        assert!(failure.may_have_arrived && failure.why.contains("timed out"), "{failure}");
    }

    #[tokio::test]
    async fn a_redirect_is_handed_over_and_not_followed() {
        let (listener, transport) = transport(HttpSettings::default()).await;
        let server = async {
            let (mut stream, _) = take(&listener).await;
            let reply = b"HTTP/1.1 301 Moved\r\nLocation: /v2/other\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(reply).await.unwrap();
            stream
        };
        let (answer, _held) = tokio::join!(transport.send(post()), server);
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.header("location")), (301, Some("/v2/other")));
    }

    #[tokio::test]
    async fn a_failure_names_no_query() {
        let (listener, transport) = transport(HttpSettings::default()).await;
        drop(listener);
        let mut request = post();
        request.target = "/v2/users?email=jo%40example.com".into();
        assert!(!transport.send(request).await.unwrap_err().why.contains("jo"));
    }
}
