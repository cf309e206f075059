//! The account that a file tells of (`account.json`), compared with the one that calls go to.
//!
//! What the file says of customers, inboxes and the limit is true of its own account only. One that was written by hand says
//! of none, and is taken as it is.

use std::path::PathBuf;

use super::ImportError;
use crate::checkpoint::{Account, Checkpoint};

/// Whose account a file tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAccount {
    /// The file.
    pub path: PathBuf,
    /// Whose it says it is.
    pub account: Account,
}

impl KnownAccount {
    /// Refuses the file where the account that was asked is another.
    pub(super) fn refuse_unless_of(&self, asked: &Account) -> Result<(), ImportError> {
        self.compare(asked, "the account that was asked is")
    }

    /// Refuses the file where the checkpoint belongs to another account. A rehearsal's belongs to none.
    pub fn refuse_unless_of_owner(&self, checkpoint: &Checkpoint) -> Result<(), ImportError> {
        match checkpoint.owner()? {
            Some(owner) if !owner.is_rehearsal() => self.compare(&owner, "the checkpoint belongs to"),
            _ => Ok(()),
        }
    }

    fn compare(&self, account: &Account, of_which: &str) -> Result<(), ImportError> {
        if *account == self.account {
            return Ok(());
        }
        Err(ImportError::Setting(format!(
            "`{}` tells of the account {}, but {of_which} {account}: `callport pull` asks this account anew; or name the file \
             that tells of it with --account",
            self.path.display(),
            self.account,
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::REHEARSAL;

    fn account(id: &str, api_url: &str) -> Account {
        Account { id: id.into(), api_url: api_url.into() }
    }

    #[test]
    fn another_account_or_address_is_refused_naming_both() {
        let known = KnownAccount { path: "account.json".into(), account: account("company:17", "https://a") };
        known.refuse_unless_of(&account("company:17", "https://a")).unwrap();
        for other in [account("company:18", "https://a"), account("company:17", "https://b")] {
            let told = known.refuse_unless_of(&other).unwrap_err().to_string();
            let both =
                format!("the account `company:17` at `https://a`, but the account that was asked is {other}");
            assert!(told.contains(&both) && told.contains("callport pull"), "{told}");
        }
    }

    #[test]
    fn a_checkpoint_is_compared_once_it_belongs_to_an_account_that_is_no_sandbox() {
        let folder = tempfile::tempdir().unwrap();
        let known = KnownAccount { path: "account.json".into(), account: account("company:17", "https://a") };
        let of = |name: &str, account: Account| {
            let checkpoint = Checkpoint::open(&folder.path().join(name)).unwrap();
            known.refuse_unless_of_owner(&checkpoint).unwrap();
            checkpoint.belong_to(&account).unwrap();
            known.refuse_unless_of_owner(&checkpoint).map_err(|error| error.to_string())
        };
        of("own", known.account.clone()).unwrap();
        of("rehearsal", account(REHEARSAL, REHEARSAL)).unwrap();
        let told = of("other", account("company:18", "https://a")).unwrap_err();
        assert!(told.contains("but the checkpoint belongs to `company:18` at `https://a`"), "{told}");
    }
}
