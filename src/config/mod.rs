//! `callport.toml`, flags and environment become checked settings.
