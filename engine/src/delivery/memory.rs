//! How much memory claims may take: what strangers wrote is held by bytes, whatever it is in number.
//!
//! What waits is bounded here, and what is in calls by their slots, each of which has room for a portion: so calls that do not end keep no room from what
//! could be sent meanwhile.

/// Bytes that wait in all lanes of an engine together, once what has no room is given back.
pub(super) const MOST: usize = 128 << 20;
/// Above so many, what waits is left to the targets that are quick and have nothing that does.
pub(super) const SHORT: usize = MOST / 4 * 3;
/// Bytes that one claim from the store brings at most, beside its last notification.
pub(super) const CLAIM: usize = 32 << 20;
/// Bytes that wait at most while a target is made ready, which can take a minute, and while all of them are.
pub(super) const PREPARING: usize = 1 << 20;
pub(super) const ALL_PREPARING: usize = 32 << 20;
/// Bytes that go into one portion at most, and so into one call; a larger notification goes alone, and takes several slots.
pub(super) const PORTION: usize = 4 << 20;

/// How many bytes a target may have that wait before others are claimed for instead, if so many have some. Far less than what all may have together, so
/// that what was given back for want of room is not claimed again at once.
pub(super) const fn share(targets: usize) -> usize {
    let among = if targets == 0 { 1 } else { targets };
    MOST / 4 / among
}

/// How many of these, the first first, fit into so many bytes: at least one.
pub(super) fn fitting(sizes: impl Iterator<Item = usize>, most: usize) -> usize {
    let mut taken = 0;
    let fits = |size: &usize| {
        taken += size;
        taken <= most
    };
    sizes.take_while(fits).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_always_fits() {
        assert_eq!(fitting([9].into_iter(), 4), 1);
        assert_eq!(fitting([1, 9].into_iter(), 4), 1);
        assert_eq!(fitting([1, 1, 2, 1].into_iter(), 4), 3);
    }

    #[test]
    fn what_is_given_back_is_not_claimed_again_at_once() {
        for targets in [1, 2, 1000] {
            // The one that has most has the average at least.
            assert!(MOST / targets > share(targets));
        }
    }
}
