//! The property `json` on whatever libFuzzer comes upon.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| callport_fuzz::holds("json", data));
