//! How the service shows what it holds.
//!
//! Fields that it leaves out rather than shows as null are left out here too, and newlines of a text come back as `<br>`.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::conversation::{Conversation, Status, Thread, ThreadKind};
use super::customer::{Customer, Inbox, User};
use super::rules::show_time;
use super::world::World;
use super::writing::gone_customer;

/// The characters of a preview.
const PREVIEW: usize = 185;

fn link(href: String) -> Value {
    json!({ "href": href })
}

/// A text with `<br>` for newlines.
pub(crate) fn show_text(text: &str) -> Cow<'_, str> {
    if !text.contains('\n') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\n', "<br>"))
}

/// What is shown at one address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'v> {
    /// What is held.
    pub(crate) world: &'v World,
    /// Scheme and host of the links.
    pub(crate) base: &'v str,
}

impl View<'_> {
    /// A user.
    pub(crate) fn user(self, user: &User) -> Value {
        let initials: String =
            [&user.first_name, &user.last_name].iter().filter_map(|name| name.chars().next()).collect();
        json!({
            "id": user.id, "firstName": user.first_name, "lastName": user.last_name, "email": user.email,
            "role": "owner", "timezone": "UTC", "createdAt": show_time(0), "updatedAt": show_time(0), "type": "user",
            "mention": user.first_name.to_lowercase(), "initials": initials, "jobTitle": "", "phone": "",
            "alternateEmails": [], "_links": {"self": link(format!("{}/v2/users/{}", self.base, user.id))},
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
            let entry =
                |(index, value): (usize, &Box<str>)| json!({"id": index + 1, "type": "work", "value": value});
            values.iter().enumerate().map(entry).collect()
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

    fn customer_stub(self, id: u64) -> Value {
        let gone;
        let customer = match self.world.customer(id) {
            Some(customer) => customer,
            None => {
                gone = gone_customer(id);
                &gone
            }
        };
        json!({
            "id": id, "type": "customer", "first": customer.first_name, "last": customer.last_name, "photoUrl": "",
            "email": customer.emails.first().map_or("", |email| email),
        })
    }

    fn user_stub(self, id: u64) -> Value {
        let user = self.world.user(id);
        json!({
            "id": id, "type": "user", "first": user.map_or("", |user| &user.first_name),
            "last": user.map_or("", |user| &user.last_name), "email": user.map_or("", |user| &user.email),
        })
    }

    /// A thread.
    pub(crate) fn thread(self, conversation: &Conversation, thread: &Thread) -> Value {
        let by_user = thread.kind.is_by_user();
        let file = |file: &super::conversation::Attachment| json!({"id": file.id, "filename": file.name, "mimeType": file.mime, "width": 0, "height": 0, "size": file.size});
        let files: Value = thread.attachments.iter().map(file).collect();
        let mut shown = Map::new();
        let mut put = |key: &str, value: Value| drop(shown.insert(key.to_owned(), value));
        put("id", json!(thread.id));
        put("type", json!(thread.kind.shown()));
        put("status", json!("nochange"));
        put("state", json!("published"));
        put("action", json!({"type": "default", "associatedEntities": {}}));
        put("body", json!(show_text(&thread.text)));
        put("source", json!({"type": "api", "via": if by_user { "user" } else { "customer" }}));
        if thread.customer != 0 {
            put("customer", self.customer_stub(thread.customer));
        }
        let author = thread.author;
        put("createdBy", if by_user { self.user_stub(author) } else { self.customer_stub(author) });
        if by_user {
            put(
                "assignedTo",
                json!({"id": 1, "first": "Help", "last": "Scout", "email": "none@nowhere.com"}),
            );
        }
        for key in ["to", "cc", "bcc"] {
            put(key, json!([]));
        }
        put("createdAt", json!(show_time(thread.created)));
        put("_embedded", json!({"attachments": files}));
        let own = format!("{}/v2/conversations/{}/threads/{}", self.base, conversation.id, thread.id);
        put("_links", json!({"self": link(own)}));
        Value::Object(shown)
    }

    /// A conversation, with its threads if asked.
    pub(crate) fn conversation(self, one: &Conversation, with_threads: bool) -> Value {
        let own = format!("{}/v2/conversations/{}", self.base, one.id);
        let tag = |(index, tag): (usize, &Box<str>)| json!({"id": index + 1, "color": "none", "tag": tag});
        let mut shown = json!({
            "id": one.id, "number": one.number, "threads": one.shown_threads(), "type": one.kind.word(), "folderId": 1,
            "status": one.status.word(), "state": if one.deleted { "deleted" } else { "published" },
            "subject": one.subject, "preview": preview(one), "mailboxId": one.inbox,
        });
        if let Some(user) = one.assignee {
            shown["assignee"] = self.user_stub(user);
        }
        shown["createdBy"] = self.user_stub(one.author);
        shown["createdAt"] = json!(show_time(one.created));
        let closer = if one.status == Status::Closed { one.author } else { 0 };
        shown["closedBy"] = json!(closer);
        shown["closedByUser"] = if closer == 0 {
            json!({"id": 0, "type": "user", "first": "unknown", "last": "unknown", "email": "unknown"})
        } else {
            self.user_stub(closer)
        };
        if let Some(closed) = one.closed {
            shown["closedAt"] = json!(show_time(closed));
        }
        shown["userUpdatedAt"] = json!(show_time(one.modified_ms.div_euclid(1000)));
        shown["customerWaitingSince"] = json!({"time": show_time(one.created), "friendly": ""});
        shown["source"] = json!({"type": "api", "via": "user"});
        shown["tags"] = one.tags.iter().enumerate().map(tag).collect();
        for key in ["cc", "bcc", "customFields"] {
            shown[key] = json!([]);
        }
        shown["primaryCustomer"] = self.customer_stub(one.customer);
        if with_threads {
            let threads = newest_first(one, i64::MAX);
            let shown_threads: Value = threads.iter().map(|thread| self.thread(one, thread)).collect();
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
    let filler = |filler: &super::conversation::Filler, index: u32| Thread {
        id: filler.first + u64::from(index),
        kind: ThreadKind::Customer,
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
