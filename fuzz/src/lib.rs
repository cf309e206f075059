//! callport's properties, for targets to run.
//!
//! They are written among its tests, which try them too, and taken in here as they are: a crate of tests cannot be depended
//! on, and a module of the library would be in every user's way.

#[expect(dead_code, reason = "words are for the tests, which libFuzzer does without")]
#[path = "../../tests/it/properties/mod.rs"]
mod properties;

/// Runs the property called `name` on `data`; panics where it does not hold.
pub fn holds(name: &str, data: &[u8]) {
    let property = properties::property(name);
    (property.holds)(data);
}
