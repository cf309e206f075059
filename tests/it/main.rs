//! Tests from outside: the house rules, and the built program.

mod architecture;
mod call_log;
mod desk;
mod once;
mod served;
