//! What was kept elsewhere becomes the engine's own: `users` from files.

mod users;

pub use users::{BadLine, Format, Progress, Tally, import_users, read_users};
