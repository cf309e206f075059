//! Which endpoint a request is for.

use super::conversation::ThreadKind;

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
    /// Any other.
    Other,
}

impl Method {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "GET" => Self::Get,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => Self::Other,
        }
    }

    /// What a request costs of the limit.
    pub(crate) fn units(self) -> u32 {
        if self == Self::Get { 1 } else { 2 }
    }
}

/// What a request does, by which faults are aimed and requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RequestKind {
    /// Asks for a token.
    Token,
    /// Makes a customer.
    Customer,
    /// Makes a conversation.
    Create,
    /// Adds a thread.
    Append,
    /// Changes something.
    Change,
    /// Deletes something.
    Delete,
    /// Reads one thing or the account's users and inboxes.
    Read,
    /// Lists conversations or customers.
    List,
    /// Lists them by a query.
    Search,
    /// Lists the threads of a conversation.
    Threads,
    /// Is none of these: an unknown path or a wrong method.
    Other,
}

impl RequestKind {
    /// Whether it may change something.
    pub fn is_write(self) -> bool {
        matches!(self, Self::Customer | Self::Create | Self::Append | Self::Change | Self::Delete)
    }

    /// Whether it only reads.
    pub fn is_read(self) -> bool {
        matches!(self, Self::Read | Self::List | Self::Search | Self::Threads)
    }
}

/// An endpoint with the ids of its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Token,
    Users,
    Me,
    User(u64),
    Mailboxes,
    Mailbox(u64),
    Customers,
    CustomersByCursor,
    Customer(u64),
    Conversations,
    Conversation(u64),
    Tags(u64),
    Append(u64, ThreadKind),
    Threads(u64),
    Thread(u64, u64),
}

impl Route {
    /// By the path, without a slash at its end.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let mut parts = path.strip_prefix('/')?.split('/');
        let version = parts.next()?;
        let noun = parts.next()?;
        let (first, second, third) = (parts.next(), parts.next(), parts.next());
        if parts.next().is_some() {
            return None;
        }
        let id = first.and_then(|part| part.parse().ok());
        match (version, noun, first, second, third) {
            ("v2", "oauth2", Some("token"), None, None) => Some(Self::Token),
            ("v2", "users", None, None, None) => Some(Self::Users),
            ("v2", "users", Some("me"), None, None) => Some(Self::Me),
            ("v2", "users", Some(_), None, None) => id.map(Self::User),
            ("v2", "mailboxes", None, None, None) => Some(Self::Mailboxes),
            ("v2", "mailboxes", Some(_), None, None) => id.map(Self::Mailbox),
            ("v2", "customers", None, None, None) => Some(Self::Customers),
            ("v3", "customers", None, None, None) => Some(Self::CustomersByCursor),
            ("v2", "customers", Some(_), None, None) => id.map(Self::Customer),
            ("v2", "conversations", None, None, None) => Some(Self::Conversations),
            ("v2" | "v3", "conversations", Some(_), None, None) => id.map(Self::Conversation),
            ("v2", "conversations", Some(_), Some("tags"), None) => id.map(Self::Tags),
            ("v2" | "v3", "conversations", Some(_), Some("threads"), None) => id.map(Self::Threads),
            ("v2", "conversations", Some(_), Some("threads"), Some(thread)) => {
                Some(Self::Thread(id?, thread.parse().ok()?))
            }
            ("v2", "conversations", Some(_), Some(kind), None) => {
                let kind = match kind {
                    "phones" => ThreadKind::Phone,
                    "notes" => ThreadKind::Note,
                    "customer" => ThreadKind::Customer,
                    "chats" => ThreadKind::Chat,
                    "reply" => ThreadKind::Reply,
                    _ => return None,
                };
                Some(Self::Append(id?, kind))
            }
            _ => None,
        }
    }

    /// The methods that it takes, as the header `Allow` says it.
    pub(crate) fn allowed(self) -> &'static str {
        match self {
            Self::Token | Self::Append(..) => "POST",
            Self::Users
            | Self::Me
            | Self::User(_)
            | Self::Mailboxes
            | Self::Mailbox(_)
            | Self::CustomersByCursor
            | Self::Threads(_) => "GET",
            Self::Customers | Self::Conversations => "GET, POST",
            Self::Customer(_) => "GET, DELETE",
            Self::Conversation(_) => "GET, PATCH, DELETE",
            Self::Tags(_) => "PUT",
            Self::Thread(..) => "PATCH",
        }
    }

    /// The conversation that the path names.
    pub(crate) fn conversation(self) -> Option<u64> {
        match self {
            Self::Conversation(id)
            | Self::Tags(id)
            | Self::Append(id, _)
            | Self::Threads(id)
            | Self::Thread(id, _) => Some(id),
            _ => None,
        }
    }

    /// What a request with that method and query does.
    pub(crate) fn kind(self, method: Method, query: &str) -> RequestKind {
        let searches = || query.split('&').any(|part| part.starts_with("query="));
        match (self, method) {
            (Self::Token, Method::Post) => RequestKind::Token,
            (Self::Customers, Method::Post) => RequestKind::Customer,
            (Self::Conversations, Method::Post) => RequestKind::Create,
            (Self::Append(..), Method::Post) => RequestKind::Append,
            (Self::Tags(_), Method::Put) | (Self::Conversation(_) | Self::Thread(..), Method::Patch) => {
                RequestKind::Change
            }
            (Self::Customer(_) | Self::Conversation(_), Method::Delete) => RequestKind::Delete,
            (Self::Customers | Self::CustomersByCursor | Self::Conversations, Method::Get) if searches() => {
                RequestKind::Search
            }
            (Self::Customers | Self::CustomersByCursor | Self::Conversations, Method::Get) => {
                RequestKind::List
            }
            (Self::Threads(_), Method::Get) => RequestKind::Threads,
            (
                Self::Users
                | Self::Me
                | Self::User(_)
                | Self::Mailboxes
                | Self::Mailbox(_)
                | Self::Customer(_)
                | Self::Conversation(_),
                Method::Get,
            ) => RequestKind::Read,
            _ => RequestKind::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_endpoints() {
        assert_eq!(Route::parse("/v2/oauth2/token"), Some(Route::Token));
        assert_eq!(Route::parse("/v2/users/me"), Some(Route::Me));
        assert_eq!(
            Route::parse("/v2/conversations/2600000001/phones"),
            Some(Route::Append(2_600_000_001, ThreadKind::Phone))
        );
        assert_eq!(
            Route::parse("/v2/conversations/1/threads/7900000001"),
            Some(Route::Thread(1, 7_900_000_001))
        );
        assert_eq!(Route::parse("/v3/customers"), Some(Route::CustomersByCursor));
        for wrong in [
            "",
            "/",
            "/v2",
            "/v1/users",
            "/v2/conversations/x",
            "/v2/conversations/-1",
            "/v2/conversations/1/x",
            "/v2/conversations/1/threads/2/3",
            "/v2/users/me/x",
            "/v3/users",
        ] {
            assert_eq!(Route::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn kinds_follow_method_and_query() {
        let kind = |path, method, query| Route::parse(path).unwrap().kind(method, query);
        assert_eq!(kind("/v2/conversations", Method::Get, "status=all"), RequestKind::List);
        assert_eq!(kind("/v2/conversations", Method::Get, "status=all&query=(x)"), RequestKind::Search);
        assert_eq!(kind("/v2/conversations", Method::Put, ""), RequestKind::Other);
        assert_eq!(kind("/v2/conversations/1", Method::Patch, ""), RequestKind::Change);
        assert_eq!(kind("/v2/conversations/1", Method::Delete, ""), RequestKind::Delete);
        assert_eq!(kind("/v2/conversations/1/threads", Method::Get, ""), RequestKind::Threads);
    }

    #[test]
    fn reads_cost_one_unit_and_writes_two() {
        assert_eq!((Method::Get.units(), Method::Patch.units(), Method::parse("DELETE").units()), (1, 2, 2));
    }
}
