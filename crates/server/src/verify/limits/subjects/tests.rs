use super::*;

/// 2026.
const BEGIN: i64 = 1_790_000_000_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(BEGIN + seconds * 1_000_000)
}

fn of(id: u128) -> Subject {
    Subject::new(Some(OrgId::from_u128(7)), id)
}

fn with_room(places: usize) -> (Subjects, Arc<Room>) {
    let room = Arc::new(Room::new(places));
    (Subjects::new(Arc::clone(&room)), room)
}

#[test]
fn a_subject_reads_back() {
    for subject in [of(0), of(u128::MAX), Subject::new(None, 12)] {
        assert_eq!(Subject::parse(&subject.text()), Some(subject));
    }
    for hostile in
        ["", "x", "日本語日本語日本語日本語日本語日本語日本語日本", &of(1).text()[1..], &format!("{}0", of(1).text())]
    {
        assert_eq!(Subject::parse(hostile), None, "{hostile}");
    }
}

#[test]
fn subjects_are_counted_apart_and_swept_when_they_have_refilled() {
    let (subjects, room) = with_room(10);
    let rate = Rate::new(2, 60).unwrap();
    for _ in 0..2 {
        assert_eq!(subjects.take(of(1), &rate, at(0)).denied, None);
    }
    assert!(subjects.take(of(1), &rate, at(0)).denied.is_some());
    assert_eq!(subjects.take(of(2), &rate, at(0)).left.calls, 1);
    assert_eq!(subjects.look(of(3), &rate, at(0)).calls, 2);
    assert_eq!(room.taken(), 2);
    subjects.sweep(at(40));
    assert_eq!(room.taken(), 1, "the second has refilled");
    assert_eq!(subjects.look(of(1), &rate, at(40)).calls, 1);
    subjects.sweep(at(60));
    assert_eq!(room.taken(), 0);
    assert_eq!(subjects.take(of(1), &rate, at(60)).left.calls, 1, "as if it had never been there");
}

#[test]
fn those_without_a_place_share_one_quota() {
    let (subjects, room) = with_room(2);
    let rate = Rate::new(3, 60).unwrap();
    for known in 1..=2 {
        assert_eq!(subjects.take(of(known), &rate, at(0)).denied, None);
    }
    for stranger in 3..=5 {
        assert_eq!(subjects.take(of(stranger), &rate, at(0)).denied, None);
    }
    assert!(subjects.take(of(6), &rate, at(0)).denied.is_some(), "the others have used theirs up");
    assert_eq!(subjects.look(of(6), &rate, at(0)).calls, 0);
    assert_eq!(subjects.take(of(1), &rate, at(0)).left.calls, 1, "who has a place keeps it");
    subjects.give_back(of(6), &rate);
    assert_eq!(subjects.take(of(7), &rate, at(0)).denied, None);
    subjects.sweep(at(60));
    assert_eq!(subjects.take(of(8), &rate, at(60)).left.calls, 2, "there is room again");
    drop(subjects);
    assert_eq!(room.taken(), 0, "a limit that is gone leaves its places");
}

#[test]
fn what_is_given_back_can_be_taken_again() {
    let (subjects, _) = with_room(2);
    let rate = Rate::new(1, 60).unwrap();
    assert_eq!(subjects.take(of(1), &rate, at(0)).denied, None);
    subjects.give_back(of(1), &rate);
    assert_eq!(subjects.take(of(1), &rate, at(0)).denied, None);
    assert!(subjects.take(of(1), &rate, at(0)).denied.is_some());
}

#[test]
fn only_what_is_news_is_written() {
    let (subjects, _) = with_room(10);
    let rate = Rate::new(5, 60).unwrap();
    for id in 1..=3 {
        let _ = subjects.take(of(id), &rate, at(0));
    }
    let unwritten = subjects.unwritten(at(0), 10);
    assert_eq!(unwritten.len(), 3);
    assert_eq!(subjects.unwritten(at(0), 2).len(), 2, "bounded");
    for state in &unwritten {
        subjects.written(state);
    }
    assert!(subjects.unwritten(at(0), 10).is_empty());
    let _ = subjects.take(of(2), &rate, at(1));
    let news = subjects.unwritten(at(1), 10);
    assert_eq!(news.iter().map(|state| state.subject).collect::<Vec<_>>(), [of(2)]);
    assert!(subjects.unwritten(at(100), 10).is_empty(), "what has refilled is worth no row");
    let (after, room) = with_room(10);
    after.restore(of(2), news[0].used);
    assert_eq!(after.look(of(2), &rate, at(1)), subjects.look(of(2), &rate, at(1)));
    assert!(after.unwritten(at(1), 10).is_empty(), "it is what was read");
    after.restore(of(2), Used::NOTHING);
    assert_eq!(
        (after.look(of(2), &rate, at(1)).calls, room.taken()),
        (3, 1),
        "what is known goes before what was stored"
    );
}

#[test]
fn threads_take_what_there_is_and_no_more_while_others_sweep() {
    let (subjects, room) = with_room(3);
    let rate = Rate::new(1_000, 60).unwrap();
    let allowed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    if subjects.take(of(1), &rate, at(0)).denied.is_none() {
                        allowed.fetch_add(1, Ordering::Relaxed);
                    }
                    // Another's call, taken and given back, comes and goes meanwhile.
                    let _ = subjects.take(of(2), &rate, at(0));
                    subjects.give_back(of(2), &rate);
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..1_000 {
                subjects.sweep(at(0));
            }
        });
    });
    assert_eq!(allowed.into_inner(), 1_000);
    subjects.sweep(at(60));
    assert_eq!(room.taken(), 0);
}
