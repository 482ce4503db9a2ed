//! How many descriptors an engine may have.

/// Lets this process have as many as the system lets it: each connection takes one, and the usual limit is meant for programs that can wait for
/// several only in an old way. That it cannot be raised is no reason to end.
#[cfg(unix)]
pub fn raise() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit { current: limit.maximum, ..limit };
    if let Err(error) = setrlimit(Resource::Nofile, most) {
        tracing::debug!("the limit of descriptors stays as it is: {error}");
    }
}

#[cfg(not(unix))]
pub fn raise() {}
