//! Help Scout's Inbox API 2.0 over a transport, paced.

mod api_url;
mod http_transport;
mod pacer;
mod share;
mod transport;

pub use api_url::{ApiUrl, ApiUrlError};
pub use http_transport::{HttpSettings, HttpSetupError, HttpTransport};
pub use pacer::{PaceSnapshot, Pacer, READ_UNITS, WRITE_UNITS};
pub use share::{Share, ShareError};
pub use transport::{Transport, TransportFailure, WireRequest, WireResponse};
