//! The program; everything is in the library.

use std::process::ExitCode;

/// Rows are made by one thread and let go by another, millions of times.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    callport::cli::main()
}
