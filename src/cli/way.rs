//! Where the calls go: into the account, or into a sandbox inside this process.

use super::{
    args::Common,
    failure::Failure,
    rehearsal::{self, Rehearsal},
    remote,
    setup::Setup,
};
use crate::{
    checkpoint::{Checkpoint, REHEARSAL},
    helpscout::{ApiUrl, Credentials},
};

/// The address with what opens it, and the checkpoint of what goes there.
pub(super) struct Way {
    pub(super) address: ApiUrl,
    pub(super) credentials: Credentials,
    pub(super) checkpoint: Checkpoint,
    /// The account's name where it is not asked for it.
    pub(super) account: Option<String>,
    /// The sandbox of a rehearsal; it ends with it.
    pub(super) rehearsal: Option<Rehearsal>,
}

impl Way {
    /// To the account at `api_url`.
    pub(super) fn to_account(api_url: Option<&str>, setup: &Setup) -> Result<Self, Failure> {
        Ok(Self {
            address: remote::address(api_url)?,
            credentials: remote::credentials()?,
            checkpoint: Checkpoint::open(&setup.paths.checkpoint)?,
            account: None,
            rehearsal: None,
        })
    }

    /// To a sandbox, which begins to serve.
    pub(super) async fn to_sandbox(
        common: &Common,
        rate: Option<u32>,
        setup: &Setup,
    ) -> Result<Self, Failure> {
        let (rehearsal, checkpoint) = rehearsal::begin(common, rate, setup).await?;
        Ok(Self {
            address: rehearsal.address.clone(),
            credentials: Credentials::Token("rehearsal".to_owned().into()),
            checkpoint,
            account: Some(REHEARSAL.to_owned()),
            rehearsal: Some(rehearsal),
        })
    }
}
