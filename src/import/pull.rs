//! What is known of an account, asked for and kept in a file.
//!
//! A list of customers shifts while it is read. It is asked for with the oldest first, so that who is added comes behind
//! everybody else; what is left to shift it is a customer who is deleted or merged away, by which all behind him move on,
//! one of them perhaps from a page not yet read to one that was. Hence:
//!
//! - Where the total fell, and where an earlier pull stopped, pages are read again backwards until one shows nobody new;
//!   from there it goes on.
//! - Where at the end fewer people were seen than there are, all is read again, up to three times in all.
//! - Whoever was added or changed since the first page was read is asked for at the end and replaces what was seen before.
//!
//! What remains: where between two pages as many are added as are deleted, the total does not tell, and one customer may be
//! missed who moved from one page to another at that moment; who was deleted after having been seen stays in the file;
//! and lists come from an index that lags, so that the last minutes may be missing. The same command run again mends each.

use std::{
    collections::HashSet,
    future::Future,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{
    Clock, EventSink, ImportError, ImportEvent,
    account_file::{AccountFile, KnownCustomer, KnownCustomers, Whose},
    connect::account_id,
    pull_part::{Head, PageLine, Part, Walk},
};
use crate::{
    call::Moment,
    helpscout::{ApiError, Client, CustomerListPage, Inbox, Me, Transport, User},
};

/// Readings of the whole list, at most.
const WALKS: [Walk; 3] = [Walk::First, Walk::Second, Walk::Third];
/// How far before the first page changes are asked for: clocks differ, and the index lags.
const MARGIN_SECONDS: i64 = 600;
/// What an older pull left is begun anew: who was deleted meanwhile would stay in the file.
const STALE_SECONDS: i64 = 7 * 24 * 3600;

/// What a pull is told.
#[derive(Debug)]
pub struct PullJob {
    /// Where the file goes.
    pub output: PathBuf,
    /// When it is.
    pub clock: Clock,
}

/// What a pull came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// Units a minute, as the service states it.
    pub limit: Option<u32>,
    /// How many inboxes the file holds.
    pub inboxes: usize,
    /// How many users.
    pub users: usize,
    /// How many customers.
    pub customers: usize,
    /// Requests that left.
    pub requests: u64,
    /// What they cost of the account's limit.
    pub units: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// Why a pull ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The account was not read to its end.
    #[error(transparent)]
    Account(#[from] ImportError),
    /// What an earlier pull left does not fit.
    #[error("{0}")]
    Part(String),
    /// A file cannot be written.
    #[error("`{}` cannot be written", .path.display())]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl From<ApiError> for PullError {
    fn from(error: ApiError) -> Self {
        Self::Account(error.into())
    }
}

/// Pulls. What was seen is kept until the file is in place, so that the same pull goes on where it stopped.
pub async fn pull<T: Transport>(
    job: PullJob,
    client: Client<T>,
    events: Arc<dyn EventSink>,
    stop: CancellationToken,
) -> Result<Pulled, PullError> {
    let client = client.with_stop(stop.clone());
    let PullJob { output, clock } = job;
    let small = until(&stop, small(&client)).await?;
    let begun = client.service_now().unwrap_or_else(|| clock.now());
    let mut puller = Puller::begin(&client, events.as_ref(), &stop, &small, &output, begun)?;
    let names: Vec<&str> = small.inboxes.iter().map(|inbox| inbox.name.as_str()).collect();
    let account = format!("{} ({})", small.whose.id, names.join(", "));
    events.emit(ImportEvent::Connected { account, user: small.me.name.clone() });
    puller.read_all().await?;
    let pace = client.pace();
    let file = AccountFile {
        pulled_at: clock.now(),
        whose: &small.whose,
        limit: pace.stated,
        inboxes: &small.inboxes,
        users: &small.users,
    };
    let Puller { part, customers, .. } = puller;
    file.write(&output, &customers).map_err(|cause| PullError::Unwritable { path: output, cause })?;
    part.remove()?;
    Ok(Pulled {
        limit: pace.stated,
        inboxes: small.inboxes.len(),
        users: small.users.len(),
        customers: customers.len(),
        requests: pace.requests,
        units: pace.units,
        elapsed: clock.elapsed(),
    })
}

/// `reading`, or a stop: a read that is dropped has changed nothing.
async fn until<V>(
    stop: &CancellationToken,
    reading: impl Future<Output = Result<V, ApiError>>,
) -> Result<V, ApiError> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(ApiError::Stopped),
        read = reading => read,
    }
}

/// What takes a page or two; it is asked for anew by every pull.
struct Small {
    me: Me,
    whose: Whose,
    inboxes: Vec<Inbox>,
    users: Vec<User>,
}

async fn small<T: Transport>(client: &Client<T>) -> Result<Small, ApiError> {
    let me = client.me().await?;
    let mut seen = HashSet::new();
    let mut inboxes = client.inboxes().await?;
    inboxes.retain(|inbox| seen.insert(inbox.id));
    seen.clear();
    let mut users = client.users().await?;
    users.retain(|user| seen.insert(user.id));
    users.sort_by_key(|user| user.id != me.id);
    let id = account_id(me.company_id, &inboxes);
    let whose = Whose { id, api_url: client.api_url().as_str().to_owned() };
    Ok(Small { me, whose, inboxes, users })
}

struct Puller<'p, T> {
    client: &'p Client<T>,
    events: &'p dyn EventSink,
    stop: &'p CancellationToken,
    part: Part,
    /// Since when who changed is asked for at the end.
    since: Moment,
    customers: KnownCustomers,
    from: Position,
}

/// Where a list is read on.
#[derive(Debug)]
struct Position {
    walk: Walk,
    page: u32,
    total: Option<u64>,
    /// Whether pages before this one may have shifted since they were read.
    in_doubt: bool,
    /// Who was seen in this walk.
    seen: HashSet<u64>,
}

impl Position {
    fn start(walk: Walk) -> Self {
        Self { walk, page: 1, total: None, in_doubt: false, seen: HashSet::new() }
    }
}

impl<'p, T: Transport> Puller<'p, T> {
    /// Takes up what an earlier pull of the same account left.
    fn begin(
        client: &'p Client<T>,
        events: &'p dyn EventSink,
        stop: &'p CancellationToken,
        small: &Small,
        output: &Path,
        now: Moment,
    ) -> Result<Self, PullError> {
        let path = Part::path_beside(output);
        let (mut part, head, lines) = Part::open(&path)?;
        if let Some(head) = head.as_ref().filter(|head| head.account != small.whose) {
            return Err(PullError::Part(format!(
                "`{}` was begun with another account, {} at {}, and this one is {} at {}: delete it, or name another file by \
                 --output",
                path.display(),
                head.account.id,
                head.account.api_url,
                small.whose.id,
                small.whose.api_url,
            )));
        }
        let begun =
            head.and_then(|head| Moment::parse_api(&head.begun)).filter(|begun| is_fresh(*begun, now));
        let mut customers = KnownCustomers::new();
        let mut from = Position::start(Walk::First);
        if begun.is_some() {
            from = taken_up(lines, &mut customers);
        } else {
            part.begin(&Head { account: small.whose.clone(), begun: now.to_string() })?;
        }
        let since = begun.unwrap_or(now).plus_seconds(-MARGIN_SECONDS);
        let puller = Self { client, events, stop, part, since, customers, from };
        puller.tell(puller.from.total);
        Ok(puller)
    }

    /// Reads on to the end.
    async fn read_all(&mut self) -> Result<(), PullError> {
        let mut from = std::mem::replace(&mut self.from, Position::start(Walk::First));
        for walk in WALKS {
            if from.walk == Walk::Changed {
                break;
            }
            if from.walk != walk {
                continue;
            }
            let total = self.walk(from).await?;
            let is_short = total.is_some_and(|total| (self.customers.len() as u64) < total);
            from = Position::start(match walk {
                Walk::First if is_short => Walk::Second,
                Walk::Second if is_short => Walk::Third,
                _ => Walk::Changed,
            });
            if is_short && walk == Walk::Third {
                self.warn(total.unwrap_or_default());
            }
        }
        self.walk(from).await?;
        Ok(())
    }

    /// Reads a list to its end; how many it says there are.
    async fn walk(&mut self, from: Position) -> Result<Option<u64>, PullError> {
        let Position { walk, page: mut number, mut total, mut in_doubt, mut seen } = from;
        loop {
            let page = self.read(walk, number).await?;
            let (is_empty, pages, new_total) = (page.customers.is_empty(), page.pages, page.total);
            let fresh = self.keep(walk, number, page, &mut seen)?;
            in_doubt |= new_total.zip(total).is_some_and(|(now, before)| now < before);
            total = new_total.or(total);
            if in_doubt && (fresh > 0 || is_empty) && number > 1 {
                number -= 1;
                continue;
            }
            // A page that is read again shows nobody new, which says nothing of those behind it.
            let is_again = std::mem::replace(&mut in_doubt, false);
            // What lies behind the last page is documented nowhere, so that it is not asked for where the last is told.
            let at_end = pages.map_or(fresh == 0 && !is_again, |pages| number >= pages);
            if at_end || is_empty {
                return Ok(total);
            }
            number += 1;
        }
    }

    async fn read(&self, walk: Walk, number: u32) -> Result<CustomerListPage, ApiError> {
        let since = (walk == Walk::Changed).then_some(self.since);
        until(self.stop, self.client.customers(number, since)).await
    }

    /// Writes a page down; how many of it this walk had not seen.
    fn keep(
        &mut self,
        walk: Walk,
        number: u32,
        page: CustomerListPage,
        seen: &mut HashSet<u64>,
    ) -> Result<usize, PullError> {
        let customers: Vec<KnownCustomer> = page.customers.into_iter().map(KnownCustomer::from).collect();
        let line = PageLine { walk, page: number, total: page.total, customers };
        self.part.add_page(&line)?;
        let fresh = line.customers.iter().filter(|customer| seen.insert(customer.id)).count();
        self.customers.extend(line.customers.into_iter().map(|customer| (customer.id, customer)));
        self.tell(page.total.filter(|_| walk != Walk::Changed));
        Ok(fresh)
    }

    fn tell(&self, total: Option<u64>) {
        let customers = self.customers.len() as u64;
        let pace = self.client.pace();
        let (limit, share, used) = (pace.limit.unwrap_or_default(), pace.share, pace.used_last_minute);
        self.events.emit(ImportEvent::Pulling { customers, total: total.unwrap_or(customers) });
        self.events.emit(ImportEvent::Pace { limit, share, used });
    }

    fn warn(&self, total: u64) {
        let seen = self.customers.len();
        let reason = format!(
            "the account says that it has {total} customers, but its list, read three times, showed {seen}: run `callport pull` \
             again when fewer people work on it"
        );
        self.events.emit(ImportEvent::Warned { reason });
    }
}

fn is_fresh(begun: Moment, now: Moment) -> bool {
    now.epoch_seconds() - begun.epoch_seconds() < STALE_SECONDS
}

/// What was seen before, and where it goes on: the last page is read again, because others may have moved meanwhile. Who
/// changed is asked for from the beginning.
fn taken_up(lines: Vec<PageLine>, customers: &mut KnownCustomers) -> Position {
    let Some(last) = lines.last().map(|line| (line.walk, line.page, line.total)) else {
        return Position::start(Walk::First);
    };
    let (walk, page, total) = last;
    let mut position = Position { walk, page, total, in_doubt: true, seen: HashSet::new() };
    if walk == Walk::Changed {
        position = Position::start(Walk::Changed);
    }
    for line in lines {
        if line.walk == position.walk && position.walk != Walk::Changed {
            position.seen.extend(line.customers.iter().map(|customer| customer.id));
        }
        customers.extend(line.customers.into_iter().map(|customer| (customer.id, customer)));
    }
    position
}

#[cfg(test)]
mod tests;
