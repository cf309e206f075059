//! The durable file: what was staged, what was sent, what came of it.
