//! Pulls from a list that shifts while it is read.

use std::sync::Mutex;

use http::HeaderMap;
use serde_json::{Value, json};

use super::*;
use crate::helpscout::{
    ApiUrl, ClientSettings, Credentials, Pacer, Share, TransportFailure, WireRequest, WireResponse,
};

const PAGE: usize = 50;

type Before = dyn Fn(usize, &mut State) + Send + Sync;

/// An account whose customers a test moves before the nth page is answered.
struct Account {
    state: Mutex<State>,
    before: Box<Before>,
    stop: CancellationToken,
}

/// Ids in the order of the list, those that changed, and how many pages were asked for.
#[derive(Default)]
struct State {
    ids: Vec<u64>,
    changed: Vec<u64>,
    pages_read: usize,
    /// A read with this number stops the pull instead.
    stops_at: Option<usize>,
    /// How many pages and customers there are is not told.
    is_silent: bool,
}

impl Transport for Arc<Account> {
    async fn send(&self, request: WireRequest) -> Result<WireResponse, TransportFailure> {
        let body = match request.target.split('?').next().unwrap() {
            "/v2/users/me" => json!({"id": 2, "firstName": "Nina", "companyId": 7}),
            "/v2/mailboxes" => json!({"_embedded": {"mailboxes": [{"id": 85, "name": "Support"}]}}),
            "/v2/users" => json!({"_embedded": {"users": [{"id": 1}, {"id": 2}, {"id": 1}]}}),
            _ => self.customers(&request.target),
        };
        Ok(WireResponse { status: 200, headers: HeaderMap::new(), body: body.to_string().into() })
    }
}

impl Account {
    fn with(ids: Vec<u64>, before: impl Fn(usize, &mut State) + Send + Sync + 'static) -> Arc<Self> {
        let state = Mutex::new(State { ids, ..State::default() });
        Arc::new(Self { state, before: Box::new(before), stop: CancellationToken::new() })
    }

    fn customers(&self, target: &str) -> Value {
        let mut state = self.state.lock().unwrap();
        state.pages_read += 1;
        let count = state.pages_read;
        (self.before)(count, &mut state);
        if state.stops_at == Some(count) {
            self.stop.cancel();
        }
        let number: usize = target.rsplit_once("page=").unwrap().1.parse().unwrap();
        let is_changed = target.contains("modifiedSince");
        let list = if is_changed { &state.changed } else { &state.ids };
        let name = if is_changed { "changed" } else { "first" };
        let shown: Vec<Value> = list
            .iter()
            .skip((number - 1) * PAGE)
            .take(PAGE)
            .map(|id| json!({"id": id, "firstName": name, "_embedded": {"phones": [{"value": "+1"}]}}))
            .collect();
        let mut page = json!({});
        if !state.is_silent {
            page["page"] = json!({"totalElements": list.len(), "totalPages": list.len().div_ceil(PAGE)});
        }
        if !shown.is_empty() {
            page["_embedded"] = json!({"customers": shown});
        }
        page
    }

    fn pages_read(&self) -> usize {
        self.state.lock().unwrap().pages_read
    }
}

struct Deaf;

impl EventSink for Deaf {
    fn emit(&self, _event: ImportEvent) {}
}

async fn run(account: &Arc<Account>, output: &Path, now: i64) -> Result<Pulled, PullError> {
    let settings = ClientSettings {
        api_url: ApiUrl::parse(ApiUrl::DEFAULT).unwrap(),
        give_up: Duration::from_secs(60),
        chance_seed: 3,
        on_note: None,
    };
    let pacer = Pacer::new(0, Share::always(1.0).unwrap(), || 0);
    let client = Client::new(Arc::clone(account), Credentials::Token("t".into()), pacer, settings);
    let clock = Clock::starting_at(Moment::from_epoch_seconds(now).unwrap());
    let job = PullJob { output: output.to_owned(), clock };
    pull(job, client, Arc::new(Deaf), account.stop.clone()).await
}

fn written(output: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(output).unwrap()).unwrap()
}

fn ids(file: &Value) -> Vec<u64> {
    let customers = file["customers"].as_array().unwrap();
    customers.iter().map(|one| one["id"].as_u64().unwrap()).collect()
}

struct Place {
    _folder: tempfile::TempDir,
    output: PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("account.json");
    Place { _folder: folder, output }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_missed_where_others_are_deleted_amid_reading() {
    for deleted_before in 1..=5 {
        let account = Account::with((1..=230).collect(), move |page, state| {
            if page == deleted_before {
                state.ids.drain(0..3);
            }
        });
        let place = place();
        run(&account, &place.output, 1_000_000).await.unwrap();
        let found = ids(&written(&place.output));
        assert!((4..=230).all(|id| found.contains(&id)), "before page {deleted_before}: {found:?}");
        assert!(account.pages_read() <= 5 + 1 + 4, "before page {deleted_before}: {}", account.pages_read());
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_missed_where_the_last_page_is_gone() {
    let account = Account::with((1..=101).collect(), |page, state| {
        if page == 3 {
            state.ids.drain(0..2);
        }
    });
    let place = place();
    run(&account, &place.output, 1_000_000).await.unwrap();
    assert_eq!(ids(&written(&place.output)), (1..=101).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn all_is_read_again_where_fewer_were_seen_than_there_are() {
    let account = Account::with((1..=100).collect(), |page, state| {
        if page == 2 {
            // Of two who were made in one second, either may stand first.
            state.ids.swap(49, 50);
        }
    });
    let place = place();
    run(&account, &place.output, 1_000_000).await.unwrap();
    assert_eq!(ids(&written(&place.output)).len(), 100);
    assert_eq!(account.pages_read(), 2 + 2 + 1);
}

#[tokio::test(start_paused = true)]
async fn who_changed_is_asked_for_at_the_end_and_counts() {
    let account = Account::with((1..=60).collect(), |page, state| {
        if page == 3 {
            state.changed = vec![7, 61];
        }
    });
    let place = place();
    let pulled = run(&account, &place.output, 1_000_000).await.unwrap();
    let file = written(&place.output);
    assert_eq!((pulled.customers, pulled.requests, pulled.limit), (61, 6, None));
    assert_eq!(file["customers"][6]["firstName"], "changed");
    assert_eq!(file["customers"][5]["firstName"], "first");
    assert_eq!(file["account"], json!({"id": "company:7", "apiUrl": "https://api.helpscout.net"}));
    let users = file["users"].as_array().unwrap();
    assert_eq!(users.iter().map(|user| user["id"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_pull_goes_on_where_another_stopped_though_others_were_deleted_and_added() {
    for stops_at in 1..=6 {
        let place = place();
        // Five pages of all, and two of those that changed, the last of which is not come to.
        let first = Account::with((1..=230).collect(), |_, state| state.changed = (1..=60).collect());
        first.state.lock().unwrap().stops_at = Some(stops_at);
        let error = run(&first, &place.output, 1_000_000).await.unwrap_err();
        assert!(matches!(error, PullError::Account(ImportError::Stopped)), "{error}");
        assert!(!place.output.exists());
        let gone_on = Account::with((4..=233).collect(), |_, state| state.changed = vec![231, 232, 233]);
        run(&gone_on, &place.output, 1_003_600).await.unwrap();
        let found = ids(&written(&place.output));
        assert!((4..=233).all(|id| found.contains(&id)), "stopped at {stops_at}: {found:?}");
        assert!(!Part::path_beside(&place.output).exists());
    }
}

#[tokio::test(start_paused = true)]
async fn a_pull_goes_on_to_the_end_where_no_count_is_told() {
    let place = place();
    let account = || {
        let account = Account::with((1..=230).collect(), |_, _| ());
        account.state.lock().unwrap().is_silent = true;
        account
    };
    let first = account();
    first.state.lock().unwrap().stops_at = Some(3);
    run(&first, &place.output, 1_000_000).await.unwrap_err();
    run(&account(), &place.output, 1_003_600).await.unwrap();
    assert_eq!(ids(&written(&place.output)), (1..=230).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn what_a_pull_left_a_week_ago_is_begun_anew() {
    let place = place();
    let first = Account::with((1..=100).collect(), |_, _| ());
    first.state.lock().unwrap().stops_at = Some(2);
    run(&first, &place.output, 1_000_000).await.unwrap_err();
    let later = Account::with((51..=100).collect(), |_, _| ());
    run(&later, &place.output, 1_000_000 + STALE_SECONDS).await.unwrap();
    assert_eq!(ids(&written(&place.output)), (51..=100).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_list_that_never_shows_all_ends_all_the_same() {
    let account = Account::with((1..=100).collect(), |page, state| {
        // One and the same customer stands on both pages whenever they are read.
        state.ids[50] = if page % 2 == 0 { 1 } else { 51 };
        state.ids[0] = 1;
    });
    let place = place();
    let pulled = run(&account, &place.output, 1_000_000).await.unwrap();
    assert_eq!((pulled.customers, account.pages_read()), (99, 3 * 2 + 1));
}
