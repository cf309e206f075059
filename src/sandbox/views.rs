//! How the service shows what it holds.
//!
//! Fields that it leaves out rather than shows as null are left out here too, and newlines of a text come back as `<br>`.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

use super::conversation::{Attachment, Conversation, Filler, Status, Thread, ThreadKind};
use super::customer::{Customer, Inbox, User};
use super::fault_script::Author;
use super::rules::show_time;
use super::world::World;

/// The characters of a preview.
const PREVIEW: usize = 185;

fn link(href: impl Into<String>) -> Value {
    json!({ "href": href.into() })
}

/// A text with `<br>` for newlines.
pub(crate) fn show_text(text: &str) -> Cow<'_, str> {
    if !text.contains('\n') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\n', "<br>"))
}

/// A thread as shown. Typed, as pages of threads are what a client reads most.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThreadView<'t> {
    id: u64,
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
    state: &'static str,
    action: Action,
    body: Cow<'t, str>,
    source: Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<Person<'t>>,
    created_by: Person<'t>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned_to: Option<Person<'t>>,
    to: [u8; 0],
    cc: [u8; 0],
    bcc: [u8; 0],
    created_at: String,
    #[serde(rename = "_embedded")]
    embedded: Files,
    #[serde(rename = "_links")]
    links: ThreadLinks,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    #[serde(rename = "type")]
    kind: &'static str,
    associated_entities: Nothing,
}

/// An empty object.
#[derive(Debug, Serialize)]
struct Nothing {}

#[derive(Debug, Serialize)]
struct Source {
    #[serde(rename = "type")]
    kind: &'static str,
    via: &'static str,
}

#[derive(Debug, Serialize)]
struct Files {
    attachments: Vec<Value>,
}

#[derive(Debug, Serialize)]
struct ThreadLinks {
    #[serde(rename = "self")]
    own: Href,
}

#[derive(Debug, Serialize)]
struct Href {
    href: String,
}

/// A user or customer inside of something else.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Person<'v> {
    id: u64,
    #[serde(rename = "type")]
    kind: &'static str,
    first: &'v str,
    last: &'v str,
    photo_url: &'static str,
    email: &'v str,
}

/// Whom an unassigned thread is shown as assigned to.
const NO_ONE: Person<'static> =
    Person { id: 1, kind: "team", first: "Help", last: "Scout", photo_url: "", email: "none@nowhere.com" };

/// What is shown at one address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'v> {
    /// What is held.
    pub(crate) world: &'v World,
    /// Scheme and host of the links.
    pub(crate) base: &'v str,
    /// Who phone threads are shown as made by, where that is not whom the request named.
    pub(crate) author: Option<Author>,
}

impl<'v> View<'v> {
    /// A user.
    pub(crate) fn user(self, user: &User) -> Value {
        let initials: String =
            [&user.first_name, &user.last_name].iter().filter_map(|name| name.chars().next()).collect();
        json!({
            "id": user.id, "firstName": user.first_name, "lastName": user.last_name, "email": user.email,
            "role": "owner", "timezone": "UTC", "createdAt": show_time(0), "updatedAt": show_time(0), "type": "user",
            "mention": user.first_name.to_lowercase(), "initials": initials, "jobTitle": "", "phone": "",
            "alternateEmails": user.alternate_emails, "_links": {"self": link(format!("{}/v2/users/{}", self.base, user.id))},
        })
    }

    /// An inbox.
    pub(crate) fn inbox(self, inbox: &Inbox) -> Value {
        let own = format!("{}/v2/mailboxes/{}", self.base, inbox.id);
        json!({
            "id": inbox.id, "name": inbox.name, "slug": format!("{:016x}", inbox.id), "email": inbox.email,
            "createdAt": show_time(0), "updatedAt": show_time(0),
            "_links": {"fields": link(format!("{own}/fields/")), "folders": link(format!("{own}/folders/")), "self": link(own)},
        })
    }

    /// A customer as an entry of its own.
    pub(crate) fn customer(self, customer: &Customer) -> Value {
        let entries = |values: &[Box<str>]| -> Value {
            values
                .iter()
                .enumerate()
                .map(|(index, value)| json!({"id": index + 1, "type": "work", "value": value}))
                .collect()
        };
        let created = show_time(customer.inserted_ms.div_euclid(1000));
        let mut shown = json!({
            "id": customer.id, "firstName": customer.first_name, "lastName": customer.last_name,
            "gender": customer.detail("gender").unwrap_or("unknown"),
        });
        for name in ["jobTitle", "location", "organization", "photoType", "photoUrl", "age", "background"] {
            if let Some(value) = customer.detail(name) {
                shown[name] = json!(value);
            }
        }
        shown["createdAt"] = json!(created);
        shown["updatedAt"] = json!(created);
        shown["_embedded"] = json!({
            "emails": entries(&customer.emails), "phones": entries(&customer.phones), "chats": [],
            "social_profiles": [], "websites": [],
        });
        shown["_links"] = json!({"self": link(format!("{}/v2/customers/{}", self.base, customer.id))});
        shown
    }

    fn person(self, kind: &'static str, id: u64) -> Person<'v> {
        let (first, last, email) = if kind == "user" {
            let user = self.world.user(id);
            user.map_or(("", "", ""), |user| (&user.first_name, &user.last_name, &user.email))
        } else {
            // A thread outlives its customer.
            self.world.customer(id).map_or(("", "", ""), |customer| {
                let email = customer.emails.first().map_or("", |email| email);
                (&customer.first_name, &customer.last_name, email)
            })
        };
        Person { id, kind, first, last, photo_url: "", email }
    }

    /// A thread.
    pub(crate) fn thread<'t>(self, conversation: &Conversation, thread: &'t Thread) -> ThreadView<'t>
    where
        'v: 't,
    {
        let author = self.author.filter(|_| thread.kind == ThreadKind::Phone);
        let by_user = thread.kind.is_by_user() && author != Some(Author::Customer);
        let maker = if by_user { "user" } else { "customer" };
        let maker_id = match author {
            None => thread.author,
            Some(Author::Owner) => self.world.owner(),
            Some(Author::Customer) => thread.customer,
        };
        let own = format!("{}/v2/conversations/{}/threads/{}", self.base, conversation.id, thread.id);
        let file = |file: &Attachment| json!({"id": file.id, "filename": file.name, "mimeType": file.mime, "width": 0, "height": 0, "size": file.size});
        ThreadView {
            id: thread.id,
            kind: thread.kind.shown(),
            status: "nochange",
            state: "published",
            action: Action { kind: "default", associated_entities: Nothing {} },
            body: show_text(&thread.text),
            source: Source { kind: "api", via: maker },
            customer: (thread.customer != 0).then(|| self.person("customer", thread.customer)),
            created_by: self.person(maker, maker_id),
            assigned_to: by_user.then_some(NO_ONE),
            to: [],
            cc: [],
            bcc: [],
            created_at: show_time(thread.created),
            embedded: Files { attachments: thread.attachments.iter().map(file).collect() },
            links: ThreadLinks { own: Href { href: own } },
        }
    }

    /// A conversation, with its threads if asked.
    pub(crate) fn conversation(self, one: &Conversation, with_threads: bool) -> Value {
        let own = format!("{}/v2/conversations/{}", self.base, one.id);
        let mut shown = json!({
            "id": one.id, "number": one.number, "threads": one.shown_threads(), "type": one.kind.word(), "folderId": 1,
            "status": one.status.word(), "state": if one.deleted { "deleted" } else { "published" },
            "subject": one.subject, "preview": preview(one), "mailboxId": one.inbox,
        });
        if let Some(user) = one.assignee {
            shown["assignee"] = json!(self.person("user", user));
        }
        shown["createdBy"] = json!(self.person("user", one.author));
        shown["createdAt"] = json!(show_time(one.created));
        let closer = if one.status == Status::Closed { one.author } else { 0 };
        shown["closedBy"] = json!(closer);
        shown["closedByUser"] = if closer == 0 {
            json!({"id": 0, "type": "user", "first": "unknown", "last": "unknown", "email": "unknown"})
        } else {
            json!(self.person("user", closer))
        };
        if let Some(closed) = one.closed {
            shown["closedAt"] = json!(show_time(closed));
        }
        shown["userUpdatedAt"] = json!(show_time(one.modified_ms.div_euclid(1000)));
        shown["customerWaitingSince"] = json!({"time": show_time(one.created), "friendly": ""});
        shown["source"] = json!({"type": "api", "via": "user"});
        shown["tags"] = one
            .tags
            .iter()
            .enumerate()
            .map(|(index, tag)| json!({"id": index + 1, "color": "none", "tag": tag}))
            .collect();
        for key in ["cc", "bcc", "customFields"] {
            shown[key] = json!([]);
        }
        shown["primaryCustomer"] = json!(self.person("customer", one.customer));
        if with_threads {
            let threads = newest_first(one, i64::MAX);
            let shown_threads: Vec<_> = threads.iter().map(|thread| self.thread(one, thread)).collect();
            shown["_embedded"] = json!({"threads": shown_threads});
        }
        shown["_links"] = json!({
            "mailbox": link(format!("{}/v2/mailboxes/{}", self.base, one.inbox)),
            "primaryCustomer": link(format!("{}/v2/customers/{}", self.base, one.customer)),
            "createdByUser": link(format!("{}/v2/users/{}", self.base, one.author)),
            "threads": link(format!("{own}/threads/")),
            "web": link(format!("{}/conversation/{}/{}", self.base, one.id, one.number)),
            "self": link(own),
        });
        shown
    }
}

/// The threads of a conversation, newest `createdAt` first; fillers become threads here. Only those inserted up to
/// `known_ms` are seen.
pub(crate) fn newest_first(one: &Conversation, known_ms: i64) -> Vec<Cow<'_, Thread>> {
    let filler = |filler: &Filler, index: u32| Thread {
        id: filler.first + u64::from(index),
        kind: if filler.is_notes { ThreadKind::Note } else { ThreadKind::Customer },
        text: format!("Thread {} of {}", index + 1, filler.count).into(),
        customer: filler.customer,
        created: filler.created,
        author: filler.customer,
        inserted_ms: 0,
        imported: false,
        attachments: Box::default(),
    };
    let fillers =
        one.fillers.iter().flat_map(|block| (0..block.count).map(move |index| filler(block, index)));
    let own = one.threads.iter().filter(|thread| thread.inserted_ms <= known_ms).map(Cow::Borrowed);
    let mut threads: Vec<_> = fillers.map(Cow::Owned).chain(own).collect();
    threads.sort_by_key(|thread| std::cmp::Reverse((thread.created, thread.id)));
    threads
}

/// The first part of the newest thread, without tags and line breaks.
fn preview(one: &Conversation) -> String {
    let newest = one.threads.iter().max_by_key(|thread| (thread.created, thread.id));
    let mut preview = String::new();
    let mut in_tag = false;
    for c in newest.map_or("", |thread| &*thread.text).chars().take(4 * PREVIEW) {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            _ if in_tag => {}
            '\r' | '\n' => preview.push(' '),
            _ => preview.push(c),
        }
    }
    preview.chars().take(PREVIEW).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newlines_come_back_as_line_breaks() {
        assert_eq!(show_text("one line &amp; no more"), "one line &amp; no more");
        assert_eq!(show_text("a\n\nb\r\n c"), "a<br><br>b<br> c");
    }
}
