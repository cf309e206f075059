//! Walking through a JSON document, value by value, without holding it.

use super::{
    error::Trouble,
    json_scan::{Scan, Step},
    record::RECORD_LIMIT,
    window::Window,
};

/// The way through a document: the window on it and the brackets that are open around the place.
pub(super) struct Walk {
    pub(super) window: Window,
    outer: Scan,
    /// The lines on which the brackets were opened.
    lines: Vec<u64>,
}

/// How long the value at the start of the window is.
pub(super) enum Measured {
    /// So many bytes, all of which lie in the window.
    Whole(usize),
    /// More than a record may have.
    Over,
}

impl Walk {
    pub(super) fn new(window: Window) -> Self {
        Self { window, outer: Scan::default(), lines: Vec::new() }
    }

    /// How many brackets are open.
    pub(super) fn depth(&self) -> usize {
        self.outer.depth()
    }

    /// The line on which the innermost bracket was opened.
    pub(super) fn begin(&self) -> u64 {
        self.lines.last().copied().unwrap_or_else(|| self.window.line())
    }

    /// Passes blanks and commas, and gives the byte that follows.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Trouble> {
        loop {
            let data = self.window.data();
            let is_blank = |byte: &&u8| byte.is_ascii_whitespace() || (self.depth() > 0 && **byte == b',');
            let blank = data.iter().take_while(is_blank).count();
            let found = data.get(blank).copied();
            self.window.pass(blank);
            if found.is_some() {
                return Ok(found);
            }
            if !self.window.fill()? {
                return if self.depth() > 0 { Err(self.never_closed()) } else { Ok(None) };
            }
        }
    }

    /// Passes a bracket and is then within it.
    pub(super) fn enter(&mut self, bracket: u8) {
        self.lines.push(self.window.line());
        self.outer.enter(bracket);
        self.window.pass(1);
    }

    /// Passes the bracket that closes the innermost one; `byte` is what stands there.
    pub(super) fn close(&mut self, byte: u8) -> Result<(), Trouble> {
        if self.outer.closing() != Some(byte) {
            return Err(self.misplaced(byte));
        }
        self.outer.leave();
        self.lines.pop();
        self.window.pass(1);
        Ok(())
    }

    /// Passes all that is left of the brackets beyond the first `depth`.
    pub(super) fn leave(&mut self, depth: usize) -> Result<(), Trouble> {
        while self.depth() > depth {
            let data = self.window.data();
            match self.outer.run(data, depth) {
                Step::Done(bytes) => self.window.pass(bytes),
                Step::More => {
                    let all = data.len();
                    self.window.pass(all);
                    if !self.window.fill()? {
                        return Err(self.never_closed());
                    }
                }
                Step::Wrong(at) | Step::TooDeep(at) => return Err(self.wrong(at)),
            }
        }
        self.lines.truncate(depth);
        Ok(())
    }

    /// Measures the value at the start of the window.
    pub(super) fn measure(&mut self) -> Result<Measured, Trouble> {
        let mut scan = Scan::default();
        let mut seen = 0;
        loop {
            let data = self.window.data();
            let reach = data.len().min(RECORD_LIMIT + 1);
            match scan.run(&data[seen..reach], 0) {
                Step::Done(0) if seen == 0 => return Err(self.misplaced(data[0])),
                Step::Done(bytes) if seen + bytes <= RECORD_LIMIT => {
                    return Ok(Measured::Whole(seen + bytes));
                }
                Step::Done(_) => return Ok(Measured::Over),
                Step::Wrong(at) | Step::TooDeep(at) => return Err(self.wrong(seen + at)),
                Step::More => {}
            }
            seen = reach;
            if seen > RECORD_LIMIT {
                return Ok(Measured::Over);
            }
            if !self.window.fill()? {
                return self.at_end(&scan).map(|()| Measured::Whole(seen));
            }
        }
    }

    /// Passes the value at the start of the window, however long it is.
    pub(super) fn pass_value(&mut self) -> Result<(), Trouble> {
        let mut scan = Scan::default();
        let begin = self.window.line();
        loop {
            let data = self.window.data();
            let all = data.len();
            match scan.run(data, 0) {
                Step::Done(bytes) => {
                    self.window.pass(bytes);
                    return Ok(());
                }
                Step::Wrong(at) | Step::TooDeep(at) => return Err(self.wrong(at)),
                Step::More => self.window.pass(all),
            }
            if !self.window.fill()? {
                return if scan.is_word() { Ok(()) } else { Err(unclosed(begin)) };
            }
        }
    }

    /// Passes the key at the start of the window with its colon, so that its value is next.
    pub(super) fn key(&mut self) -> Result<String, Trouble> {
        let line = self.window.line();
        let wrong =
            |line: u64| Trouble::Content(format!("is not valid JSON at line {line}: a key is expected"));
        let Measured::Whole(bytes) = self.measure()? else { return Err(wrong(line)) };
        let key = serde_json::from_slice(&self.window.data()[..bytes]).map_err(|_| wrong(line))?;
        self.window.pass(bytes);
        match self.peek()? {
            Some(b':') => self.window.pass(1),
            _ => return Err(wrong(self.window.line())),
        }
        Ok(key)
    }

    /// What is said of a byte that cannot stand at the start of the window.
    pub(super) fn misplaced(&self, byte: u8) -> Trouble {
        let line = self.window.line();
        let found = char::from(byte);
        Trouble::Content(match self.lines.last() {
            None => format!(
                "is not valid JSON at line {line}: `{}` stands where an object is expected",
                found.escape_debug()
            ),
            Some(begin) => format!(
                "is not valid JSON at line {line}: `{}` does not fit the bracket that is open since line {begin}",
                found.escape_debug()
            ),
        })
    }

    fn at_end(&self, scan: &Scan) -> Result<(), Trouble> {
        if scan.is_word() { Ok(()) } else { Err(unclosed(self.window.line())) }
    }

    fn never_closed(&self) -> Trouble {
        unclosed(self.begin())
    }

    /// What is said of the bracket so many bytes from the start of the window, which is passed.
    fn wrong(&mut self, at: usize) -> Trouble {
        let begin = self.window.line();
        let found = self.window.data().get(at).copied().unwrap_or_default();
        self.window.pass(at);
        let line = self.window.line();
        let why = if matches!(found, b'}' | b']') {
            "closes another bracket than is open"
        } else {
            "is nested too deep"
        };
        Trouble::Content(format!(
            "is not valid JSON at line {line}: `{}` {why}, in what begins on line {begin}",
            char::from(found)
        ))
    }
}

fn unclosed(line: u64) -> Trouble {
    Trouble::Content(format!("breaks off: a bracket or quote of what begins on line {line} is never closed"))
}
