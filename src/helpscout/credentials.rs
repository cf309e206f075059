//! Who asks: an application of the account, or a token made elsewhere. Never printed, not even the application's id.

use secrecy::SecretString;

/// What a token is asked for with, or the token itself. `secrecy` keeps the contents out of debug output and wipes them.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// An application of the account; tokens are asked for and renewed with it.
    App {
        /// The application's id.
        id: SecretString,
        /// The application's secret.
        secret: SecretString,
    },
    /// A token, used as it is. It cannot be renewed.
    Token(SecretString),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_nothing_of_them() {
        let app = Credentials::App { id: "the-id".into(), secret: "the-secret".into() };
        let shown = format!("{app:?} {:?}", Credentials::Token("the-token".into()));
        for secret in ["the-id", "the-secret", "the-token"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
