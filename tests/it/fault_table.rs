//! The fault table is true at least in this: whatever it says shows a fault is a test that there is.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const COLUMNS: [&str; 5] = ["fault", "what callport does", "what you see", "risk", "shown by"];
/// The only column that may say nothing.
const RISK: usize = 3;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn table() -> String {
    fs::read_to_string(root().join("docs/faults.md")).unwrap()
}

/// The cells of each row of each table, by the line that it stands on.
fn rows(text: &str) -> Vec<(usize, Vec<String>)> {
    let lines = text.lines().enumerate().filter(|(_, line)| line.starts_with('|'));
    let cells = |line: &str| {
        let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
        inner.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    lines.map(|(number, line)| (number + 1, cells(line))).collect()
}

/// What is wrong with a table, given the tests that there are.
fn faults(text: &str, tests: &Tests) -> Vec<String> {
    let mut found = Vec::new();
    for (line, cells) in rows(text) {
        if cells == COLUMNS || cells.iter().all(|cell| cell == "---") {
            continue;
        }
        if cells.len() != COLUMNS.len() {
            found.push(format!("line {line} has {} cells", cells.len()));
            continue;
        }
        let empty = (0..COLUMNS.len()).filter(|column| *column != RISK && cells[*column].is_empty());
        found.extend(empty.map(|column| format!("line {line}: `{}` is empty", COLUMNS[column])));
        let commands: Vec<&str> = cells[4].split('`').skip(1).step_by(2).collect();
        if commands.is_empty() {
            found.push(format!("line {line} shows no command"));
        }
        found.extend(
            commands.iter().filter_map(|command| Some(format!("line {line}: {}", tests.miss(command)?))),
        );
    }
    found
}

/// The tests of the library and of the whole, by their paths, and all that the tests of the whole say.
struct Tests {
    lib: BTreeSet<String>,
    it: BTreeSet<String>,
    text: String,
}

impl Tests {
    fn of_this_repository() -> Self {
        let (mut lib, mut it, mut text) = (BTreeSet::new(), BTreeSet::new(), String::new());
        for (folder, paths) in [("src", &mut lib), ("tests/it", &mut it)] {
            let base = root().join(folder);
            for file in rust_files(&base) {
                let content = fs::read_to_string(&file).unwrap();
                let mut module: Vec<String> = file
                    .strip_prefix(&base)
                    .unwrap()
                    .with_extension("")
                    .iter()
                    .map(|part| part.to_string_lossy().into_owned())
                    .collect();
                module.pop_if(|last| ["mod", "lib", "main"].contains(&last.as_str()));
                paths.extend(
                    tests_in(&content).into_iter().map(|name| [&module[..], &[name]].concat().join("::")),
                );
                text.push_str(&content);
            }
        }
        Self { lib, it, text }
    }

    /// Why `command` shows nothing.
    fn miss(&self, command: &str) -> Option<String> {
        let words: Vec<&str> = command.split(' ').collect();
        let (variables, words): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.contains('='));
        let unread = variables
            .iter()
            .filter_map(|set| set.split('=').next())
            .find(|name| !self.text.contains(&format!("\"{name}\"")));
        if let Some(name) = unread {
            return Some(format!("no test reads `{name}`"));
        }
        let (tests, filter) = match words.as_slice() {
            ["cargo", "test", "--test", "it", filter]
            | ["cargo", "test", "--release", "--test", "it", filter] => (&self.it, *filter),
            ["cargo", "test", "--lib", filter] => (&self.lib, *filter),
            _ => return Some(format!("`{command}` is no command that this test knows")),
        };
        let is_there = tests.iter().any(|path| path.starts_with(filter));
        (!is_there).then(|| format!("no test begins with `{filter}`"))
    }
}

/// The names of the tests in a file; those of a module `tests` with it.
fn tests_in(content: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut module, mut is_test) = ("", false);
    for line in content.lines() {
        let code = line.trim_start();
        if line == "mod tests {" {
            module = "tests::";
        } else if code.starts_with("#[test]") || code.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some((_, rest)) = code.split_once("fn ").filter(|_| is_test) {
            names.push(format!("{module}{}", rest.split('(').next().unwrap_or_default()));
            is_test = false;
        }
    }
    names
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn every_row_is_whole_and_every_command_names_a_test() {
    let text = table();
    assert!(rows(&text).len() > 60, "the table is read");
    let found = faults(&text, &Tests::of_this_repository());
    assert!(found.is_empty(), "docs/faults.md:\n{}", found.join("\n"));
}

#[test]
fn a_row_that_promises_too_much_is_found() {
    let tests = Tests::of_this_repository();
    let row = |cells: &str| faults(&format!("| fault | b | c | | {cells} |\n"), &tests).join("; ");
    assert_eq!(row("`cargo test --test it fault_table::a_row_that_promises`"), "");
    assert_eq!(row("`cargo test --lib checkpoint::open::tests::a_damaged_page`"), "");
    assert_eq!(row("`cargo test --test it faults::none`"), "line 1: no test begins with `faults::none`");
    assert_eq!(row("`cargo test --lib once::kills`"), "line 1: no test begins with `once::kills`");
    assert!(row("`CALLPORT_NOTHING=1 cargo test --test it once::kills`").contains("no test reads"));
    assert!(row("`rm -r x`").contains("no command that this test knows"));
    assert_eq!(row("seen once"), "line 1 shows no command");
    let empty = "| fault | | c | | `cargo test --test it once::kills` |";
    assert_eq!(faults(empty, &tests), ["line 1: `what callport does` is empty"]);
    assert_eq!(faults("| fault | b |", &tests), ["line 1 has 2 cells"]);
}
