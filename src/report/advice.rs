//! What to do after a run: one hint a situation, told once and last. What ended a run before its end brings its own
//! advice.

use crate::import::Sheet;

use super::count::counted;

/// The hints that fit `sheet`, the most urgent first; none where all is done.
pub fn advice(sheet: &Sheet) -> Vec<String> {
    [undecided(sheet), rejected(sheet), changed(sheet)].into_iter().flatten().collect()
}

fn undecided(sheet: &Sheet) -> Option<String> {
    (sheet.undecided > 0).then(|| {
        let calls = counted(sheet.undecided, "call");
        let listed = "`callport status` lists them, every later run looks again";
        format!("{calls} undecided: {listed}, and `callport resolve` lets you decide")
    })
}

fn rejected(sheet: &Sheet) -> Option<String> {
    let new = sheet.rejected.saturating_sub(sheet.rejected_before);
    let path = sheet.rejects_file.as_ref().map(|path| path.display().to_string());
    let rows = counted(new, "row");
    match (new, path) {
        (0, Some(path)) => Some(format!("the rejected rows, all as before, are in `{path}`")),
        (0, None) => None,
        (_, Some(path)) => {
            Some(format!("{rows} rejected: mend `{path}` and import it with the same settings"))
        }
        (_, None) => Some(format!("{rows} rejected: mend them and run the same command again")),
    }
}

fn changed(sheet: &Sheet) -> Option<String> {
    let verb = if sheet.changed == 1 { "differs" } else { "differ" };
    (sheet.changed > 0).then(|| {
        let calls = counted(sheet.changed, "call");
        format!("{calls} {verb} from what was imported earlier; Help Scout keeps the earlier text")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finished_run_needs_no_advice() {
        let sheet = Sheet { rows: 3, imported: 2, rejected: 1, rejected_before: 1, ..Sheet::default() };
        assert_eq!(advice(&sheet), Vec::<String>::new());
    }

    #[test]
    fn each_situation_has_its_hint() {
        let sheet = Sheet {
            pending: 1,
            undecided: 2,
            rejected: 3,
            rejected_before: 1,
            changed: 1,
            rejects_file: Some("rejects.csv".into()),
            ..Sheet::default()
        };
        assert_eq!(
            advice(&sheet),
            [
                "2 calls undecided: `callport status` lists them, every later run looks again, and `callport resolve` \
                 lets you decide",
                "2 rows rejected: mend `rejects.csv` and import it with the same settings",
                "1 call differs from what was imported earlier; Help Scout keeps the earlier text",
            ]
        );
    }
}
