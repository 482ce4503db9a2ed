//! When something is to happen, as people say it: a point in time, a time of day where they live, or a wait.

use crate::rules::quantities::parse_duration;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use std::str::FromStr;
use std::time::Duration;

/// A time that may depend on now, and on where a person lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// With an offset or a zone of its own: `2030-12-31T18:00:00Z`, `2030-12-31T18:00[Europe/Vienna]`.
    At(Timestamp),
    /// On the person's clock: `2030-12-31 18:00`, or `2030-12-31` for the beginning of that day.
    Local(DateTime),
    /// The next time that the person's clock shows this: `18:00`.
    Next(Time),
    /// After so long: `in 10m`.
    In(Duration),
}

impl From<Timestamp> for Moment {
    fn from(time: Timestamp) -> Self {
        Moment::At(time)
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(wait) = text.strip_prefix("in ") {
            return parse_duration(wait).map(Moment::In);
        }
        // A zone in brackets must be one, also where the text has an offset beside it.
        let read = match text.contains('[') {
            true => text.parse::<Zoned>().map(|zoned| Moment::At(zoned.timestamp())).ok(),
            false => text.parse().map(Moment::At).ok().or_else(|| text.parse().map(Moment::Local).ok()),
        };
        let padded = if text.find(':') == Some(1) { format!("0{text}") } else { text.to_owned() };
        let is_time =
            padded.find(':') == Some(2) && padded.bytes().all(|byte| byte.is_ascii_digit() || b":.".contains(&byte));
        let read = read.or_else(|| padded.parse().map(Moment::Next).ok().filter(|_| is_time));
        read.ok_or_else(|| {
            format!("\"{text}\" is not a time; write such as 2030-12-31T18:00:00Z, \"2030-12-31 18:00\", 18:00 or \"in 10m\"")
        })
    }
}

impl Moment {
    /// The point in time. A local time that a clock change leaves out is as much later as the clocks go forward; one that comes twice is the
    /// first. `None`: beyond the calendar.
    pub fn resolve(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Moment::At(time) => Some(*time),
            Moment::In(wait) => now.checked_add(*wait).ok(),
            Moment::Local(time) => zone.to_timestamp(*time).ok(),
            Moment::Next(time) => {
                let today = now.to_zoned(zone.clone()).date();
                let on = |date: jiff::civil::Date| zone.to_timestamp(date.to_datetime(*time)).ok();
                match on(today)? {
                    later if later > now => Some(later),
                    _ => on(today.checked_add(1.day()).ok()?),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str, zone: &str) -> String {
        let now = "2030-06-01T12:00:00Z".parse().unwrap();
        let moment: Moment = text.parse().unwrap_or_else(|e| panic!("{e}"));
        moment.resolve(now, &TimeZone::get(zone).unwrap()).unwrap().to_string()
    }

    #[test]
    fn as_people_say_it() {
        for (text, zone, time) in [
            ("2030-12-31T18:00:00Z", "Europe/Vienna", "2030-12-31T18:00:00Z"),
            ("2030-12-31T18:00:00+02:00", "UTC", "2030-12-31T16:00:00Z"),
            ("2030-12-31T18:00[America/New_York]", "UTC", "2030-12-31T23:00:00Z"),
            ("2030-12-31 18:00", "Europe/Vienna", "2030-12-31T17:00:00Z"),
            ("2030-12-31T18:00", "Asia/Tokyo", "2030-12-31T09:00:00Z"),
            ("2030-12-31", "Europe/Vienna", "2030-12-30T23:00:00Z"),
            // It is two in the afternoon in Vienna.
            ("18:00", "Europe/Vienna", "2030-06-01T16:00:00Z"),
            ("14:00", "Europe/Vienna", "2030-06-02T12:00:00Z"),
            ("09:30", "Europe/Vienna", "2030-06-02T07:30:00Z"),
            ("in 10m", "UTC", "2030-06-01T12:10:00Z"),
            ("in 1h 30m", "UTC", "2030-06-01T13:30:00Z"),
            ("9:30", "Europe/Vienna", "2030-06-02T07:30:00Z"),
            ("in 2d", "UTC", "2030-06-03T12:00:00Z"),
            ("in 1w 1d 2h", "UTC", "2030-06-09T14:00:00Z"),
            ("in 45", "UTC", "2030-06-01T12:00:45Z"),
        ] {
            assert_eq!(resolved(text, zone), time, "{text} in {zone}");
        }
    }

    #[test]
    fn when_clocks_change() {
        // 2030-03-31 has no half past two in Vienna, 2030-10-27 has two of them.
        assert_eq!(resolved("2030-03-31 02:30", "Europe/Vienna"), "2030-03-31T01:30:00Z");
        assert_eq!(resolved("2030-10-27 02:30", "Europe/Vienna"), "2030-10-27T00:30:00Z");
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "tomorrow",
            "2030-02-30",
            "2030-02-30T00:00:00Z",
            "25:00",
            "in",
            "in soon",
            "1800",
            "18",
            "T18",
            "2030-12-31T18:00:00Z[Mars/X]",
            "2030-12-31T18:00[Mars/X]",
            "2030-12-31 18:00[",
            "99:00",
            "18:00+02:00",
            "18:00[Europe/Vienna]",
            "18:00 x",
            "in 1mo",
        ] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
