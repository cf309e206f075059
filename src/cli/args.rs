//! What may be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Carries the phone-call history of a previous platform into Help Scout.
#[derive(Debug, Parser)]
#[command(name = "callport", version, about, max_term_width = 100)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Options that every command knows.
#[derive(Debug, Clone, Args)]
pub(super) struct Common {
    /// The configuration [default: callport.toml, if it is there]
    #[arg(long, global = true, value_name = "PATH")]
    pub(super) config: Option<PathBuf>,
    /// The checkpoint [default: callport.checkpoint beside the configuration, else here]
    #[arg(long, global = true, value_name = "PATH")]
    pub(super) checkpoint: Option<PathBuf>,
    /// One JSON document with the result on standard output
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// No progress and no warnings
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// More to read on standard error; twice for even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// The form of log lines
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM")]
    pub(super) log_format: LogFormat,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(super) color: Color,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Look at an export, find the preset or guess the columns, and write callport.toml to begin with
    Init(InitOptions),
    /// Write account.json: the account's limit, inboxes, users and customers; run again, it goes on where it stopped
    Pull(PullOptions),
    /// Read every row, show the problems, the plan and what it costs; send nothing
    Check(Box<CheckOptions>),
    /// Import calls; run again, it goes on where it stopped and imports nothing twice
    Import(Box<ImportOptions>),
    /// Show what the checkpoint holds; also while an import runs
    Status,
    /// Rebuild a lost checkpoint from the account: by the import tag, and by the references that calls carry
    Recover(RecoverOptions),
    /// Decide an undecided call
    Resolve(ResolveOptions),
    /// Take personal data out of the checkpoint; what was imported is still not imported twice
    Forget(ForgetOptions),
    /// Serve a local Help Scout on 127.0.0.1 to try things on
    Sandbox(SandboxOptions),
}

/// Options of `init`.
#[derive(Debug, Clone, Args)]
pub(super) struct InitOptions {
    /// The export's files: paths or globs
    #[arg(value_name = "FILE", required_unless_present = "list_presets")]
    pub(super) files: Vec<String>,
    /// The previous platform, where it is not to be recognised: one of --list-presets, or a file of your own
    #[arg(long, value_name = "NAME")]
    pub(super) preset: Option<String>,
    /// The zone of times without an offset, by its IANA name
    #[arg(long, value_name = "ZONE")]
    pub(super) time_zone: Option<String>,
    /// Any setting by its dotted name, such as source.encoding=windows-1252: the file is read by it, and it is written down
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// List the presets and how sure each is
    #[arg(long)]
    pub(super) list_presets: bool,
    /// Write the configuration anew where it is there already; what it says of how files are read is kept
    #[arg(long)]
    pub(super) force: bool,
}

/// Options of `check` and `import`.
#[derive(Debug, Clone, Args)]
pub(super) struct ReadOptions {
    /// Files to read: paths, globs, or - for standard input [default: `source.files` of the configuration]
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<String>,
    /// The previous platform: one of `callport init --list-presets`, or a file of your own
    #[arg(long, value_name = "NAME")]
    pub(super) preset: Option<String>,
    /// The zone of times without an offset, by its IANA name
    #[arg(long, value_name = "ZONE")]
    pub(super) time_zone: Option<String>,
    /// Any setting of the configuration by its dotted name
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// A small sample first: whole conversations, at most N calls
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) limit: Option<u64>,
    /// Only calls that started at or after T: RFC 3339, a date, or -2h, -7d
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub(super) since: Option<String>,
    /// Only calls that started before T
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub(super) until: Option<String>,
    /// What is known of the account, in the form of the sandbox's seed [default: account.json beside the configuration, if it is there]
    #[arg(long, value_name = "PATH")]
    pub(super) account: Option<PathBuf>,
    /// The mapping changed since the last run: calls not yet sent are made anew with it
    #[arg(long)]
    pub(super) accept_mapping: bool,
    /// Where rejected rows go [default: rejects.csv or rejects.jsonl beside the checkpoint]
    #[arg(long, value_name = "PATH")]
    pub(super) rejects: Option<PathBuf>,
    /// Any rejected row stops the command before the first request
    #[arg(long)]
    pub(super) strict: bool,
    #[command(flatten)]
    pub(super) pace: PaceOptions,
}

/// How fast the account is asked.
#[derive(Debug, Clone, Args)]
pub(super) struct PaceOptions {
    /// The part of the account's limit to use [default: 0.8], or a timetable: "08:00,0.3 19:00,0.9"
    #[arg(long, value_name = "FRACTION")]
    pub(super) share: Option<String>,
    /// Units a minute to assume until Help Scout states its own limit; 0: as fast as they go
    #[arg(long, value_name = "UNITS")]
    pub(super) rate: Option<u32>,
}

/// Options of `check`.
#[derive(Debug, Clone, Args)]
pub(super) struct CheckOptions {
    #[command(flatten)]
    pub(super) read: ReadOptions,
    /// Show N calls as they will read in Help Scout
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) show: u32,
    /// Ask the account for what account.json would tell: its limit, its inboxes and users
    #[arg(long)]
    pub(super) online: bool,
    /// With --online: where the API is [default: `HELPSCOUT_API_URL`, else Help Scout's own]
    #[arg(long, value_name = "URL", requires = "online")]
    pub(super) api_url: Option<String>,
}

/// Options of `import`.
#[derive(Debug, Clone, Args)]
pub(super) struct ImportOptions {
    #[command(flatten)]
    pub(super) read: ReadOptions,
    /// Where the API is [default: `HELPSCOUT_API_URL`, else Help Scout's own]
    #[arg(long, value_name = "URL", conflicts_with = "sandbox")]
    pub(super) api_url: Option<String>,
    /// Rehearse: import into a sandbox inside this process
    #[arg(long)]
    pub(super) sandbox: bool,
    /// With --sandbox: keep serving until Ctrl-C
    #[arg(long, requires = "sandbox")]
    pub(super) view: bool,
    /// Do not ask before the first write to an account
    #[arg(long)]
    pub(super) yes: bool,
    /// Conversations worked on at the same time [default: as many as rate and latency need, at most 64]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) workers: Option<u16>,
}

/// Options of `pull`.
#[derive(Debug, Clone, Args)]
pub(super) struct PullOptions {
    /// Where it goes [default: account.json beside the configuration, else here]
    #[arg(long, value_name = "PATH")]
    pub(super) output: Option<PathBuf>,
    /// Any setting of the configuration by its dotted name
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Where the API is [default: `HELPSCOUT_API_URL`, else Help Scout's own]
    #[arg(long, value_name = "URL")]
    pub(super) api_url: Option<String>,
    #[command(flatten)]
    pub(super) pace: PaceOptions,
}

/// Options of `recover`.
#[derive(Debug, Clone, Args)]
pub(super) struct RecoverOptions {
    /// Any setting of the configuration by its dotted name
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// The previous platform: one of `callport init --list-presets`, or a file of your own
    #[arg(long, value_name = "NAME")]
    pub(super) preset: Option<String>,
    /// The zone of times without an offset, by its IANA name, as the imports have it
    #[arg(long, value_name = "ZONE")]
    pub(super) time_zone: Option<String>,
    /// Where the API is [default: `HELPSCOUT_API_URL`, else Help Scout's own]
    #[arg(long, value_name = "URL", conflicts_with = "sandbox")]
    pub(super) api_url: Option<String>,
    /// From the world of a rehearsal that was kept with --checkpoint
    #[arg(long)]
    pub(super) sandbox: bool,
    #[command(flatten)]
    pub(super) pace: PaceOptions,
}

/// Options of `resolve`.
#[derive(Debug, Clone, Args)]
#[command(group(clap::ArgGroup::new("decision").required(true).args(["landed", "resend"])))]
pub(super) struct ResolveOptions {
    /// The call, as `callport status` shows it
    #[arg(value_name = "CALL")]
    pub(super) call: String,
    /// It is in Help Scout, as the thread with this id
    #[arg(long, value_name = "THREAD", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) landed: Option<u64>,
    /// It is not in Help Scout: the next import sends it again
    #[arg(long)]
    pub(super) resend: bool,
}

/// Options of `forget`.
#[derive(Debug, Clone, Args)]
#[command(group(clap::ArgGroup::new("whom").required(true).multiple(true).args(["imported", "number", "email", "file"])))]
pub(super) struct ForgetOptions {
    /// Everything personal about what has landed: texts, names, e-mails, numbers, ids
    #[arg(long, conflicts_with_all = ["number", "email", "file"])]
    pub(super) imported: bool,
    /// The person with this phone number, waiting calls included; later imports leave the person out
    #[arg(long, value_name = "N", conflicts_with = "file", allow_hyphen_values = true)]
    pub(super) number: Vec<String>,
    /// The person with this e-mail, in the same way
    #[arg(long, value_name = "E", conflicts_with = "file")]
    pub(super) email: Vec<String>,
    /// The calls of this file that were staged and not sent
    #[arg(long, value_name = "PATH")]
    pub(super) file: Option<String>,
}

/// Options of `sandbox`.
#[derive(Debug, Clone, Args)]
pub(super) struct SandboxOptions {
    /// The port on 127.0.0.1; 0: any free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) port: u16,
    /// Units a minute; 0: no limit and no headers of one [default: the seed's limit, else 400]
    #[arg(long, value_name = "UNITS")]
    pub(super) rate: Option<u32>,
    /// The world to start with, in the form of account.json
    #[arg(long, value_name = "FILE")]
    pub(super) seed: Option<PathBuf>,
    /// A script of misfortunes, in TOML
    #[arg(long, value_name = "FILE")]
    pub(super) faults: Option<PathBuf>,
    /// Held back before every answer
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(super) latency: u64,
    /// Keep the world between starts
    #[arg(long, value_name = "FILE")]
    pub(super) data: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_span_may_begin_with_a_hyphen() {
        let arguments = Arguments::parse_from(["callport", "import", "a.csv", "--since", "-2h", "--json"]);
        let Command::Import(options) = arguments.command else { panic!("import was typed") };
        assert_eq!(options.read.since.as_deref(), Some("-2h"));
        assert!(arguments.common.json);
    }

    #[test]
    fn one_kind_of_forgetting_is_typed() {
        let parse = |arguments: &[&str]| {
            Arguments::try_parse_from([&["callport", "forget"], arguments].concat()).is_ok()
        };
        assert!(parse(&["--imported"]) && parse(&["--file", "a.csv"]));
        assert!(parse(&["--number", "+1", "--number", "+2", "--email", "a@b"]));
        for wrong in [
            &[][..],
            &["--imported", "--number", "+1"],
            &["--file", "a", "--email", "a@b"],
            &["--imported", "--file", "a"],
        ] {
            assert!(!parse(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_rehearsal_takes_no_address() {
        let both = ["callport", "import", "--sandbox", "--api-url", "https://example.com"];
        assert!(Arguments::try_parse_from(both).is_err());
    }
}
