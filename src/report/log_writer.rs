//! Log lines that do not tear the progress bar.

use std::io::{self, Write};

use indicatif::ProgressBar;
use tracing_subscriber::fmt::MakeWriter;

/// Writes log lines to standard error, with the bar out of the way for as long as a line takes.
#[derive(Debug, Clone)]
pub struct LogWriter {
    bar: ProgressBar,
}

impl LogWriter {
    pub(super) fn new(bar: ProgressBar) -> Self {
        Self { bar }
    }
}

impl Default for LogWriter {
    /// For a program without a bar.
    fn default() -> Self {
        Self::new(ProgressBar::hidden())
    }
}

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bar.suspend(|| io::stderr().lock().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = Self;

    fn make_writer(&'a self) -> Self::Writer {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_passes_whole() {
        let writer = LogWriter::default();
        let mut made = writer.make_writer();
        assert_eq!(made.write(b"").unwrap(), 0);
        made.flush().unwrap();
    }
}
