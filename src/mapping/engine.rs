//! The template engine as the mapping sets it up: what is escaped and how, which filters there are, and how far a template
//! may run.

use std::{collections::HashSet, fmt, io};

use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, Value};

use super::{
    call_view::Unknown,
    duration_form::{parse_duration, show_duration},
    escape::escape_anywhere,
    forms::Forms,
    time_form::parse_time,
};
use crate::call::Zone;

/// The one template that is HTML.
pub(super) const TEXT_KEY: &str = "text.template";

/// Instructions that one rendering may take; a template that goes through all fields takes a few hundred.
const FUEL: u64 = 100_000;
/// Bytes that one rendering may give; the service takes about 200 kB a request.
const LONGEST: usize = 4 * 1024 * 1024;

/// Holds all templates of a mapping by their keys.
pub(super) struct Engine {
    environment: Environment<'static>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    pub(super) fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|key| {
            if key == TEXT_KEY { AutoEscape::Html } else { AutoEscape::None }
        });
        environment.set_formatter(format);
        environment.add_filter("date", date);
        environment.add_filter("duration", duration);
        environment.add_filter("number", number);
        for name in ["e", "escape"] {
            environment.add_filter(name, escape_filter);
        }
        environment.add_test("defined", |value: &Value| !is_nothing(value));
        environment.add_test("undefined", is_nothing);
        Self { environment }
    }

    /// Takes a template; the reason why it is none tells the line.
    pub(super) fn add(&mut self, key: &str, source: &str) -> Result<(), String> {
        self.environment
            .add_template_owned(key.to_owned(), source.to_owned())
            .map_err(|error| explain(&error))
    }

    /// The variables that the template under `key` wants from outside.
    pub(super) fn variables(&self, key: &str) -> Vec<String> {
        let wanted = self.environment.get_template(key).map(|template| template.undeclared_variables(false));
        let globals: HashSet<&str> = self.environment.globals().map(|(name, _)| name).collect();
        let mut wanted: Vec<String> =
            wanted.unwrap_or_default().into_iter().filter(|name| !globals.contains(name.as_str())).collect();
        wanted.sort();
        wanted
    }

    /// Renders the template under `key`; the reason why it fails tells the line.
    pub(super) fn render(&self, key: &str, context: Value) -> Result<String, String> {
        let template = self.environment.get_template(key).map_err(|error| explain(&error))?;
        let mut rendered = Bounded { bytes: Vec::new(), overrun: false };
        let result = template.render_captured_to(context, &mut rendered).map(|_| ());
        if rendered.overrun {
            return Err("gives more than 4 MiB".to_owned());
        }
        result.map_err(|error| explain(&error))?;
        String::from_utf8(rendered.bytes).map_err(|_| "gives bytes that are not UTF-8".to_owned())
    }
}

fn explain(error: &Error) -> String {
    if error.kind() == ErrorKind::OutOfFuel {
        return "runs too long: a loop in it may have no end".to_owned();
    }
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.line() {
        Some(line) => format!("fails on line {line}: {detail}"),
        None => format!("fails: {detail}"),
    }
}

/// Takes what is rendered, up to a bound.
struct Bounded {
    bytes: Vec<u8>,
    overrun: bool,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > LONGEST {
            self.overrun = true;
            return Err(io::Error::other("too long"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn is_nothing(value: &Value) -> bool {
    value.is_undefined() || value.downcast_object_ref::<Unknown>().is_some()
}

/// Prints a value: nothing for what is not given, HTML-escaped within the text.
fn format(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if is_nothing(value) || value.is_none() {
        return Ok(());
    }
    let html = matches!(state.auto_escape(), AutoEscape::Html) && !value.is_safe();
    match (html, value.as_str()) {
        (true, Some(text)) => out.write_str(&escape_anywhere(text))?,
        (true, None) => out.write_str(&escape_anywhere(&value.to_string()))?,
        (false, _) => write!(out, "{value}")?,
    }
    Ok(())
}

fn escape_filter(value: &Value) -> Value {
    if value.is_safe() { value.clone() } else { Value::from_safe_string(escape_anywhere(&printed(value))) }
}

fn printed(value: &Value) -> String {
    if is_nothing(value) || value.is_none() { String::new() } else { value.to_string() }
}

fn invalid(reason: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, reason)
}

fn date(value: &Value, zone: Option<&str>, format: Option<&str>) -> Result<String, Error> {
    let text = printed(value);
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    let zone = Zone::parse(zone.unwrap_or("UTC")).map_err(|error| invalid(error.to_string()))?;
    let moment = parse_time(text.trim(), None, Forms::default())
        .map_err(|fault| invalid(format!("date: `{text}` {fault}")))?
        .moment;
    let format = format.unwrap_or("%Y-%m-%d %H:%M");
    zone.format(moment, format).ok_or_else(|| invalid(format!("date: `{format}` is no format")))
}

fn duration(value: &Value) -> Result<String, Error> {
    let text = printed(value);
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    let seconds = parse_duration(text.trim(), Forms::default())
        .map_err(|fault| invalid(format!("duration: `{text}` {fault}")))?;
    Ok(show_duration(seconds))
}

fn number(value: &Value, decimals: Option<u8>) -> Result<String, Error> {
    let text = printed(value);
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    let number: f64 =
        text.trim().parse().map_err(|_| invalid(format!("number: `{text}` is not a number")))?;
    Ok(format!("{number:.*}", usize::from(decimals.unwrap_or(0).min(20))))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn render(source: &str) -> Result<String, String> {
        let mut engine = Engine::new();
        engine.add("call.notes", source)?;
        let context = [("x", "1800.5"), ("at", "2026-03-30T14:05:09Z"), ("html", "<'\">&/")];
        engine.render("call.notes", BTreeMap::from(context).into())
    }

    #[test]
    fn the_documented_filters_do_what_is_said() {
        assert_eq!(render("{{ at | date }}").unwrap(), "2026-03-30 14:05");
        assert_eq!(render("{{ at | date('Europe/Berlin', '%d.%m.%Y %H:%M') }}").unwrap(), "30.03.2026 16:05");
        assert_eq!(render("{{ 192 | duration }}").unwrap(), "3 min 12 s");
        assert_eq!(render("{{ x | number }} {{ x | number(2) }}").unwrap(), "1800 1800.50");
        assert_eq!(render("{{ no | default('none') }}{{ no | date }}{{ no | duration }}").unwrap(), "none");
    }

    #[test]
    fn a_failing_template_tells_its_line() {
        assert!(render("a\n{{ x").unwrap_err().starts_with("fails on line 2: "));
        assert!(render("a\n\n{{ at | date('Mars') }}").unwrap_err().contains("unknown time zone `Mars`"));
    }

    #[test]
    fn a_template_without_an_end_is_stopped() {
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        assert!(render(endless).unwrap_err().contains("runs too long"));
        let huge = "{% set y = 'x' * 100000 %}{% for a in range(9999) %}{{ y }}{% endfor %}";
        assert!(render(huge).unwrap_err().contains("more than 4 MiB"));
    }

    #[test]
    fn only_the_text_is_html() {
        assert_eq!(render("{{ html }}").unwrap(), "<'\">&/");
        let mut engine = Engine::new();
        engine.add(TEXT_KEY, "<b>{{ html }}</b>{{ html | e }}{{ '<i>' | safe }}").unwrap();
        let context = BTreeMap::from([("html", "<'\">&/")]).into();
        let escaped = "&lt;&#39;&quot;&gt;&amp;/";
        assert_eq!(engine.render(TEXT_KEY, context).unwrap(), format!("<b>{escaped}</b>{escaped}<i>"));
    }

    #[test]
    fn globals_and_own_variables_are_not_wanted_from_outside() {
        let mut engine = Engine::new();
        engine
            .add(
                "k",
                "{% set a = 1 %}{% for b in range(3) %}{{ a }}{{ b }}{{ c.d }}{{ row['x'] }}{% endfor %}",
            )
            .unwrap();
        assert_eq!(engine.variables("k"), ["c", "row"]);
    }
}
