//! The program; everything is in the library.

use std::process::ExitCode;

/// Rows are made in one thread and dropped in another, which the system's allocator does slowly.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    callport::cli::main()
}
