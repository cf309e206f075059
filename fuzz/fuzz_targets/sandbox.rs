//! The property `sandbox` on whatever libFuzzer comes upon.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| callport_fuzz::holds("sandbox", data));
