//! The property `plain_text` on whatever libFuzzer comes upon.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| callport_fuzz::holds("plain_text", data));
