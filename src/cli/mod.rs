//! Arguments, commands and exit codes: one file a command.
//!
//! A command returns what to exit with or a failure, which carries its exit code and its advice; it is printed here,
//! once. Results go to standard output, everything else to standard error.

mod account_check;
mod agent_directory;
mod args;
mod check;
mod exit_code;
mod failure;
mod forget;
mod import;
mod init;
mod init_preview;
mod init_result;
mod listener;
mod logging;
mod people;
mod preview;
mod pull;
mod question;
mod recognise;
mod recover;
mod rehearsal;
mod remote;
mod resolve;
mod sample;
mod sandbox;
mod setup;
mod signals;
mod status;
mod way;

use std::{io::Write, process::ExitCode};

use clap::Parser;

use args::{Arguments, Command};
use failure::Failure;

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // A closed terminal is no reason for another error.
            error.print().ok();
            return if error.use_stderr() { exit_code::USAGE.into() } else { exit_code::DONE.into() };
        }
    };
    let color = arguments.common.color;
    match run(arguments) {
        Ok(code) => code.into(),
        Err(failure) => {
            failure.print(color);
            failure.code.into()
        }
    }
}

fn run(arguments: Arguments) -> Result<u8, Failure> {
    let common = arguments.common;
    match arguments.command {
        Command::Init(options) => init::run(&common, &options),
        Command::Import(options) => import::run(&common, *options),
        Command::Check(options) => check::run(&common, &options),
        Command::Pull(options) => pull::run(&common, &options),
        Command::Status => status::run(&common),
        Command::Recover(options) => recover::run(&common, &options),
        Command::Resolve(options) => resolve::run(&common, &options),
        Command::Forget(options) => forget::run(&common, &options),
        Command::Sandbox(options) => sandbox::run(&common, &options),
    }
}

/// Prints a result; a reader that has gone away (`callport … | head`) is no failure.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::output(error)),
        _ => Ok(()),
    }
}

/// Says something beside the result. A standard error that nobody reads any more changes nothing of what was done.
fn say(text: &str) {
    std::io::stderr().lock().write_all(text.as_bytes()).ok();
}

/// Prints one JSON document.
fn print_json(document: &impl serde::Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(document).map_err(Failure::unexpected)?;
    text.push('\n');
    print(&text)
}
