//! The largest documents that are read (rule TM002).

/// The largest document accepted, in bytes (TM002).
pub const MAX_BYTES: usize = 256 * 1024;

/// The longest line accepted, in bytes (TM002).
pub const MAX_LINE_BYTES: usize = 8 * 1024;

/// The most columns of a table (TM002).
pub const MAX_COLUMNS: usize = 32;

/// The deepest nesting of lists and quotes (TM002).
pub const MAX_NESTING: usize = 16;
