//! The requests that only read: single things, and pages of many.
//!
//! Conversations and customers are listed from an index that may lag behind; what is named by its id, and the threads of
//! a conversation, are always current.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::answers::hal;
use super::conversation::{Conversation, Status};
use super::exchange::{SandboxRequest, SandboxResponse};
use super::query::Query;
use super::route::Route;
use super::rules::Refusal;
use super::search::parse_search;
use super::views::{View, newest_first};
use super::writing::not_found;

/// How long a merged conversation leads to its survivor.
const MERGE_MS: i64 = 60 * 24 * 3_600_000;

/// The entries of a page of conversations or threads, and of anything else.
const FEW: usize = 25;
const MANY: usize = 50;

/// One read request.
#[derive(Debug)]
pub(crate) struct Reading<'r> {
    pub(crate) view: View<'r>,
    pub(crate) request: &'r SandboxRequest,
    pub(crate) now_ms: i64,
    /// The lag of lists and searches: how old the index is that answers.
    pub(crate) lag_ms: i64,
    pub(crate) shows_company: bool,
}

impl Reading<'_> {
    /// The answer to a GET.
    pub(crate) fn answer(&self, route: Route) -> Result<SandboxResponse, Refusal> {
        let world = self.view.world;
        let mut query = Query::parse(self.request.query());
        match route {
            Route::Me => self.me(),
            Route::User(id) => {
                world.user(id).map(|user| show(&self.view.user(user))).ok_or_else(|| not_found("user", id))
            }
            Route::Users => {
                let email = query.get("email").map(str::to_lowercase);
                let users: Vec<_> = world
                    .users()
                    .iter()
                    .filter(|user| email.as_ref().is_none_or(|email| user.email.to_lowercase() == *email))
                    .collect();
                self.page(&mut query, "users", &users, MANY, |user| self.view.user(user))
            }
            Route::Mailboxes => {
                let inboxes: Vec<_> = world.inboxes().iter().collect();
                self.page(&mut query, "mailboxes", &inboxes, MANY, |inbox| self.view.inbox(inbox))
            }
            Route::Mailbox(id) => {
                let inbox = world.inboxes().iter().find(|inbox| inbox.id == id);
                inbox.map(|inbox| show(&self.view.inbox(inbox))).ok_or_else(|| not_found("mailbox", id))
            }
            Route::Customer(id) => world
                .customer(id)
                .map(|customer| show(&self.view.customer(customer)))
                .ok_or_else(|| not_found("customer", id)),
            Route::Customers => self.customers(&mut query),
            Route::CustomersByCursor => self.customers_by_cursor(&mut query),
            Route::Conversations => self.conversations(&mut query),
            Route::Conversation(id) => self.conversation(id, &query),
            Route::Threads(id) => self.threads(id, &mut query),
            Route::Token | Route::Tags(_) | Route::Append(..) | Route::Thread(..) => {
                Err(Refusal::NotFound("not found".to_owned()))
            }
        }
    }

    fn me(&self) -> Result<SandboxResponse, Refusal> {
        let world = self.view.world;
        let owner = world.user(world.owner()).ok_or_else(|| not_found("user", world.owner()))?;
        let mut shown = self.view.user(owner);
        if self.shows_company {
            shown["companyId"] = json!(1);
        }
        Ok(show(&shown))
    }

    fn conversation(&self, id: u64, query: &Query) -> Result<SandboxResponse, Refusal> {
        let found = self.view.world.conversation(id).filter(|one| !one.deleted);
        let one = found.ok_or_else(|| not_found("conversation", id))?;
        match one.merged {
            None => {
                let with_threads = query.get("embed") == Some("threads");
                Ok(show(&self.view.conversation(one, with_threads)))
            }
            Some(merge) if merge.at_ms.is_none_or(|at| self.now_ms - at < MERGE_MS) => {
                let location = format!("{}/v2/conversations/{}", self.view.base, merge.into);
                Ok(SandboxResponse::new(301).with("Location", location))
            }
            Some(_) => Err(not_found("conversation", id)),
        }
    }

    fn threads(&self, id: u64, query: &mut Query) -> Result<SandboxResponse, Refusal> {
        let found = self.view.world.conversation(id).filter(|one| one.is_live());
        let one = found.ok_or_else(|| not_found("conversation", id))?;
        let threads = newest_first(one, i64::MAX);
        self.page(query, "threads", &threads, FEW, |thread| self.view.thread(one, thread))
    }

    fn conversations(&self, query: &mut Query) -> Result<SandboxResponse, Refusal> {
        let with_threads = query.get("embed") == Some("threads");
        let found = self.find_conversations(query)?;
        self.page(query, "conversations", &found, FEW, |one| self.view.conversation(one, with_threads))
    }

    fn find_conversations(&self, query: &mut Query) -> Result<Vec<&Conversation>, Refusal> {
        let known_ms = self.now_ms - self.lag_ms;
        let status = query.word("status", &["active", "all", "closed", "open", "pending", "spam"]);
        let inboxes = query.numbers("mailbox");
        let tags: Option<Vec<String>> =
            query.get("tag").map(|tags| tags.split(',').map(|tag| tag.trim().to_lowercase()).collect());
        let since = query.time("modifiedSince");
        let number = query.number("number");
        let assignee = query.number("assigned_to");
        let condition = query.get("query").map(parse_search);
        if condition == Some(None) {
            query.fault("query", "malformed query");
        }
        let field = query.word("sortField", SORT_FIELDS);
        let ascending = query.word("sortOrder", &["desc", "asc"]) == "asc";
        query.settle()?;
        let condition = condition.flatten();
        let world = self.view.world;
        let keep = |one: &&Conversation| {
            one.was_live(known_ms)
                && has_status(one, status)
                && inboxes.as_ref().is_none_or(|ids| ids.contains(&one.inbox))
                && tags
                    .as_ref()
                    .is_none_or(|tags| one.tags.iter().any(|tag| tags.iter().any(|t| **t == **tag)))
                && since.is_none_or(|since| one.modified_ms.div_euclid(1000) >= since)
                && number.is_none_or(|number| one.number == number)
                && assignee.is_none_or(|user| one.assignee == Some(user))
                && condition.as_ref().is_none_or(|condition| condition.holds(world, one, known_ms))
        };
        let mut found: Vec<&Conversation> = world.conversations().filter(keep).collect();
        sort(&mut found, field);
        if !ascending {
            found.reverse();
        }
        Ok(found)
    }

    fn customers(&self, query: &mut Query) -> Result<SandboxResponse, Refusal> {
        let field = query.word("sortField", &["createdAt", "firstName", "lastName", "modifiedAt"]);
        let ascending = query.word("sortOrder", &["desc", "asc"]) == "asc";
        let mut found = self.find_customers(query)?;
        match field {
            "firstName" => found.sort_by_key(|one| (one.first_name.to_lowercase(), one.id)),
            "lastName" => found.sort_by_key(|one| (one.last_name.to_lowercase(), one.id)),
            // Nothing changes a customer here.
            _ => found.sort_by_key(|one| (one.inserted_ms, one.id)),
        }
        if !ascending {
            found.reverse();
        }
        self.page(query, "customers", &found, MANY, |customer| self.view.customer(customer))
    }

    fn find_customers(&self, query: &mut Query) -> Result<Vec<&super::customer::Customer>, Refusal> {
        let known_ms = self.now_ms - self.lag_ms;
        let condition = query.get("query").map(parse_search);
        if condition == Some(None) {
            query.fault("query", "malformed query");
        }
        let name = |query: &Query, key| query.get(key).map(str::to_lowercase);
        let (first, last) = (name(query, "firstName"), name(query, "lastName"));
        let modified = query.time("modifiedSince");
        let since = query.time("createdSince").max(modified);
        query.settle()?;
        let condition = condition.flatten();
        let keep = |one: &&super::customer::Customer| {
            one.inserted_ms <= known_ms
                && first.as_ref().is_none_or(|name| one.first_name.to_lowercase() == *name)
                && last.as_ref().is_none_or(|name| one.last_name.to_lowercase() == *name)
                && since.is_none_or(|since| one.inserted_ms.div_euclid(1000) >= since)
                && condition.as_ref().is_none_or(|condition| condition.fits(one))
        };
        Ok(self.view.world.customers().filter(keep).collect())
    }

    /// The v3 list: an exact e-mail, and a cursor instead of pages. The cursor is the id of the last one shown.
    fn customers_by_cursor(&self, query: &mut Query) -> Result<SandboxResponse, Refusal> {
        let email = query.get("email").map(str::to_lowercase);
        let after = query.number("cursor").unwrap_or(0);
        let mut found = self.find_customers(query)?;
        found.retain(|one| {
            one.id > after
                && email
                    .as_ref()
                    .is_none_or(|email| one.emails.iter().any(|own| own.to_lowercase() == **email))
        });
        let path = format!("{}{}", self.view.base, self.request.path());
        let page = found.get(..MANY.min(found.len())).unwrap_or_default();
        let mut links = json!({"self": {"href": format!("{path}?{}", self.request.query())}});
        if let (true, Some(last)) = (found.len() > MANY, page.last()) {
            let next = query.link("cursor", &last.id.to_string());
            links["next"] = json!({"href": format!("{path}{next}")});
        }
        let mut body = json!({});
        if !page.is_empty() {
            let customers: Value = page.iter().map(|one| self.view.customer(one)).collect();
            body["_embedded"] = json!({"customers": customers});
        }
        body["_links"] = links;
        Ok(show(&body))
    }

    /// One page of many, in the HAL envelope.
    fn page<'a, T, V: Serialize>(
        &self,
        query: &mut Query,
        name: &'static str,
        all: &'a [T],
        size: usize,
        view: impl Fn(&'a T) -> V,
    ) -> Result<SandboxResponse, Refusal> {
        let number = query.page();
        query.settle()?;
        let total = all.len().div_ceil(size);
        let shown: Vec<V> = all.iter().skip((number - 1).saturating_mul(size)).take(size).map(view).collect();
        let path = format!("{}{}/", self.view.base, self.request.path());
        let href = |page: usize| json!({"href": format!("{path}{}", query.link("page", &page.to_string()))});
        let mut links = json!({
            "self": href(number), "first": href(1), "last": href(total.max(1)),
            "page": {"href": format!("{path}{{?page}}"), "templated": true},
        });
        if number < total {
            links["next"] = href(number + 1);
        }
        if number > 1 {
            links["previous"] = href(number - 1);
        }
        Ok(show(&Envelope {
            embedded: (!shown.is_empty()).then(|| BTreeMap::from([(name, shown)])),
            page: Figures { size, total_elements: all.len(), total_pages: total, number },
            links,
        }))
    }
}

/// The HAL envelope of a page; without entries it has no `_embedded`.
#[derive(Debug, Serialize)]
struct Envelope<V> {
    #[serde(rename = "_embedded", skip_serializing_if = "Option::is_none")]
    embedded: Option<BTreeMap<&'static str, Vec<V>>>,
    page: Figures,
    #[serde(rename = "_links")]
    links: Value,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    size: usize,
    total_elements: usize,
    total_pages: usize,
    number: usize,
}

/// Bodies are plain trees of texts and numbers, which always can be written.
fn show(body: &impl Serialize) -> SandboxResponse {
    hal(serde_json::to_vec(body).unwrap_or_default())
}

fn has_status(one: &Conversation, word: &str) -> bool {
    match word {
        "all" => true,
        "open" => matches!(one.status, Status::Active | Status::Pending),
        word => one.status.word() == word,
    }
}

const SORT_FIELDS: &[&str] = &[
    "createdAt",
    "customerEmail",
    "customerName",
    "mailboxid",
    "modifiedAt",
    "number",
    "score",
    "status",
    "subject",
    "waitingSince",
];

/// Sorts upwards by a field; equal ones by their ids.
fn sort(found: &mut [&Conversation], field: &str) {
    match field {
        "modifiedAt" => found.sort_by_key(|one| (one.modified_ms, one.id)),
        "number" => found.sort_by_key(|one| one.number),
        "status" => found.sort_by_key(|one| (one.status, one.id)),
        "mailboxid" => found.sort_by_key(|one| (one.inbox, one.id)),
        "subject" => found.sort_by(|a, b| (&a.subject, a.id).cmp(&(&b.subject, b.id))),
        "score" => found.sort_by_key(|one| Reverse(one.id)),
        _ => found.sort_by_key(|one| (one.created, one.id)),
    }
}
