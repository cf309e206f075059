//! The Help Scout Inbox API over a transport, paced.
