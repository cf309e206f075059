//! The nouns of the service and how they are asked for and made; each adds its questions to the client.

mod conversations;
mod customers;
mod inboxes;
mod threads;
mod users;

pub use conversations::{Conversation, ConversationHead, ConversationPage, ConversationState};
pub use customers::{CustomerListPage, CustomerPage, ListedCustomer};
pub use inboxes::Inbox;
pub use threads::{Author, Thread, ThreadPage};
pub use users::{Me, User};
