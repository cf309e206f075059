//! A row becomes a call or a rejection; pure.
//!
//! [`Mapping`] checks the settings, [`Mapping::bind`] sets them against the headings of a file, and
//! [`BoundMapping::interpret`] reads one row after another. Each form in which an export may write a value (a time, a
//! duration, a number, an e-mail) has a file of its own; `reading` puts them together, and `customer`, `destination`
//! and `default_text` make the parts of the call from what was read.
//!
//! # Templates
//!
//! A setting that holds `{{` or `{%` is a template (minijinja); in `[call]`, `[customer]` and `conversation.id` any other
//! setting is a column's name, or in JSON a key or a path joined by dots. There the columns are variables by their names,
//! and `row["Column name"]` gives any. In the text, `skip`, `group_by`, `subject` and `inbox_by` the call's fields are
//! variables (`notes`, `status`, `duration` in seconds, `started_at` in UTC, …), beside `customer` (prints as the shown
//! name; `customer.email`, `customer.phone`, `customer.first_name`, …), `conversation.id`, `reference`, `legs` (the lines of
//! the call's other records, where `call.group` joins rows) and `row`. What a row
//! does not give is undefined: it prints as nothing, and `default` puts something in its place.
//!
//! | filter | gives |
//! | --- | --- |
//! | `date(zone, format)` | a time on a clock of `zone` (`UTC`), by strftime (`%Y-%m-%d %H:%M`) |
//! | `duration` | seconds as `3 min 12 s` |
//! | `number(decimals)` | a number with so many decimals (0) |
//! | `default(other)` | `other` where the value is undefined |

mod agents;
mod bound;
mod call_view;
mod clean;
mod columns;
mod contacts;
mod customer;
mod default_text;
mod destination;
mod directory;
mod duration_form;
mod email;
mod engine;
mod escape;
mod excluded;
mod expression;
mod fault;
mod field;
mod forms;
mod guess;
mod guess_words;
mod heading_line;
mod interpret;
mod leg;
mod number;
mod people;
mod person_lookup;
mod person_name;
mod plain_text;
mod preset;
mod reading;
mod row_view;
mod second_clock;
mod settings;
mod template;
mod time_form;
mod wanted;
mod written_date;

pub use agents::{AgentDirectory, AgentFault, AgentSettings, UnknownAgent, UserEmails};
pub use bound::BoundMapping;
pub use columns::Column;
pub use directory::{DIRECTORY_COLUMNS, DirectoryRow, UnusedCell};
pub use excluded::Excluded;
pub use expression::Mapping;
pub use fault::SettingFault;
pub use forms::{Country, DateOrder, DurationUnit, EpochUnit, Forms, NumberForm, ShortClock, UnknownCountry};
pub use guess::{Guess, GuessedField, GuessedSetting, Likelihood, guess};
pub use guess_words::{GuessedWord, GuessedWords};
pub use heading_line::reads_as_row;
pub use interpret::{Interpretation, Outcome};
pub use leg::join_records;
pub use people::{People, Person, TwoPeople};
pub use plain_text::plain_text;
pub use preset::{Confidence, FirstRows, PRESETS, PresetHead, Recognition};
pub use settings::{Ambiguous, Feed, HiddenCaller, InboxSettings, MappingSettings, UnknownCaller};
