//! The checkpoint's own random key, by which what calls, customers and rejections are known by is hidden once something
//! was forgotten.
//!
//! Without it the keys in the file are plain hashes, of ids and numbers that can all be tried: eight digits are found in a
//! second. A hash under a random key tells nothing to who has the hashes alone. The key lies in the same file, because a
//! nightly import must find its calls again without being asked for a password: who has the whole file can still try a
//! number or an id and see whether it is there, but reads none from it. `docs/privacy.md` says so.
//!
//! The database calls it by five functions, so that questions read alike before and after: without a key `hidden`, `faded`
//! and `veiled` give back what they are given, and `alias` and `shown` nothing.

use std::fmt;

use rusqlite::{
    Connection,
    functions::{Context, FunctionFlags},
};

use super::{CheckpointError, lineage};
use crate::call::{CallKey, stable_digest};

/// Where the file keeps it, in hexadecimal digits.
const NAME: &str = "secret";

/// Thirty-two random bytes.
#[derive(Clone, Copy)]
pub(super) struct Secret([u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// The file's; none where nothing was ever forgotten.
    pub(super) fn load(c: &Connection) -> rusqlite::Result<Option<Self>> {
        Ok(lineage::get(c, NAME)?.as_deref().and_then(from_hex).map(Self))
    }

    /// A new one, written to the file.
    pub(super) fn make(c: &Connection) -> Result<Self, CheckpointError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| CheckpointError::NoChance(error.to_string()))?;
        lineage::put(c, NAME, &to_hex(&bytes))?;
        Ok(Self(bytes))
    }

    /// A key as the file holds it.
    pub(super) fn key(&self, key: [u8; 16]) -> [u8; 16] {
        self.digest(b"key", &key)
    }

    /// A text's fingerprint as the file holds it, of a call that is forgotten.
    pub(super) fn fingerprint(&self, fingerprint: i64) -> i64 {
        let digest = self.digest(b"fingerprint", &fingerprint.to_be_bytes());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&digest[..8]);
        i64::from_be_bytes(bytes)
    }

    /// What a barred number is known by.
    pub(super) fn number(&self, number: &str) -> [u8; 16] {
        self.digest(b"number", number.as_bytes())
    }

    /// What a barred e-mail is known by, whatever its letter case.
    pub(super) fn email(&self, email: &str) -> [u8; 16] {
        self.digest(b"email", email.trim().to_lowercase().as_bytes())
    }

    /// A reference as the file holds it.
    fn reference(&self, reference: &str) -> String {
        to_hex(&self.digest(b"reference", reference.as_bytes()))
    }

    /// A second key of a call, by what its reference shows behind the source's name.
    fn alias(&self, shown: &str) -> [u8; 16] {
        self.digest(b"shown", shown.as_bytes())
    }

    fn digest(&self, kind: &[u8], content: &[u8]) -> [u8; 16] {
        stable_digest(&[b"hidden", &self.0, kind, content])
    }
}

/// What a reference shows of a call behind the source's name; none where that is the call's id as it is, since then the
/// call's own key finds it.
fn shown_otherwise(id: Option<&str>, key: CallKey) -> Option<String> {
    let Some(id) = id else { return Some(key.to_string()) };
    let folded = id.split_whitespace().collect::<Vec<_>>().join(" ");
    (folded != id).then_some(folded)
}

/// Lets the database hide by the file's secret, if it has one.
pub(super) fn install(c: &Connection) -> rusqlite::Result<Option<Secret>> {
    let secret = Secret::load(c)?;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    c.create_scalar_function("hidden", 1, flags, move |context| {
        let key: Option<[u8; 16]> = context.get(0)?;
        Ok(key.map(|key| secret.map_or(key, |secret| secret.key(key))))
    })?;
    c.create_scalar_function("faded", 1, flags, move |context| {
        let fingerprint: i64 = context.get(0)?;
        Ok(secret.map_or(fingerprint, |secret| secret.fingerprint(fingerprint)))
    })?;
    c.create_scalar_function("veiled", 1, flags, move |context| {
        let reference: String = context.get(0)?;
        Ok(secret.map_or_else(|| reference.clone(), |secret| secret.reference(&reference)))
    })?;
    c.create_scalar_function("alias", 1, flags, move |context| {
        let shown: String = context.get(0)?;
        Ok(secret.map(|secret| secret.alias(&shown)))
    })?;
    c.create_scalar_function("shown", 2, flags, move |context| shown(context, secret))?;
    Ok(secret)
}

fn shown(context: &Context<'_>, secret: Option<Secret>) -> rusqlite::Result<Option<[u8; 16]>> {
    let (id, key): (Option<String>, [u8; 16]) = (context.get(0)?, context.get(1)?);
    let shown = secret.and_then(|_| shown_otherwise(id.as_deref(), CallKey::from_bytes(key)));
    Ok(secret.zip(shown).map(|(secret, shown)| secret.alias(&shown)))
}

/// `key` as the file holds it.
pub(super) fn hidden(c: &Connection, key: [u8; 16]) -> rusqlite::Result<[u8; 16]> {
    c.prepare_cached("SELECT hidden(?1)")?.query_row([key], |row| row.get(0))
}

fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 2 * bytes.len() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::stage::tests::fresh;

    #[test]
    fn without_a_secret_everything_stays_as_it_is() {
        let (_folder, checkpoint) = fresh();
        assert!(Secret::load(&checkpoint.connection).unwrap().is_none());
        assert_eq!(hidden(&checkpoint.connection, [7; 16]).unwrap(), [7; 16]);
    }

    #[test]
    fn a_secret_is_kept_in_the_file_and_hides_alike_every_time() {
        let (_folder, checkpoint) = fresh();
        let c = &checkpoint.connection;
        let made = Secret::make(c).unwrap();
        install(c).unwrap();
        let loaded = Secret::load(c).unwrap().unwrap();
        assert_eq!((made.0, hidden(c, [7; 16]).unwrap()), (loaded.0, loaded.key([7; 16])));
        assert_ne!(loaded.key([7; 16]), [7; 16]);
        assert_ne!(loaded.key([7; 16]), loaded.key([8; 16]));
        assert_eq!(format!("{made:?}"), "Secret(…)");
    }

    #[test]
    fn two_files_hide_otherwise() {
        let ((_a, a), (_b, b)) = (fresh(), fresh());
        let of = |checkpoint: &crate::checkpoint::Checkpoint| {
            Secret::make(&checkpoint.connection).unwrap().number("+15550100")
        };
        assert_ne!(of(&a), of(&b));
    }

    #[test]
    fn a_reference_shows_a_key_or_a_folded_id_otherwise() {
        let key = CallKey::from_bytes([0xab; 16]);
        assert_eq!(shown_otherwise(None, key).as_deref(), Some("abababababab"));
        assert_eq!(shown_otherwise(Some("7  8"), key).as_deref(), Some("7 8"));
        assert_eq!(shown_otherwise(Some("7 8"), key), None);
    }
}
