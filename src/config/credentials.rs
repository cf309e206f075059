//! The credentials, from the environment or a file named there, and from nowhere else.

use std::{fmt, fs};

use secrecy::SecretString;

use super::error::{ConfigError, ConfigFault};

const APP_ID: &str = "HELPSCOUT_APP_ID";
const APP_SECRET: &str = "HELPSCOUT_APP_SECRET";
const APP_SECRET_FILE: &str = "HELPSCOUT_APP_SECRET_FILE";
const ACCESS_TOKEN: &str = "HELPSCOUT_ACCESS_TOKEN";
const API_URL: &str = "HELPSCOUT_API_URL";

/// The environment, as one function from a variable's name to its value, so that a test needs no process of its own.
#[derive(Clone, Copy)]
pub struct Environment<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
}

/// What the environment holds to get in with: at least one of the two. The token is used as it is where it is given.
#[derive(Debug, Default)]
pub struct RawCredentials {
    /// The application's id and secret. The id counts as secret too.
    pub app: Option<(SecretString, SecretString)>,
    /// An access token, used as it is and never renewed.
    pub token: Option<SecretString>,
}

impl<'a> Environment<'a> {
    /// An environment that `lookup` tells of.
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup }
    }

    /// `HELPSCOUT_API_URL`, if it is set.
    pub fn api_url(self) -> Option<String> {
        self.get(API_URL)
    }

    /// The credentials; an error says exactly which variable to set.
    pub fn credentials(self) -> Result<RawCredentials, ConfigError> {
        let token = self.get(ACCESS_TOKEN).map(SecretString::from);
        let app = match (self.get(APP_ID), self.secret()?) {
            (Some(id), Some(secret)) => Some((SecretString::from(id), secret)),
            (None, None) => None,
            (Some(_), None) => {
                return Err(fault(
                    APP_SECRET,
                    format!("is not set, but {APP_ID} is: set it or {APP_SECRET_FILE}"),
                ));
            }
            (None, Some(_)) => return Err(fault(APP_ID, "is not set, but its secret is: set it too")),
        };
        if app.is_none() && token.is_none() {
            let how =
                format!("is not set: set it and {APP_SECRET} (or {APP_SECRET_FILE}), or set {ACCESS_TOKEN}");
            return Err(fault(APP_ID, how));
        }
        Ok(RawCredentials { app, token })
    }

    fn secret(self) -> Result<Option<SecretString>, ConfigError> {
        match (self.get(APP_SECRET), self.get(APP_SECRET_FILE)) {
            (Some(_), Some(_)) => {
                Err(fault(APP_SECRET, format!("and {APP_SECRET_FILE} are both set: unset one")))
            }
            (Some(secret), None) => Ok(Some(secret.into())),
            (None, Some(path)) => match fs::read_to_string(&path) {
                Ok(text) if text.trim().is_empty() => {
                    Err(fault(APP_SECRET_FILE, format!("`{path}` is empty")))
                }
                Ok(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned().into())),
                Err(error) => Err(fault(APP_SECRET_FILE, format!("`{path}` cannot be read: {error}"))),
            },
            (None, None) => Ok(None),
        }
    }

    /// A variable that is set to nothing counts as not set.
    fn get(self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.trim().is_empty())
    }
}

impl fmt::Debug for Environment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment(…)")
    }
}

fn fault(name: &str, reason: impl Into<String>) -> ConfigError {
    ConfigError::one(ConfigFault::new(name, "environment", reason))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn credentials(variables: &[(&str, &str)]) -> Result<RawCredentials, String> {
        let lookup = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Environment::new(&lookup).credentials().map_err(|error| error.to_string())
    }

    #[test]
    fn an_id_goes_with_a_secret_and_debug_output_shows_neither() {
        let found = credentials(&[(APP_ID, "the-id"), (APP_SECRET, "the-secret")]).unwrap();
        let (id, secret) = found.app.as_ref().unwrap();
        assert_eq!((id.expose_secret(), secret.expose_secret()), ("the-id", "the-secret"));
        let shown = format!("{found:?}");
        assert!(!shown.contains("the-"), "{shown}");
    }

    #[test]
    fn the_secret_may_lie_in_a_file_and_its_last_line_end_is_not_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::io::Write::write_all(&mut fs::File::create(&path).unwrap(), b"the-secret\r\n").unwrap();
        let found = credentials(&[(APP_ID, "i"), (APP_SECRET_FILE, path.to_str().unwrap())]).unwrap();
        assert_eq!(found.app.unwrap().1.expose_secret(), "the-secret");
        let missing = credentials(&[(APP_ID, "i"), (APP_SECRET_FILE, "/no/such")]).unwrap_err();
        assert!(missing.contains("HELPSCOUT_APP_SECRET_FILE` `/no/such` cannot be read"), "{missing}");
    }

    #[test]
    fn what_is_missing_is_named() {
        for (variables, named) in [
            (&[][..], "`HELPSCOUT_APP_ID` is not set: set it and HELPSCOUT_APP_SECRET"),
            (&[(APP_ID, "i")][..], "`HELPSCOUT_APP_SECRET` is not set, but HELPSCOUT_APP_ID is"),
            (&[(APP_SECRET, "s")][..], "`HELPSCOUT_APP_ID` is not set, but its secret is"),
            (&[(APP_ID, "i"), (APP_SECRET, "s"), (APP_SECRET_FILE, "f")][..], "are both set: unset one"),
            (&[(APP_ID, "i"), (APP_SECRET, "  ")][..], "`HELPSCOUT_APP_SECRET` is not set"),
        ] {
            let told = credentials(variables).unwrap_err();
            assert!(told.contains(named), "{told}");
        }
    }

    #[test]
    fn a_token_is_enough() {
        let found = credentials(&[(ACCESS_TOKEN, "t")]).unwrap();
        assert!(found.app.is_none());
        assert_eq!(found.token.unwrap().expose_secret(), "t");
    }
}
