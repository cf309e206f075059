//! Help Scout's Inbox API 2.0 over a transport, paced.

mod api_url;
mod http_transport;
mod transport;

pub use api_url::{ApiUrl, ApiUrlError};
pub use http_transport::{HttpSettings, HttpSetupError, HttpTransport};
pub use transport::{Transport, TransportFailure, WireRequest, WireResponse};
