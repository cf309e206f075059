//! The script of misfortunes: what goes wrong, when, and how the service behaves where its documents are silent.
//!
//! ```toml
//! seed = 7                        # of the chances below
//!
//! [service]                       # every key may be left out; these are the defaults
//! request_size = 262144           # bytes; a larger body is answered 413
//! append_cap = 99                 # a conversation that holds so many threads takes no more: 412
//! resource_id = true              # false: a new thread's id is never told
//! name_bad_thread = true          # false: a fault in a create request's thread is told without any path
//! ignore_thread_created_at = false
//! window = "fixed"                # or "sliding": the minute of the limit
//! retry_after_header = false      # true: a 429 carries the standard `Retry-After` too
//! token_lifetime = "48h"
//! index_lag = "0s"                # how long lists and searches do not know what has just happened
//! company_id = true               # false: `users/me` names no company
//!
//! # Otherwise than the documents say; a client that trusts them blindly loses calls by these.
//! # keep_threads = 10             # a create request stores only its first ten threads
//! # author = "customer"           # phone threads are shown as made by their customer, or always by the token's "owner"
//! reopens_imported = false        # true: an imported thread reopens a closed conversation like any other
//! mangles_text = false            # true: the last line of a text of several is not stored
//!
//! [[fault]]
//! on = "append"                   # token customer create append change delete read list search threads write any
//! at = [3, 10]                    # the 3rd and the 10th such request that the limit lets through, from 1 ...
//! # every = 5                     # ... or each fifth ...
//! # rate = 0.03                   # ... or by chance; with none of the three, each one
//! # from = "10s"                  # only from so long after the first request on ...
//! # until = "2m"                  # ... and only before that
//! # times = 4                     # at most so often
//! do = "refuse"                   # see the table
//! status = 503
//! ```
//!
//! | `do` | what happens | keys |
//! | --- | --- | --- |
//! | `delay` | it is carried out, and answered later | `for` |
//! | `refuse` | it is not carried out | `status`, `body`, `body_type`, `retry_after` (seconds) |
//! | `refuse_thread` | 400, as if a thread's text were bad | `containing` (only where a text contains it) or `thread` (its index, default 0), `named` (default true) |
//! | `drop_before` | the connection breaks and nothing is stored | |
//! | `drop_after` | it is stored, and the connection breaks | |
//! | `half_answer` | it is stored, and the connection breaks amid the answer | |
//! | `bad_gateway_after` | it is stored, and answered 502 | |
//! | `commit_late` | the connection breaks, and it is stored later | `after` |
//! | `html` | 200 and a web page, as from a captive portal; nothing is stored | |
//! | `redirect` | 302; nothing is stored | `location` |
//! | `omit_resource_id` | it is stored, and the id is not told | |
//! | `expire_tokens` | every token so far is dead; this request gets 401 | |
//! | `merge` | a person merges the conversation that the path names before the request is looked at | `into` (id or `"new"`) |
//! | `lock`, `delete` | the same, but locked or deleted | |
//! | `fill` | the same, but a person adds so many notes to it, as far as there is room | `notes` (default 1) |
//! | `stale` | a list or search is answered, this once, from an index as it was so long ago | `for` |
//! | `lag` | from now on lists and searches lag | `for` |
//! | `set_limit` | from now on the account has another limit | `units` |

use std::time::Duration;

use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::error::SandboxError;
use super::route::RequestKind;

/// A checked script. The default has no faults.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FaultScript {
    pub(crate) seed: Option<u64>,
    pub(crate) service: Service,
    pub(crate) faults: Vec<FaultRule>,
}

/// How the service behaves where its documents are silent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the script by its own name")]
pub(crate) struct Service {
    pub(crate) request_size: usize,
    pub(crate) append_cap: usize,
    pub(crate) resource_id: bool,
    pub(crate) name_bad_thread: bool,
    pub(crate) ignore_thread_created_at: bool,
    pub(crate) window: Option<Window>,
    pub(crate) retry_after_header: bool,
    #[serde(deserialize_with = "span")]
    pub(crate) token_lifetime: Duration,
    #[serde(deserialize_with = "span")]
    pub(crate) index_lag: Duration,
    pub(crate) company_id: bool,
    pub(crate) keep_threads: Option<usize>,
    pub(crate) author: Option<Author>,
    pub(crate) reopens_imported: bool,
    pub(crate) mangles_text: bool,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            request_size: 256 * 1024,
            append_cap: 99,
            resource_id: true,
            name_bad_thread: true,
            ignore_thread_created_at: false,
            window: None,
            retry_after_header: false,
            token_lifetime: Duration::from_secs(172_800),
            index_lag: Duration::ZERO,
            company_id: true,
            keep_threads: None,
            author: None,
            reopens_imported: false,
            mangles_text: false,
        }
    }
}

/// Who phone threads are shown as made by, instead of the user whom the request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Author {
    /// The token's owner, whomever the request names.
    Owner,
    /// Their customer.
    Customer,
}

/// The kind of the limit's minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Window {
    /// By the clock.
    Fixed,
    /// The last sixty seconds.
    Sliding,
}

/// Which requests a fault is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Subject {
    Token,
    Customer,
    Create,
    Append,
    Change,
    Delete,
    Read,
    List,
    Search,
    Threads,
    Write,
    Any,
}

impl Subject {
    /// Whether a request of that kind is meant.
    pub(crate) fn covers(self, kind: RequestKind) -> bool {
        use RequestKind as Kind;
        match self {
            Self::Any => true,
            Self::Write => kind.is_write(),
            Self::Read => kind.is_read(),
            Self::Token => kind == Kind::Token,
            Self::Customer => kind == Kind::Customer,
            Self::Create => kind == Kind::Create,
            Self::Append => kind == Kind::Append,
            Self::Change => kind == Kind::Change,
            Self::Delete => kind == Kind::Delete,
            Self::List => kind == Kind::List,
            Self::Search => kind == Kind::Search,
            Self::Threads => kind == Kind::Threads,
        }
    }
}

/// When a fault strikes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum When {
    /// Each time.
    Always,
    /// At these requests, counted from 1.
    At(Vec<u64>),
    /// At each N-th.
    Every(u64),
    /// By chance.
    Rate(f64),
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Deed {
    Delay(Duration),
    Refuse {
        status: u16,
        body: String,
        body_type: Option<String>,
        retry_after: Option<u64>,
    },
    RefuseThread {
        thread: usize,
        containing: Option<String>,
        named: bool,
    },
    DropBefore,
    DropAfter,
    HalfAnswer,
    BadGatewayAfter,
    CommitLate(Duration),
    Html,
    Redirect(String),
    OmitResourceId,
    ExpireTokens,
    /// Into that conversation; `None` for a new one.
    Merge(Option<u64>),
    Lock,
    Delete,
    /// With so many notes.
    Fill(u32),
    Lag(Duration),
    Stale(Duration),
    SetLimit(u32),
}

/// One fault of a script.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FaultRule {
    pub(crate) on: Subject,
    pub(crate) when: When,
    pub(crate) from: Duration,
    pub(crate) until: Option<Duration>,
    pub(crate) times: u64,
    pub(crate) deed: Deed,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScriptFile {
    seed: Option<u64>,
    #[serde(default)]
    service: Service,
    #[serde(default)]
    fault: Vec<Spanned<FaultTable>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultTable {
    on: Option<Subject>,
    at: Option<Vec<u64>>,
    every: Option<u64>,
    rate: Option<f64>,
    from: Option<String>,
    until: Option<String>,
    times: Option<u64>,
    r#do: Option<String>,
    r#for: Option<String>,
    after: Option<String>,
    status: Option<u16>,
    body: Option<String>,
    body_type: Option<String>,
    retry_after: Option<u64>,
    thread: Option<usize>,
    containing: Option<String>,
    named: Option<bool>,
    location: Option<String>,
    into: Option<toml::Value>,
    units: Option<u32>,
    notes: Option<u32>,
}

const DEEDS: &str = "delay, refuse, refuse_thread, drop_before, drop_after, half_answer, bad_gateway_after, \
    commit_late, html, redirect, omit_resource_id, expire_tokens, merge, lock, delete, fill, lag, \
    stale, set_limit";

impl FaultScript {
    /// Reads a script; a fault of it names its line and what is known.
    pub fn parse(text: &str) -> Result<Self, SandboxError> {
        let line = |offset: usize| text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
        let file: ScriptFile = toml::from_str(text).map_err(|error| SandboxError::Faults {
            line: line(error.span().map_or(0, |span| span.start)),
            reason: error.message().to_owned(),
        })?;
        let rule = |table: Spanned<FaultTable>| {
            let line = line(table.span().start);
            table.into_inner().into_rule().map_err(|reason| SandboxError::Faults { line, reason })
        };
        let faults = file.fault.into_iter().map(rule).collect::<Result<_, _>>()?;
        Ok(Self { seed: file.seed, service: file.service, faults })
    }
}

impl FaultTable {
    fn into_rule(mut self) -> Result<FaultRule, String> {
        let when = match (self.at.take(), self.every.take(), self.rate.take()) {
            (None, None, None) => When::Always,
            (Some(at), None, None) if !at.contains(&0) => When::At(at),
            (None, Some(every), None) if every > 0 => When::Every(every),
            (None, None, Some(rate)) if (0.0..=1.0).contains(&rate) => When::Rate(rate),
            (Some(_), None, None) => return Err("`at` counts from 1".to_owned()),
            (None, Some(_), None) => return Err("`every` is at least 1".to_owned()),
            (None, None, Some(_)) => return Err("`rate` is a chance from 0.0 to 1.0".to_owned()),
            _ => return Err("only one of `at`, `every` and `rate` can be given".to_owned()),
        };
        let from = self.from.take().map_or(Ok(Duration::ZERO), |text| read_span(&text))?;
        let until = self.until.take().map(|text| read_span(&text)).transpose()?;
        let on = self.on.take().unwrap_or(Subject::Any);
        let times = self.times.take().unwrap_or(u64::MAX);
        let name = self.r#do.take().ok_or_else(|| format!("`do` is missing: one of {DEEDS}"))?;
        let deed = self.take_deed(&name)?;
        if let Some(key) = self.left() {
            return Err(format!("`{key}` does not belong to `{name}`"));
        }
        Ok(FaultRule { on, when, from, until, times, deed })
    }

    fn take_deed(&mut self, name: &str) -> Result<Deed, String> {
        Ok(match name {
            "delay" => Deed::Delay(needed("for", self.r#for.take())?),
            "lag" => Deed::Lag(needed("for", self.r#for.take())?),
            "stale" => Deed::Stale(needed("for", self.r#for.take())?),
            "commit_late" => Deed::CommitLate(needed("after", self.after.take())?),
            "refuse" => {
                let status = self.status.take().unwrap_or(500);
                if !(400..=599).contains(&status) {
                    return Err(format!("`status` is `{status}`: a refusal has one from 400 to 599"));
                }
                let body = self.body.take().unwrap_or_default();
                let (body_type, retry_after) = (self.body_type.take(), self.retry_after.take());
                Deed::Refuse { status, body, body_type, retry_after }
            }
            "refuse_thread" => Deed::RefuseThread {
                thread: self.thread.take().unwrap_or(0),
                containing: self.containing.take(),
                named: self.named.take().unwrap_or(true),
            },
            "drop_before" => Deed::DropBefore,
            "drop_after" => Deed::DropAfter,
            "half_answer" => Deed::HalfAnswer,
            "bad_gateway_after" => Deed::BadGatewayAfter,
            "html" => Deed::Html,
            "redirect" => {
                Deed::Redirect(self.location.take().ok_or("`redirect` needs a `location`".to_owned())?)
            }
            "omit_resource_id" => Deed::OmitResourceId,
            "expire_tokens" => Deed::ExpireTokens,
            "merge" => Deed::Merge(match self.into.take() {
                None => None,
                Some(toml::Value::String(word)) if word == "new" => None,
                Some(toml::Value::Integer(id)) if id > 0 => u64::try_from(id).ok(),
                Some(other) => return Err(format!("`into` is `{other}`: a conversation's id or \"new\"")),
            }),
            "lock" => Deed::Lock,
            "delete" => Deed::Delete,
            "fill" => Deed::Fill(self.notes.take().unwrap_or(1)),
            "set_limit" => Deed::SetLimit(self.units.take().ok_or("`set_limit` needs `units`".to_owned())?),
            _ => return Err(format!("unknown deed `{name}`: one of {DEEDS}")),
        })
    }

    /// A key that no one took.
    fn left(&self) -> Option<&'static str> {
        let given = [
            ("for", self.r#for.is_some()),
            ("after", self.after.is_some()),
            ("status", self.status.is_some()),
            ("body", self.body.is_some()),
            ("body_type", self.body_type.is_some()),
            ("retry_after", self.retry_after.is_some()),
            ("thread", self.thread.is_some()),
            ("containing", self.containing.is_some()),
            ("named", self.named.is_some()),
            ("location", self.location.is_some()),
            ("into", self.into.is_some()),
            ("units", self.units.is_some()),
            ("notes", self.notes.is_some()),
        ];
        given.into_iter().find(|(_, is_given)| *is_given).map(|(key, _)| key)
    }
}

fn needed(key: &str, text: Option<String>) -> Result<Duration, String> {
    read_span(&text.ok_or_else(|| format!("a span is missing: `{key} = \"20s\"`"))?)
}

/// A span such as `250ms`, `20s`, `2m` or `48h`.
fn read_span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no span: a number with ms, s, m or h, such as `20s`");
    let at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (digits, unit) = text.split_at(at);
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(milliseconds).map(Duration::from_millis).ok_or_else(wrong)
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    read_span(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        FaultScript::parse(text).unwrap_err().to_string()
    }

    fn deed(text: &str) -> Deed {
        FaultScript::parse(&format!("[[fault]]\n{text}")).unwrap().faults.remove(0).deed
    }

    #[test]
    fn an_empty_script_is_the_documented_service() {
        assert_eq!(FaultScript::parse("").unwrap(), FaultScript::default());
    }

    #[test]
    fn the_services_switches_are_read() {
        let script = FaultScript::parse(
            "seed = 7\n[service]\nresource_id = false\nwindow = \"sliding\"\nindex_lag = \"90s\"\nappend_cap = 100",
        )
        .unwrap();
        assert_eq!(
            (script.seed, script.service.resource_id, script.service.append_cap),
            (Some(7), false, 100)
        );
        assert_eq!(script.service.window, Some(Window::Sliding));
        assert_eq!(script.service.index_lag, Duration::from_secs(90));
        assert_eq!(script.service.request_size, 262_144, "what is not named keeps its default");
        let otherwise = FaultScript::parse(
            "[service]\nkeep_threads = 10\nauthor = \"customer\"\nreopens_imported = true\nmangles_text = true",
        )
        .unwrap()
        .service;
        assert_eq!((otherwise.keep_threads, otherwise.author), (Some(10), Some(Author::Customer)));
        assert!(otherwise.reopens_imported && otherwise.mangles_text);
    }

    #[test]
    fn faults_are_read_with_their_time_and_deed() {
        let script = FaultScript::parse(
            "[[fault]]\non = \"create\"\nat = [3, 10]\ndo = \"drop_after\"\n[[fault]]\nrate = 0.5\nfrom = \"10s\"\n\
             until = \"2m\"\ntimes = 4\ndo = \"delay\"\nfor = \"250ms\"",
        )
        .unwrap();
        assert_eq!((script.faults[0].on, &script.faults[0].when), (Subject::Create, &When::At(vec![3, 10])));
        let second = &script.faults[1];
        assert_eq!((second.on, &second.when, second.times), (Subject::Any, &When::Rate(0.5), 4));
        assert_eq!((second.from, second.until), (Duration::from_secs(10), Some(Duration::from_secs(120))));
        assert_eq!(second.deed, Deed::Delay(Duration::from_millis(250)));
    }

    #[test]
    fn each_deed_has_its_keys() {
        assert_eq!(deed("do = \"merge\"\ninto = 124"), Deed::Merge(Some(124)));
        assert_eq!(deed("do = \"merge\"\ninto = \"new\""), Deed::Merge(None));
        assert_eq!(deed("do = \"commit_late\"\nafter = \"20s\""), Deed::CommitLate(Duration::from_secs(20)));
        assert_eq!(deed("do = \"set_limit\"\nunits = 40"), Deed::SetLimit(40));
        assert_eq!(deed("do = \"fill\""), Deed::Fill(1));
        assert_eq!(deed("do = \"fill\"\nnotes = 3"), Deed::Fill(3));
        assert_eq!(deed("do = \"stale\"\nfor = \"5m\""), Deed::Stale(Duration::from_secs(300)));
        assert_eq!(
            deed("do = \"refuse_thread\"\nnamed = false"),
            Deed::RefuseThread { thread: 0, containing: None, named: false }
        );
        for name in DEEDS.split(", ").map(str::trim) {
            let keys = "for = \"1s\"\nafter = \"1s\"\nlocation = \"/x\"\nunits = 5";
            let all = message_or_deed(&format!("[[fault]]\ndo = \"{name}\"\n{keys}"));
            assert!(!all.contains("unknown deed"), "{name} is known");
        }
    }

    fn message_or_deed(text: &str) -> String {
        FaultScript::parse(text).map_or_else(|error| error.to_string(), |script| format!("{script:?}"))
    }

    #[test]
    fn a_wrong_script_names_the_line_and_what_is_known() {
        let unknown = message("seed = 7\n[[fault]]\ndo = \"lock\"\nhow = 5");
        assert!(
            unknown.starts_with("fault script, line 4: unknown field `how`, expected one of `on`"),
            "{unknown}"
        );
        let switch = message("[service]\nsize = 5");
        assert!(switch.starts_with("fault script, line 2: unknown field `size`"), "{switch}");
        let deed = message("seed = 1\n\n[[fault]]\ndo = \"explode\"");
        assert!(
            deed.starts_with("fault script, line 3: unknown deed `explode`: one of delay, refuse"),
            "{deed}"
        );
        assert!(message("[[fault]]\non = \"x\"\ndo = \"lock\"").contains("unknown variant `x`"));
        assert!(
            message("[[fault]]\ndo = \"lock\"\nstatus = 500").contains("`status` does not belong to `lock`")
        );
        assert!(message("[[fault]]\ndo = \"lock\"\nat = [1]\nrate = 0.1").contains("only one of"));
        assert!(message("[[fault]]\ndo = \"lock\"\nrate = 1.5").contains("from 0.0 to 1.0"));
        assert!(message("[[fault]]\ndo = \"lock\"\nat = [0]").contains("from 1"));
        assert!(message("[[fault]]\ndo = \"delay\"\nfor = \"5 days\"").contains("`5 days` is no span"));
        assert!(message("[[fault]]\ndo = \"delay\"").contains("`for = \"20s\"`"));
        assert!(message("[[fault]]\non = \"any\"").contains("`do` is missing"));
        assert!(message("[[fault]]\ndo = \"refuse\"\nstatus = 200").contains("from 400 to 599"));
        assert!(message("[service]\nindex_lag = \"soon\"").contains("`soon` is no span"));
    }
}
