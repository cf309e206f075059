//! A row kept as text, because it could not be found again (it comes from standard input, or shares its line with others)
//! and may have to be written back.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::call::{Cells, Headings};

/// As it is kept.
pub(super) fn write(cells: &Cells) -> String {
    match cells {
        Cells::Json(object) => json!({ "object": object }).to_string(),
        Cells::Csv { .. } => {
            let (names, values): (Vec<&str>, Vec<_>) = cells.pairs().into_iter().unzip();
            json!({ "headings": names, "cells": values }).to_string()
        }
    }
}

/// From how it is kept.
pub(super) fn read(text: &str) -> Option<Cells> {
    let mut kept: Map<String, Value> = serde_json::from_str(text).ok()?;
    if let Some(Value::Object(object)) = kept.remove("object") {
        return Some(Cells::Json(object));
    }
    let headings = texts(&kept, "headings")?;
    let mut all = String::new();
    let mut ends = Vec::new();
    for cell in texts(&kept, "cells")? {
        all.push_str(&cell);
        ends.push(u32::try_from(all.len()).ok()?);
    }
    Some(Cells::Csv { headings: Arc::new(Headings::new(headings)), text: all, ends })
}

fn texts(kept: &Map<String, Value>, key: &str) -> Option<Vec<String>> {
    kept.get(key)?.as_array()?.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_back_as_it_was_kept() {
        let Some(csv) = read(r#"{"headings":["a","b \"c\""],"cells":["1,2","näh\n"]}"#) else { panic!() };
        assert_eq!(csv.value("b \"c\"").as_deref(), Some("näh\n"));
        assert_eq!(read(&write(&csv)).unwrap().pairs(), csv.pairs());
        let Some(object) = read(r#"{"object":{"id":12345678901234567890,"x":null}}"#) else { panic!() };
        assert_eq!(write(&object), r#"{"object":{"id":12345678901234567890,"x":null}}"#);
        assert!(read("{}").is_none());
    }
}
