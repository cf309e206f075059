//! The way to the service.

use std::{sync::Arc, time::Duration};

use super::{
    failure::Failure,
    setup::{self, Setup},
};
use crate::{
    helpscout::{
        ApiUrl, Client, ClientNote, ClientSettings, Credentials, HttpSettings, HttpTransport, NoteSink, Pacer,
    },
    import::{Clock, EventSink, ImportEvent},
};

/// Units a minute to assume until the service states its own limit.
pub(super) const ASSUMED_RATE: u32 = 200;

/// Where the service is: as asked for, else as the environment says, else the service itself.
pub(super) fn address(asked: Option<&str>) -> Result<ApiUrl, Failure> {
    let from_environment = setup::environment().api_url();
    let text = asked.or(from_environment.as_deref()).unwrap_or(ApiUrl::DEFAULT);
    ApiUrl::parse(text).map_err(|error| Failure::usage(error.to_string()))
}

/// What the environment holds to get in with.
pub(super) fn credentials() -> Result<Credentials, Failure> {
    let raw = setup::environment().credentials()?;
    Ok(match (raw.token, raw.app) {
        (Some(token), _) => Credentials::Token(token),
        (None, Some((id, secret))) => Credentials::App { id, secret },
        (None, None) => return Err(Failure::usage("no credentials are set")),
    })
}

/// A client that has sent nothing yet.
pub(super) fn client(
    address: ApiUrl,
    credentials: Credentials,
    setup: &Setup,
    rate: Option<u32>,
    clock: Clock,
    events: &Arc<dyn EventSink>,
) -> Result<Client<HttpTransport>, Failure> {
    let transport = HttpTransport::new(&address, &HttpSettings::default()).map_err(Failure::unexpected)?;
    let zone = setup.zone();
    let minute = move || setup::minute_of_day(zone, clock.now());
    let pacer = Pacer::new(rate.unwrap_or(ASSUMED_RATE), setup.share()?, minute);
    let settings = ClientSettings {
        api_url: address,
        give_up: setup.settings.limits.give_up,
        chance_seed: chance_seed(),
        on_note: Some(notes(Arc::clone(events))),
    };
    Ok(Client::new(transport, credentials, pacer, settings))
}

fn notes(events: Arc<dyn EventSink>) -> NoteSink {
    Arc::new(move |note| {
        events.emit(match note {
            ClientNote::Throttled { wait } => ImportEvent::Throttled { wait },
            ClientNote::Retrying { why, wait } => ImportEvent::Retrying { why, wait },
        });
    })
}

/// Where chance begins: it only spreads waits, so that the clock will do.
pub(super) fn chance_seed() -> u64 {
    let now: Duration = setup::since_1970();
    u64::from(now.subsec_nanos()) ^ now.as_secs()
}
