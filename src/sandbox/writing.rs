//! The requests that change something: judged against the world, answered with the events that they cause.
//!
//! Faults of the body come first (400), then what the path names (404), then its state (412), then what the body names
//! (404); nothing is stored unless all of it is good.

use super::conversation::{
    Attachment, CONVERSATION_KINDS, Conversation, ConversationKind, STATUSES, Status, Thread, ThreadKind,
};
use super::fault_script::Service;
use super::intake::{Intake, read_customer};
use super::json::Json;
use super::rules::{Place, Problem, Problems, Refusal, base64_len, is_email};
use super::world::{Event, World};

/// Most threads that one create request may hold.
const CREATE_CAP: usize = 100;

const THREAD_KINDS: &[&str] = &["chat", "customer", "note", "phone", "reply"];

/// What a good request does.
#[derive(Debug, Default)]
pub(crate) struct Decision {
    /// The changes.
    pub(crate) events: Vec<Event>,
    /// The id of what was made.
    pub(crate) made: Option<u64>,
}

impl Decision {
    fn change(event: Event) -> Self {
        Self { events: vec![event], made: None }
    }
}

/// What the judging of every request needs beside its body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting<'s> {
    /// The time of the request.
    pub(crate) now_ms: i64,
    /// How the service behaves where the documents are silent.
    pub(crate) service: &'s Service,
}

/// `POST /v2/customers`.
pub(crate) fn create_customer(world: &World, json: &Json<'_>, set: Setting<'_>) -> Result<Decision, Refusal> {
    let mut problems = Problems::default();
    let top = Place::TOP;
    let mut customer = read_customer(&mut problems, json, &top);
    for (key, entries) in [("emails", &mut customer.emails), ("phones", &mut customer.phones)] {
        for (index, entry) in problems.array(json, &top, key).iter().enumerate() {
            let place = top.element(key, index);
            let Some(value) = problems.filled(entry, &place, "value") else { continue };
            if key == "emails" && !is_email(value) {
                problems.add(place.member("value"), "must be a valid email address", entry.get("value"));
            }
            entries.push(value.into());
        }
    }
    problems.settle()?;
    if let Some(taken) = customer.emails.iter().find(|email| world.customer_by_email(email).is_some()) {
        let rejected = Some(taken.to_string());
        let message = "a customer with this email exists".to_owned();
        return Err(Refusal::Conflict(Problem { path: "emails".to_owned(), message, rejected }));
    }
    customer.id = world.next().customer;
    customer.inserted_ms = set.now_ms;
    let made = Some(customer.id);
    Ok(Decision { events: vec![Event::CustomerAdded(customer)], made })
}

/// `DELETE /v2/customers/{id}`.
pub(crate) fn delete_customer(world: &World, id: u64) -> Result<Decision, Refusal> {
    if world.customer(id).is_none() {
        return Err(not_found("customer", id));
    }
    if world.conversations().filter(|one| one.customer == id && one.is_live()).count() > 100 {
        return Err(Refusal::Precondition("the customer has more than 100 conversations".to_owned()));
    }
    Ok(Decision::change(Event::CustomerRemoved { id }))
}

/// `POST /v2/conversations`.
pub(crate) fn create_conversation(
    world: &World,
    json: &Json<'_>,
    set: Setting<'_>,
) -> Result<Decision, Refusal> {
    let top = Place::TOP;
    let mut problems = Problems::default();
    let mut intake = Intake::new(world, set.now_ms);
    let mut conversation = read_conversation(&mut problems, &mut intake, json, set);
    let entries = problems.array(json, &top, "threads");
    if entries.len() > CREATE_CAP {
        return Err(Refusal::Precondition(format!("a conversation holds at most {CREATE_CAP} threads")));
    }
    if entries.is_empty() {
        problems.add(top.member("threads"), "may not be empty", None);
    }
    conversation.threads.reserve_exact(entries.len());
    let mut next = world.next().thread;
    for (index, entry) in entries.iter().enumerate() {
        let place = top.element("threads", index);
        if !matches!(entry, Json::Object(_)) {
            problems.add(place, "must be an object", Some(entry));
            continue;
        }
        let kind = problems.word(entry, &place, "type", THREAD_KINDS).and_then(ThreadKind::parse);
        if entry.get("type").is_none() {
            problems.add(place.member("type"), "may not be null", None);
        }
        let default = Defaults { imported: conversation.imported, author: conversation.author };
        let thread = read_thread(&mut problems, &mut intake, entry, &place, kind, default, set, &mut next);
        conversation.threads.extend(thread);
    }
    if !set.service.name_bad_thread && problems.0.iter().any(|one| one.path.starts_with("threads[")) {
        return Err(Refusal::Invalid(Vec::new()));
    }
    problems.settle()?;
    intake.settle()?;
    conversation.threads.truncate(set.service.keep_threads.unwrap_or(usize::MAX));
    let made = Some(conversation.id);
    let mut events: Vec<_> = intake.fresh.into_iter().map(Event::CustomerAdded).collect();
    events.push(Event::ConversationAdded(Box::new(conversation)));
    Ok(Decision { events, made })
}

/// Every field of a conversation but its threads. What is at fault has a value that is never stored.
fn read_conversation(
    problems: &mut Problems,
    intake: &mut Intake<'_>,
    json: &Json<'_>,
    set: Setting<'_>,
) -> Conversation {
    let top = &Place::TOP;
    let world = intake.world();
    let subject = problems.filled(json, top, "subject").unwrap_or_default().into();
    for key in ["type", "status", "mailboxId"] {
        if json.get(key).is_none() {
            problems.add(top.member(key), "may not be null", None);
        }
    }
    let kind = problems.word(json, top, "type", CONVERSATION_KINDS).and_then(ConversationKind::parse);
    let status = problems.word(json, top, "status", STATUSES).and_then(Status::parse);
    let inbox = problems.id(json, top, "mailboxId").unwrap_or(0);
    if inbox != 0 && !world.inboxes().iter().any(|one| one.id == inbox) {
        problems.add(top.member("mailboxId"), "invalid identifier", json.get("mailboxId"));
    }
    let customer = intake.customer(problems, json, top, true).unwrap_or(0);
    let imported = problems.flag(json, top, "imported");
    problems.flag(json, top, "autoReply");
    let created = read_created(problems, json, top, imported, set.now_ms);
    let closed = problems.time(json, top, "closedAt", set.now_ms).filter(|_| imported);
    let author = intake.user(problems, json, top, "user").unwrap_or_else(|| world.owner());
    let assignee = intake.user(problems, json, top, "assignTo");
    let tags = read_tags(problems, json);
    let now = set.now_ms.div_euclid(1000);
    let status = status.unwrap_or(Status::Active);
    Conversation {
        id: world.next().conversation,
        number: world.next().number,
        kind: kind.unwrap_or(ConversationKind::Phone),
        inbox,
        customer,
        subject,
        status,
        deleted: false,
        locked: false,
        merged: None,
        created: created.unwrap_or(now),
        closed: (status == Status::Closed).then(|| closed.unwrap_or(now)),
        tags,
        author,
        assignee,
        imported,
        reopened: 0,
        modified_ms: set.now_ms,
        inserted_ms: set.now_ms,
        fillers: Vec::new(),
        threads: Vec::new(),
    }
}

/// `createdAt`, which goes with `imported` only.
fn read_created(
    problems: &mut Problems,
    json: &Json<'_>,
    place: &Place<'_>,
    imported: bool,
    now_ms: i64,
) -> Option<i64> {
    let created = problems.time(json, place, "createdAt", now_ms);
    if created.is_some() && !imported {
        let message = "can only be used with imported set to true";
        problems.add(place.member("createdAt"), message, json.get("createdAt"));
    }
    created
}

fn read_tags(problems: &mut Problems, json: &Json<'_>) -> Vec<Box<str>> {
    let mut tags: Vec<Box<str>> = Vec::new();
    for (index, tag) in problems.array(json, &Place::TOP, "tags").iter().enumerate() {
        match tag.text().map(str::trim) {
            None | Some("") => {
                problems.add(Place::TOP.element("tags", index), "may not be empty", Some(tag));
            }
            // The service keeps tags in lower case and each once.
            Some(word) => {
                let word: Box<str> = word.to_lowercase().into();
                if !tags.contains(&word) {
                    tags.push(word);
                }
            }
        }
    }
    tags
}

/// What a thread takes from its conversation.
#[derive(Debug, Clone, Copy)]
struct Defaults {
    imported: bool,
    author: u64,
}

#[expect(
    clippy::too_many_arguments,
    reason = "a thread is judged in its place, against the world, for its endpoint"
)]
fn read_thread(
    problems: &mut Problems,
    intake: &mut Intake<'_>,
    json: &Json<'_>,
    place: &Place<'_>,
    kind: Option<ThreadKind>,
    default: Defaults,
    set: Setting<'_>,
    next: &mut u64,
) -> Option<Thread> {
    let text = problems.filled(json, place, "text").unwrap_or_default();
    let needs_customer = kind.is_some_and(ThreadKind::needs_customer);
    let customer = intake.customer(problems, json, place, needs_customer);
    let imported = problems.flag(json, place, "imported") || default.imported;
    let created = read_created(problems, json, place, imported, set.now_ms);
    let created = created.filter(|_| !set.service.ignore_thread_created_at);
    let author = intake.user(problems, json, place, "user").unwrap_or(default.author);
    let kind = kind?;
    let id = *next;
    *next += 1;
    let attachments = read_attachments(problems, json, place, next);
    Some(Thread {
        id,
        kind,
        text: stored(text, set.service.mangles_text).into(),
        customer: customer.unwrap_or(0),
        created: created.unwrap_or_else(|| set.now_ms.div_euclid(1000)),
        author: if kind.is_by_user() { author } else { customer.unwrap_or(author) },
        inserted_ms: set.now_ms,
        imported,
        attachments,
    })
}

/// A text as it is stored: as it was sent, or `mangled` without its last line.
fn stored(text: &str, mangled: bool) -> &str {
    text.rsplit_once('\n').filter(|_| mangled).map_or(text, |(before, _)| before)
}

fn read_attachments(
    problems: &mut Problems,
    json: &Json<'_>,
    place: &Place<'_>,
    next: &mut u64,
) -> Box<[Attachment]> {
    let mut files = Vec::new();
    for (index, entry) in problems.array(json, place, "attachments").iter().enumerate() {
        let here = place.element("attachments", index);
        let name = problems.filled(entry, &here, "fileName").unwrap_or_default().to_owned();
        let mime = problems.filled(entry, &here, "mimeType").unwrap_or_default().to_owned();
        let data = problems.filled(entry, &here, "data");
        let size = data.and_then(base64_len);
        if data.is_some() && size.is_none() {
            problems.add(here.member("data"), "must be Base64-encoded", None);
        }
        files.push(Attachment { id: *next, name, mime, size: size.unwrap_or(0) });
        *next += 1;
    }
    files.into()
}

/// `POST /v2/conversations/{id}/phones` and its siblings.
pub(crate) fn append_thread(
    world: &World,
    id: u64,
    kind: ThreadKind,
    json: &Json<'_>,
    set: Setting<'_>,
) -> Result<Decision, Refusal> {
    let mut problems = Problems::default();
    let mut intake = Intake::new(world, set.now_ms);
    let mut next = world.next().thread;
    let default = Defaults { imported: false, author: world.owner() };
    // The endpoint for phone threads knows no `user`: it is an unknown key there, and those are tolerated.
    let without_user;
    let body = match (kind, json) {
        (ThreadKind::Phone, Json::Object(members)) if json.get("user").is_some() => {
            without_user = Json::Object(members.iter().filter(|(key, _)| key != "user").cloned().collect());
            &without_user
        }
        _ => json,
    };
    let thread =
        read_thread(&mut problems, &mut intake, body, &Place::TOP, Some(kind), default, set, &mut next);
    problems.settle()?;
    let conversation = live(world, id)?;
    if conversation.stored_threads() >= set.service.append_cap {
        return Err(Refusal::Precondition("the conversation holds the maximum number of threads".to_owned()));
    }
    if conversation.locked {
        return Err(Refusal::Precondition("the conversation is too old to be updated".to_owned()));
    }
    intake.settle()?;
    let mut events: Vec<_> = intake.fresh.into_iter().map(Event::CustomerAdded).collect();
    let made = thread.as_ref().map(|thread| thread.id);
    events.extend(thread.map(|thread| Event::ThreadAdded { conversation: id, thread }));
    if set.service.reopens_imported && kind.reopens() && conversation.status == Status::Closed {
        events.push(Event::Reopened { id, at_ms: set.now_ms });
    }
    Ok(Decision { events, made })
}

/// `DELETE /v2/conversations/{id}`.
pub(crate) fn delete_conversation(world: &World, id: u64, set: Setting<'_>) -> Result<Decision, Refusal> {
    live(world, id)?;
    Ok(Decision::change(Event::ConversationDeleted { id, at_ms: set.now_ms }))
}

/// `PUT /v2/conversations/{id}/tags`.
pub(crate) fn put_tags(
    world: &World,
    id: u64,
    json: &Json<'_>,
    set: Setting<'_>,
) -> Result<Decision, Refusal> {
    let mut problems = Problems::default();
    if json.get("tags").is_none() {
        problems.add(Place::TOP.member("tags"), "may not be null", None);
    }
    let tags = read_tags(&mut problems, json);
    problems.settle()?;
    live(world, id)?;
    Ok(Decision::change(Event::TagsPut { id, tags, at_ms: set.now_ms }))
}

/// `PATCH /v2/conversations/{id}`: one operation.
pub(crate) fn patch_conversation(
    world: &World,
    id: u64,
    json: &Json<'_>,
    set: Setting<'_>,
) -> Result<Decision, Refusal> {
    let mut problems = Problems::default();
    let top = Place::TOP;
    let mut intake = Intake::new(world, set.now_ms);
    let at_ms = set.now_ms;
    let op = problems.word(json, &top, "op", &["replace", "remove", "move"]);
    let event = match (op, problems.filled(json, &top, "path")) {
        (Some("replace"), Some("/subject")) => problems
            .filled(json, &top, "value")
            .map(|subject| Event::SubjectPut { id, subject: subject.into(), at_ms }),
        (Some("replace"), Some("/status")) => problems
            .word(json, &top, "value", STATUSES)
            .and_then(Status::parse)
            .map(|status| Event::StatusPut { id, status, at_ms }),
        (Some("replace"), Some("/assignTo")) => intake
            .user(&mut problems, json, &top, "value")
            .map(|user| Event::AssigneePut { id, user: Some(user), at_ms }),
        (Some("remove"), Some("/assignTo")) => Some(Event::AssigneePut { id, user: None, at_ms }),
        (Some("move"), Some("/mailboxId")) => problems
            .id(json, &top, "value")
            .filter(|inbox| world.inboxes().iter().any(|one| one.id == *inbox))
            .map(|inbox| Event::InboxPut { id, inbox, at_ms }),
        _ => None,
    };
    if event.is_none() && problems.0.is_empty() {
        problems.add(top.member("path"), "this operation is not supported", json.get("path"));
    }
    problems.settle()?;
    live(world, id)?;
    intake.settle()?;
    Ok(event.map(Decision::change).unwrap_or_default())
}

/// `PATCH /v2/conversations/{id}/threads/{thread}`: the text, or whether a message is hidden.
pub(crate) fn patch_thread(
    world: &World,
    (id, thread): (u64, u64),
    json: &Json<'_>,
    set: Setting<'_>,
) -> Result<Decision, Refusal> {
    let mut problems = Problems::default();
    let top = Place::TOP;
    let op = problems.word(json, &top, "op", &["replace"]);
    let path = problems.filled(json, &top, "path");
    let text = if path == Some("/text") { problems.filled(json, &top, "value") } else { None };
    if op.is_none() && problems.0.is_empty() {
        problems.add(top.member("op"), "may not be null", None);
    }
    problems.settle()?;
    let known = live(world, id)?.threads.iter().find(|one| one.id == thread);
    let known = known.ok_or_else(|| not_found("thread", thread))?;
    match (path, text) {
        (Some("/text"), Some(text)) => Ok(Decision::change(Event::TextPut {
            conversation: id,
            thread,
            text: text.into(),
            at_ms: set.now_ms,
        })),
        (Some("/hidden"), _) if matches!(known.kind, ThreadKind::Customer | ThreadKind::Reply) => {
            Ok(Decision::default())
        }
        _ => {
            problems = Problems::default();
            problems.add(top.member("path"), "this operation is not supported", json.get("path"));
            problems.settle()?;
            Ok(Decision::default())
        }
    }
}

/// The conversation, if it can be changed by this id: 404 for deleted and merged ones.
fn live(world: &World, id: u64) -> Result<&Conversation, Refusal> {
    world.conversation(id).filter(|one| one.is_live()).ok_or_else(|| not_found("conversation", id))
}

/// 404 for something by its id.
pub(crate) fn not_found(what: &str, id: u64) -> Refusal {
    Refusal::NotFound(format!("{what} {id} is not found"))
}
