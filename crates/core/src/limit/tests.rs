use super::*;
use proptest::prelude::*;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// 2026.
const BEGIN: i64 = 1_790_000_000_000_000;

fn rates() -> impl Strategy<Value = Rate> {
    (1..=QUOTA_MAX, 1..=WINDOW_MAX_SECONDS).prop_filter_map("within bounds", |(q, w)| Rate::new(q, w).ok())
}

fn small_rates() -> impl Strategy<Value = Rate> {
    (1..40_u64, 1..20_u64).prop_map(|(quota, window)| Rate::new(quota, window).unwrap())
}

#[test]
fn bounds_are_told() {
    assert_eq!(Rate::new(0, 1), Err(RateError::Quota));
    assert_eq!(Rate::new(QUOTA_MAX + 1, WINDOW_MAX_SECONDS), Err(RateError::Quota));
    assert_eq!(Rate::new(1, 0), Err(RateError::Window));
    assert_eq!(Rate::new(1, WINDOW_MAX_SECONDS + 1), Err(RateError::Window));
    assert_eq!(Rate::new(1_000_001, 1), Err(RateError::TooFast));
    assert_eq!(Rate::new(u64::MAX, u64::MAX), Err(RateError::Quota));
    for (quota, window) in [(1, 1), (1_000_000, 1), (QUOTA_MAX, 1000), (1, WINDOW_MAX_SECONDS)] {
        assert!(Rate::new(quota, window).is_ok(), "{quota} in {window}");
    }
}

#[test]
fn a_quota_is_used_up_and_refills_evenly() {
    let rate = Rate::new(3, 60).unwrap();
    let mut used = Used::NOTHING;
    for left in [2, 1, 0] {
        let taken = rate.take(used, at(BEGIN));
        assert_eq!((taken.denied, taken.left.calls), (None, left));
        used = taken.used;
    }
    let denied = rate.take(used, at(BEGIN));
    assert_eq!(denied.denied, Some(Duration::from_secs(20)));
    assert_eq!(denied.left, Left { calls: 0, next: Some(Duration::from_secs(20)), whole: Duration::from_mins(1) });
    assert_eq!(denied.used, used, "a denial takes nothing");
    let later = rate.look(used, at(BEGIN + 25_000_000));
    assert_eq!(later, Left { calls: 1, next: Some(Duration::from_secs(15)), whole: Duration::from_secs(35) });
    assert_eq!(rate.look(used, at(BEGIN + 60_000_000)), Left { calls: 3, next: None, whole: Duration::ZERO });
    assert!(used.is_nothing(at(BEGIN + 60_000_000)) && !used.is_nothing(at(BEGIN + 59_999_999)));
}

#[test]
fn a_quota_that_does_not_divide_its_window_is_whole_all_the_same() {
    let rate = Rate::new(7, 1).unwrap();
    let mut used = Used::NOTHING;
    for _ in 0..7 {
        let taken = rate.take(used, at(BEGIN));
        assert_eq!(taken.denied, None);
        used = taken.used;
    }
    assert!(rate.take(used, at(BEGIN)).denied.is_some());
}

#[test]
fn what_was_used_counts_for_another_rate() {
    let now = at(BEGIN);
    let (old, new) = (Rate::new(10, 60).unwrap(), Rate::new(12, 3600).unwrap());
    let mut used = Used::NOTHING;
    for _ in 0..8 {
        used = old.take(used, now).used;
    }
    assert_eq!(new.look(new.carry(used, old.step_nanos(), now), now).calls, 4);
    let less = Rate::new(5, 60).unwrap();
    assert_eq!(less.look(less.carry(used, old.step_nanos(), now), now).calls, 0);
    // What is stored may be anything.
    for (used, step) in [(i64::MIN, i64::MIN), (i64::MAX, 1), (i64::MAX, 0), (i64::MIN, i64::MAX)] {
        let carried = new.carry(Used(used), step, now);
        assert!(new.look(carried, now).calls <= 12);
    }
}

#[test]
fn limits_cover_what_they_name() {
    let (town, other) = (ApiId::from_u128(1), ApiId::from_u128(2));
    let every = Covers::default();
    assert!(every.call(town, None) && every.call(other, Some("search")));
    let search = Covers { api: Some(town), class: Some("search".into()) };
    assert!(search.call(town, Some("search")));
    assert!(!search.call(town, None) && !search.call(town, Some("write")) && !search.call(other, Some("search")));
}

proptest! {
    /// However calls come, no span of time has more of them than the quota and what refilled meanwhile.
    #[test]
    fn no_span_has_more_than_its_share(rate in small_rates(), gaps in prop::collection::vec(0..3_000_000_i64, 1..200)) {
        let (mut now, mut used, mut allowed) = (BEGIN, Used::NOTHING, Vec::new());
        for gap in gaps {
            now += gap;
            let taken = rate.take(used, at(now));
            used = taken.used;
            if taken.denied.is_none() {
                allowed.push(now);
            }
        }
        for (first, begin) in allowed.iter().enumerate() {
            for (last, end) in allowed.iter().enumerate().skip(first) {
                let calls = u64::try_from(last - first + 1).unwrap();
                let micros = (end - begin).cast_unsigned();
                let share = rate.quota() + micros * rate.quota() / (rate.window_seconds() * 1_000_000);
                prop_assert!(calls <= share, "{calls} calls in {micros} µs at {rate:?}");
            }
        }
    }

    /// Time that goes back gives nothing: no look shows more than a later one did, and a take takes from what was there.
    #[test]
    fn going_back_gives_nothing(rate in small_rates(), calls in 0..40_u32, back in 0..100_000_000_i64, again in 0..5_u32) {
        let mut used = Used::NOTHING;
        for _ in 0..calls {
            used = rate.take(used, at(BEGIN)).used;
        }
        let left = rate.look(used, at(BEGIN)).calls;
        let (mut earlier, mut more) = (used, 0);
        for _ in 0..again {
            let taken = rate.take(earlier, at(BEGIN - back));
            prop_assert!(taken.left.calls <= left);
            earlier = taken.used;
            more += u64::from(taken.denied.is_none());
        }
        prop_assert!(more <= left);
        if back < DISORDER_NANOS / 1000 {
            prop_assert!(rate.look(earlier, at(BEGIN)).calls <= left, "and back again, too");
        }
    }

    /// A clock that was put back far holds nobody back for longer than a window.
    #[test]
    fn a_clock_put_back_heals(rate in small_rates(), back in 0..1_000_000_000_000_i64) {
        let ahead = rate.take(Used::NOTHING, at(BEGIN)).used;
        let taken = rate.take(ahead, at(BEGIN - back));
        let wait = taken.denied.unwrap_or_default();
        let window = i64::try_from(rate.window_seconds()).unwrap();
        prop_assert!(wait <= Duration::from_nanos((window * NANOS_PER_SECOND + DISORDER_NANOS + rate.quota).cast_unsigned()));
        // Moments are whole microseconds.
        let after = at(BEGIN - back).plus(wait + Duration::from_micros(1));
        prop_assert_eq!(rate.take(taken.used, after).denied, None);
    }

    /// Nothing overflows, whatever is stored and whatever the clock says.
    #[test]
    fn any_state_and_moment_is_judged(rate in rates(), used: i64, micros: i64) {
        let now = at(micros);
        let taken = rate.take(Used::from_nanos(used), now);
        prop_assert!(taken.left.calls <= rate.quota());
        prop_assert_eq!(rate.look(taken.used, now), taken.left);
        let given = rate.give_back(taken.used);
        if taken.denied.is_none() {
            prop_assert_eq!(rate.look(given, now).calls, taken.left.calls + 1);
        }
        prop_assert!(taken.denied.is_none_or(|wait| wait > Duration::ZERO));
    }

    /// Whoever waits as long as they were told gets their call.
    #[test]
    fn waiting_helps(rate in rates()) {
        let used = Used::from_nanos(nanos(at(BEGIN)) + rate.full());
        let wait = rate.take(used, at(BEGIN)).denied.unwrap();
        let micros = i64::try_from(wait.as_nanos().div_ceil(1000)).unwrap();
        prop_assert_eq!(rate.take(used, at(BEGIN + micros)).denied, None);
        prop_assert!(rate.take(used, at(BEGIN + micros - 2)).denied.is_some());
    }
}
