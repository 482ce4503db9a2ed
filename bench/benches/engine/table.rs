//! How a measured time is told: beside the limit that is promised, if one is.

use std::time::Duration;

/// Prints one: what it is, the time, and the limit with the verdict.
pub fn row(what: &str, time: Duration, limit: Option<Duration>) {
    let verdict = limit.map_or_else(String::new, |limit| {
        format!("   at most {:>9}: {}", shown(limit), if time <= limit { "holds" } else { "IS MISSED" })
    });
    println!("  {what:<40} {:>10}{verdict}", shown(time));
}

/// In the unit that suits it.
pub fn shown(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 1000.0 { format!("{micros:.1} µs") } else { format!("{:.1} ms", micros / 1000.0) }
}
