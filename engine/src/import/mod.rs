//! What was kept elsewhere becomes the engine's own: `users` from files, everything from `django`'s database.

pub mod django;
mod users;

pub use users::{BadLine, Format, Progress, Tally, import_users, read_users};
