//! The property `times_and_durations` on whatever libFuzzer comes upon.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| callport_fuzz::holds("times_and_durations", data));
