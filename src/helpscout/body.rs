//! What is sent: request bodies, borrowed from the calls and written once.
//!
//! Every thread says `imported` and its own time, and so does the conversation: whether one of them is enough is not
//! documented. `autoReply` is left out (its default is off), `assignTo` is always said, because leaving it out would give
//! the conversation to the inbox's default assignee. The key order is fixed, so that [`thread_size`] can tell without
//! writing what a thread takes.

use bytes::Bytes;
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::masked::masked_debug;
use crate::call::Moment;

/// A conversation with all its threads: `POST /v2/conversations`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewConversation<'a> {
    /// Shown in the inbox.
    pub subject: &'a str,
    #[serde(rename = "type")]
    kind: Phone,
    /// The inbox.
    pub mailbox_id: u64,
    /// `closed`, `active` or `pending`.
    pub status: &'a str,
    /// Whose conversation it is.
    pub customer: &'a CustomerRef<'a>,
    /// 1 to 100 threads.
    pub threads: Vec<NewThread<'a>>,
    imported: True,
    /// When the first call began.
    #[serde(serialize_with = "as_text")]
    pub created_at: Moment,
    /// When it was closed, if it is closed.
    #[serde(serialize_with = "as_optional_text", skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Moment>,
    /// A user's id; `None` says that nobody is assigned.
    pub assign_to: Option<u64>,
    /// The user who adds the conversation and its threads; `None` leaves it to the token's owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<u64>,
    /// Tags, the import tag among them.
    pub tags: &'a [String],
}

/// What a conversation says beside its threads.
#[derive(Clone, Copy)]
pub struct NewThread<'a> {
    /// HTML.
    pub text: &'a str,
    /// Who the call was with.
    pub customer: &'a CustomerRef<'a>,
    /// When it began.
    pub created_at: Moment,
}

/// A thread for a conversation that exists: `POST /v2/conversations/{id}/phones`.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewPhoneThread<'a> {
    customer: &'a CustomerRef<'a>,
    text: &'a str,
    imported: True,
    #[serde(serialize_with = "as_text")]
    created_at: Moment,
}

/// How a request names a customer.
#[derive(Clone, Copy)]
pub enum CustomerRef<'a> {
    /// By Help Scout's id; everything else would be ignored.
    Id(u64),
    /// By e-mail; the rest fills a new profile, if one is made.
    Email {
        /// Looked up by the service.
        email: &'a str,
        /// The optional fields, by the service's names.
        fields: &'a [(&'static str, String)],
        /// Stored with a new customer only.
        phone: Option<&'a str>,
    },
}

/// A customer known by number alone: `POST /v2/customers`.
#[derive(Clone, Copy)]
pub struct NewCustomer<'a> {
    /// The number.
    pub phone: &'a str,
    /// The optional fields, by the service's names.
    pub fields: &'a [(&'static str, String)],
}

masked_debug!(NewConversation<'_> { mailbox_id, status, created_at });
masked_debug!(NewThread<'_> { created_at });
masked_debug!(NewPhoneThread<'_> { created_at });
masked_debug!(NewCustomer<'_> {});

impl std::fmt::Debug for CustomerRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(f, "Id({id})"),
            Self::Email { .. } => f.write_str("Email(…)"),
        }
    }
}

/// The word `phone`.
#[derive(Clone, Copy, Default)]
struct Phone;

/// The value `true`.
#[derive(Clone, Copy, Default)]
struct True;

impl Serialize for Phone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("phone")
    }
}

impl Serialize for True {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

impl<'a> NewConversation<'a> {
    /// A conversation of `threads`, unassigned, by the token's owner, without tags, open since `created_at`.
    pub fn new(
        mailbox_id: u64,
        subject: &'a str,
        status: &'a str,
        customer: &'a CustomerRef<'a>,
        created_at: Moment,
        threads: Vec<NewThread<'a>>,
    ) -> Self {
        Self {
            subject,
            kind: Phone,
            mailbox_id,
            status,
            customer,
            threads,
            imported: True,
            created_at,
            closed_at: None,
            assign_to: None,
            user: None,
            tags: &[],
        }
    }

    /// The body of the request.
    pub fn to_bytes(&self) -> Bytes {
        let threads: usize =
            self.threads.iter().map(|thread| thread_size(thread.text, thread.customer) + 1).sum();
        written(self, threads + 1_024)
    }
}

impl<'a> NewPhoneThread<'a> {
    /// A thread with its time.
    pub fn new(text: &'a str, customer: &'a CustomerRef<'a>, created_at: Moment) -> Self {
        Self { customer, text, imported: True, created_at }
    }

    /// The body of the request.
    pub fn to_bytes(&self) -> Bytes {
        written(self, thread_size(self.text, self.customer))
    }
}

impl NewCustomer<'_> {
    /// The body of the request.
    pub fn to_bytes(&self) -> Bytes {
        written(self, 256)
    }
}

fn written(body: &impl Serialize, capacity: usize) -> Bytes {
    let mut bytes = Vec::with_capacity(capacity);
    serde_json::to_writer(&mut bytes, body).expect("text and numbers under text keys always become JSON");
    bytes.into()
}

impl Serialize for NewThread<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("type", "phone")?;
        map.serialize_entry("text", self.text)?;
        map.serialize_entry("customer", self.customer)?;
        map.serialize_entry("imported", &true)?;
        map.serialize_entry("createdAt", self.created_at.to_api().as_str())?;
        map.end()
    }
}

impl Serialize for CustomerRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Id(id) => map.serialize_entry("id", id)?,
            Self::Email { email, fields, phone } => {
                map.serialize_entry("email", email)?;
                for (name, value) in *fields {
                    map.serialize_entry(name, value)?;
                }
                if let Some(phone) = phone {
                    map.serialize_entry("phone", phone)?;
                }
            }
        }
        map.end()
    }
}

impl Serialize for NewCustomer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Entry<'a> {
            r#type: &'static str,
            value: &'a str,
        }
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.fields {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("phones", &[Entry { r#type: "work", value: self.phone }])?;
        map.end()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn as_text<S: Serializer>(moment: &Moment, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(moment.to_api().as_str())
}

#[expect(clippy::ref_option, reason = "serde gives a reference")]
fn as_optional_text<S: Serializer>(moment: &Option<Moment>, serializer: S) -> Result<S::Ok, S::Error> {
    match moment {
        Some(moment) => serializer.serialize_str(moment.to_api().as_str()),
        None => serializer.serialize_none(),
    }
}

/// A thread of a new conversation with an empty text and without its customer.
const THREAD_FRAME: usize =
    r#"{"type":"phone","text":"","customer":,"imported":true,"createdAt":"2017-03-30T23:30:01Z"}"#.len();

/// The bytes that a [`NewThread`] takes in the request, without the comma before it.
pub fn thread_size(text: &str, customer: &CustomerRef<'_>) -> usize {
    THREAD_FRAME + escaped(text) + customer_size(customer)
}

fn customer_size(customer: &CustomerRef<'_>) -> usize {
    match customer {
        CustomerRef::Id(id) => r#"{"id":}"#.len() + digits(*id),
        CustomerRef::Email { email, fields, phone } => {
            let entry = |name: &str, value: &str| r#","":"""#.len() + name.len() + escaped(value);
            let fields: usize = fields.iter().map(|(name, value)| entry(name, value)).sum();
            let phone = phone.map_or(0, |phone| entry("phone", phone));
            // One comma too many was counted for the first entry.
            "{}".len() - 1 + entry("email", email) + fields + phone
        }
    }
}

fn digits(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// The bytes of `text` between the quotes of a JSON string. Two plain counts, which the compiler turns into a few
/// instructions a cache line; most texts need no more than the first.
fn escaped(text: &str) -> usize {
    let bytes = text.as_bytes();
    let short = count(bytes, |byte| byte < 0x20 || byte == b'"' || byte == b'\\');
    let is_long = |byte| matches!(byte, 0..=0x07 | 0x0b | 0x0e..=0x1f);
    let long = if short == 0 { 0 } else { count(bytes, is_long) };
    // `\n` adds one byte, `\u0001` five.
    bytes.len() + short + 4 * long
}

/// How many of `bytes` are such; summed up in single bytes for as long as one holds the sum.
fn count(bytes: &[u8], is_such: impl Fn(u8) -> bool) -> usize {
    let in_part = |part: &[u8]| usize::from(part.iter().map(|byte| u8::from(is_such(*byte))).sum::<u8>());
    bytes.chunks(usize::from(u8::MAX)).map(in_part).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment() -> Moment {
        Moment::parse_api("2017-03-31T23:30:01Z").unwrap()
    }

    fn text_of(bytes: &Bytes) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_conversation_reads_as_the_documents_say() {
        let fields = [("firstName", "Jo".to_owned())];
        let jo = CustomerRef::Email { email: "jo@example.com", fields: &fields, phone: Some("+15550100") };
        let known = CustomerRef::Id(456);
        let threads = vec![
            NewThread { text: "Hi\n\"a\" &lt;b", customer: &jo, created_at: moment() },
            NewThread { text: "Ref: x 2", customer: &known, created_at: moment().plus_seconds(60) },
        ];
        let tags = ["callport".to_owned()];
        let mut body = NewConversation::new(85, "Calls with Jo", "closed", &jo, moment(), threads);
        body.tags = &tags;
        body.closed_at = Some(moment().plus_seconds(60));
        insta::assert_snapshot!(text_of(&body.to_bytes()), @r#"{"subject":"Calls with Jo","type":"phone","mailboxId":85,"status":"closed","customer":{"email":"jo@example.com","firstName":"Jo","phone":"+15550100"},"threads":[{"type":"phone","text":"Hi\n\"a\" &lt;b","customer":{"email":"jo@example.com","firstName":"Jo","phone":"+15550100"},"imported":true,"createdAt":"2017-03-31T23:30:01Z"},{"type":"phone","text":"Ref: x 2","customer":{"id":456},"imported":true,"createdAt":"2017-03-31T23:31:01Z"}],"imported":true,"createdAt":"2017-03-31T23:30:01Z","closedAt":"2017-03-31T23:31:01Z","assignTo":null,"tags":["callport"]}"#);
        body.closed_at = None;
        body.assign_to = Some(4);
        body.user = Some(9);
        body.threads.clear();
        insta::assert_snapshot!(text_of(&body.to_bytes()), @r#"{"subject":"Calls with Jo","type":"phone","mailboxId":85,"status":"closed","customer":{"email":"jo@example.com","firstName":"Jo","phone":"+15550100"},"threads":[],"imported":true,"createdAt":"2017-03-31T23:30:01Z","assignTo":4,"user":9,"tags":["callport"]}"#);
    }

    #[test]
    fn an_appended_thread_and_a_customer_read_as_the_documents_say() {
        let customer = CustomerRef::Id(2_600_000_001);
        let body = NewPhoneThread::new("Buy more pens", &customer, moment());
        insta::assert_snapshot!(text_of(&body.to_bytes()), @r#"{"customer":{"id":2600000001},"text":"Buy more pens","imported":true,"createdAt":"2017-03-31T23:30:01Z"}"#);
        let fields = [("lastName", "Doe".to_owned())];
        let body = NewCustomer { phone: "+15550100", fields: &fields };
        insta::assert_snapshot!(text_of(&body.to_bytes()), @r#"{"lastName":"Doe","phones":[{"type":"work","value":"+15550100"}]}"#);
    }

    #[test]
    fn debug_output_shows_no_person() {
        let jo = CustomerRef::Email { email: "jo@example.com", fields: &[], phone: Some("+15550100") };
        let thread = NewThread { text: "secret talk", customer: &jo, created_at: moment() };
        let shown = format!(
            "{:?} {thread:?} {:?} {jo:?}",
            NewConversation::new(85, "About Jo", "closed", &jo, moment(), vec![thread]),
            NewCustomer { phone: "+15550100", fields: &[] },
        );
        for private in ["jo@", "1555", "talk", "About"] {
            assert!(!shown.contains(private), "{shown}");
        }
    }

    proptest! {
        #[test]
        fn the_size_of_a_thread_is_exact(
            text in "(?s).{0,60}",
            control in "[\u{0}-\u{20}\"\\\\\u{7f}-\u{9f}é😀]{0,30}",
            id in any::<u64>(),
            email in "[a-z\"\\\\é]{0,12}",
            phone in proptest::option::of("[+0-9\t]{0,15}"),
            values in proptest::collection::vec("(?s).{0,10}", 0..4),
            second in 0_i64..4_000_000_000,
        ) {
            let fields: Vec<_> = values.into_iter().map(|value| ("firstName", value)).collect();
            let text = text + &control;
            let created_at = Moment::from_epoch_seconds(second).unwrap();
            let by_email = CustomerRef::Email { email: &email, fields: &fields, phone: phone.as_deref() };
            for customer in [CustomerRef::Id(id), CustomerRef::Id(0), by_email] {
                let thread = NewThread { text: &text, customer: &customer, created_at };
                let written = serde_json::to_vec(&thread).unwrap();
                prop_assert_eq!(written.len(), thread_size(&text, &customer));
            }
        }
    }
}
