//! Help Scout's Inbox API 2.0 over a transport, paced.
//!
//! A [`Transport`] carries one request and says of a failure whether the request could have left this machine. The
//! [`Client`] puts a token on it, waits for its turn at the [`Pacer`], repeats reads that failed for a passing reason and
//! reduces answers to what decisions are made of. It never repeats a write: only the caller, who has written down what it
//! is about to send, can tell what a lost answer means. The nouns of the service have a small file each in `endpoints`;
//! what is sent is in `body`, what is read in `wire`.

mod answer;
mod api_url;
mod body;
mod client;
mod credentials;
mod endpoints;
mod error;
mod forecast;
mod http_transport;
mod masked;
mod pacer;
mod patience;
mod redact;
#[cfg(test)]
mod scripted;
mod share;
mod target;
mod token;
mod transport;
mod wire;

pub use api_url::{ApiUrl, ApiUrlError};
pub use body::{CustomerRef, NewConversation, NewCustomer, NewPhoneThread, NewThread, thread_size};
pub use client::{Client, ClientSettings};
pub use credentials::Credentials;
pub use endpoints::{
    Author, Conversation, ConversationHead, ConversationPage, ConversationState, CustomerListPage,
    CustomerPage, Inbox, ListedCustomer, Me, Thread, ThreadPage, User,
};
pub use error::ApiError;
pub use forecast::time_for;
pub use http_transport::{HttpSettings, HttpSetupError, HttpTransport};
pub use pacer::{PaceSnapshot, Pacer, READ_UNITS, WRITE_UNITS};
pub use patience::{ClientNote, NoteSink};
pub use share::{Share, ShareError};
pub use transport::{Transport, TransportFailure, WireRequest, WireResponse};
