//! A local Help Scout, written from the documents alone.
