//! Where the service is: `https`, or plain `http` to this machine alone, so that no token crosses a network unencrypted.

use std::fmt;

use reqwest::Url;

/// The address that targets are appended to, without a trailing slash, credentials, query or fragment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ApiUrl {
    url: Url,
    text: String,
}

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiUrlError {
    /// It cannot be read as a URL with a host.
    #[error("the API address is not a URL ({0}); it looks like `https://api.helpscout.net`")]
    NotAUrl(String),
    /// Neither `https` nor `http`.
    #[error("the API address has the scheme `{0}`; only `https` is spoken, and `http` to a loopback address")]
    Scheme(String),
    /// Plain `http` to another machine.
    #[error("plain `http` to `{0}` would send the token unencrypted; use `https`, or a loopback address")]
    NotLoopback(String),
    /// It holds more than an address.
    #[error(
        "the API address holds {0}; credentials come from the environment, and paths are appended by callport"
    )]
    Excess(&'static str),
}

impl ApiUrl {
    /// The service itself.
    pub const DEFAULT: &'static str = "https://api.helpscout.net";

    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, ApiUrlError> {
        let url = Url::parse(text.trim()).map_err(|fault| ApiUrlError::NotAUrl(fault.to_string()))?;
        let Some(host) = url.host_str() else { return Err(ApiUrlError::NotAUrl("no host".into())) };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(ApiUrlError::NotLoopback(host.to_owned())),
            other => return Err(ApiUrlError::Scheme(other.to_owned())),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ApiUrlError::Excess("a user name or password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ApiUrlError::Excess("a query or a fragment"));
        }
        let text = url.as_str().trim_end_matches('/').to_owned();
        if ["/v2", "/v3"].iter().any(|version| text.ends_with(version)) {
            return Err(ApiUrlError::Excess("the API's version (`/v2`)"));
        }
        Ok(Self { url, text })
    }

    /// The address, normalised: lower-case host, no default port, no trailing slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// The conversation that a `Location` names, if it is on this host. Only its id is taken over, so that a token is
    /// sent nowhere but to the address it was meant for.
    pub fn conversation_at(&self, location: &str) -> Option<u64> {
        let there = self.url.join(location).ok()?;
        if there.host() != self.url.host() || there.port() != self.url.port() {
            return None;
        }
        let mut segments = there.path_segments()?.skip_while(|segment| *segment != "conversations");
        segments.nth(1)?.parse().ok()
    }
}

/// Whether the host is 127.0.0.0/8, `::1` or `localhost`.
fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for ApiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for good in ["http://127.0.0.1:8080", "http://127.9.9.9", "http://[::1]:80", "http://LOCALHOST:1/"] {
            assert!(ApiUrl::parse(good).unwrap().is_loopback(), "{good}");
        }
        for bad in
            ["http://api.helpscout.net", "http://10.0.0.1", "http://localhost.example.com", "http://0.0.0.0"]
        {
            assert!(matches!(ApiUrl::parse(bad), Err(ApiUrlError::NotLoopback(_))), "{bad}");
        }
        assert!(!ApiUrl::parse(ApiUrl::DEFAULT).unwrap().is_loopback());
    }

    #[test]
    fn trailing_slash_default_port_and_capitals_make_no_difference() {
        for same in
            ["https://api.helpscout.net", "https://API.helpscout.net:443/", " https://api.helpscout.net// "]
        {
            assert_eq!(ApiUrl::parse(same).unwrap().as_str(), "https://api.helpscout.net");
        }
        assert_eq!(ApiUrl::parse("https://example.com/hs/").unwrap().to_string(), "https://example.com/hs");
    }

    #[test]
    fn credentials_are_refused_and_not_repeated() {
        let refusal = ApiUrl::parse("https://me:hush@example.com").unwrap_err();
        assert_eq!(refusal, ApiUrlError::Excess("a user name or password"));
        assert!(!refusal.to_string().contains("hush"));
        assert!(matches!(ApiUrl::parse("https://example.com/?a=b"), Err(ApiUrlError::Excess(_))));
        assert!(matches!(ApiUrl::parse("https://api.helpscout.net/v2/"), Err(ApiUrlError::Excess(_))));
        assert!(matches!(ApiUrl::parse("ftp://example.com"), Err(ApiUrlError::Scheme(_))));
        for unreadable in ["api.helpscout.net", "", "https://", "localhost:80"] {
            assert!(ApiUrl::parse(unreadable).is_err(), "{unreadable}");
        }
    }

    #[test]
    fn a_location_counts_on_the_same_host_only() {
        let here = ApiUrl::parse(ApiUrl::DEFAULT).unwrap();
        for good in [
            "https://api.helpscout.net/v2/conversations/77",
            "/v2/conversations/77",
            "/v2/conversations/77/?embed=threads",
            "77",
        ] {
            let expected = (good != "77").then_some(77);
            assert_eq!(here.conversation_at(good), expected, "{good}");
        }
        for bad in [
            "https://example.com/v2/conversations/77",
            "//example.com/v2/conversations/77",
            "https://api.helpscout.net:8443/v2/conversations/77",
            "https://api.helpscout.net.example.com/v2/conversations/77",
            "/v2/customers/77",
            "/v2/conversations/x",
        ] {
            assert_eq!(here.conversation_at(bad), None, "{bad}");
        }
    }
}
