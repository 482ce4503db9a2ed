//! Amounts as people write them: `90m`, `24h`, `2d`, `500ms`, `64MiB`. A bare number is seconds, or bytes; a day is 24 hours.

use std::time::Duration;

/// Reads a duration; the longest is a hundred years, so that a date plus a duration stays a date.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 3600);
    let text = text.trim();
    let read = match text.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => text
            .parse::<jiff::Span>()
            .and_then(|span| span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()))
            .ok()
            .and_then(|duration| Duration::try_from(duration).ok()),
    };
    match read {
        Some(duration) if duration <= LONGEST => Ok(duration),
        _ => Err(format!(
            "\"{text}\" is not a duration; write seconds (`30`) or a number with a unit (`90m`, `24h`, `2d`, `500ms`)"
        )),
    }
}

/// Reads a size in bytes; the units are powers of 1024.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor: Option<u64> = match unit.trim() {
        "" | "B" => Some(1),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        _ => None,
    };
    number
        .parse::<u64>()
        .ok()
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor))
        .ok_or_else(|| format!("\"{text}\" is not a size; write bytes (`1024`) or a number with KiB, MiB or GiB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in
            [("30", 30), ("90m", 5400), ("24h", 86_400), ("1h 30m", 5400), ("2d", 172_800), ("1w", 604_800), ("0", 0)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        for text in ["", "-1", "-5m", "soon", "1e9", "1mo", "1y", "999999999999999", "5 parsecs"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [("0", 0), ("1024", 1024), ("64MiB", 64 << 20), ("2 KiB", 2048), ("1GiB", 1 << 30)] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MiB", "-1", "64MB", "99999999999GiB", "1.5MiB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
