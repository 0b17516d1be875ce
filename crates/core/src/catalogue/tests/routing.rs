//! Routing: the most specific path wins, and the tree agrees with a slow and obvious matcher.

use super::open;
use crate::catalogue::template::{PathTemplate, Segment};
use crate::catalogue::{Catalogue, NoSuchEndpoint};
use proptest::prelude::*;
use std::cmp::Ordering;
use std::fmt::Write as _;

fn winner(catalogue: &Catalogue, path: &str) -> Option<String> {
    catalogue.route("GET", path).ok().map(|matched| matched.endpoint.path.to_string())
}

#[test]
fn the_most_specific_path_wins_left_to_right() {
    let paths = [
        "/a/b/c",
        "/a/b/{x}",
        "/a/{x}/c",
        "/a/v{x}/c",
        "/a/v{x}-{y}/c",
        "/a/{x}/{y}",
        "/{x}/b/c",
        "/{rest+}",
        "/a/{rest+}",
        "/a/b/",
        "/",
    ];
    let calls: Vec<_> = paths.iter().map(|path| ("GET", *path)).collect();
    let catalogue = open(&calls).unwrap();
    let cases = [
        ("/a/b/c", "/a/b/c"),
        ("/a/b/d", "/a/b/{x}"),
        ("/a/x/c", "/a/{x}/c"),
        ("/a/v1/c", "/a/v{x}/c"),
        ("/a/v1-2/c", "/a/v{x}-{y}/c"),
        ("/a/v1/d", "/a/{x}/{y}"),
        ("/a/v/c", "/a/{x}/c"),
        ("/a/x/y", "/a/{x}/{y}"),
        ("/x/b/c", "/{x}/b/c"),
        ("/a/b", "/a/{rest+}"),
        ("/a/b/c/d", "/a/{rest+}"),
        ("/x", "/{rest+}"),
        ("/a/b/", "/a/b/"),
        ("/", "/"),
    ];
    for (path, expected) in cases {
        assert_eq!(winner(&catalogue, path).as_deref(), Some(expected), "{path}");
    }
    for path in ["/a/", "/a/b/c/", "/x/y/"] {
        assert_eq!(catalogue.route("GET", path).err(), Some(NoSuchEndpoint::Unknown), "{path}");
    }
    for method in ["get", "HEAD", "", "GET "] {
        assert_eq!(catalogue.route(method, "/a/b/c").err(), Some(NoSuchEndpoint::Unknown), "{method}");
    }
}

#[test]
fn parameters_have_their_decoded_text() {
    let catalogue = open(&[
        ("GET", "/posts/{post}/compare/{from}...{to}"),
        ("GET", "/profiles/member:{id}"),
        ("GET", "/files/{repo}/{path+}"),
        ("GET", "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}"),
    ])
    .unwrap();
    let value = |path: &str, name: &str| catalogue.route("GET", path).unwrap().param(name).unwrap().to_owned();
    assert_eq!(value("/posts/7/compare/12...15", "from"), "12");
    assert_eq!(value("/posts/7/compare/12...15", "to"), "15");
    assert_eq!(value("/profiles/member:%E8%AA%AD%20", "id"), "読 ");
    assert_eq!(value("/files/r/src/a%20b.rs", "path"), "src/a b.rs");
    let long = "/1/2/3/4/5/6/7/8/9/10";
    for (name, expected) in [("a", "1"), ("h", "8"), ("i", "9"), ("j", "10")] {
        assert_eq!(value(long, name), expected);
    }
    assert!(catalogue.route("GET", "/profiles/member:").is_err());
    assert!(catalogue.route("GET", "/posts/7/compare/...15").is_err());
}

#[test]
fn a_segment_that_could_be_cut_two_ways_is_refused() {
    let catalogue = open(&[("GET", "/compare/{from}..{to}"), ("GET", "/{a}/{b}")]).unwrap();
    assert!(catalogue.route("GET", "/compare/1..2").is_ok());
    // `1..`+`2` or `1`+`.2`? And never the broader endpoint instead.
    assert_eq!(catalogue.route("GET", "/compare/1...2").err(), Some(NoSuchEndpoint::Ambiguous));
    assert_eq!(catalogue.route("GET", "/compare/1..2..3").err(), Some(NoSuchEndpoint::Ambiguous));
    assert_eq!(winner(&catalogue, "/compare/12").as_deref(), Some("/{a}/{b}"));
}

#[test]
fn many_parameters_in_a_long_segment_take_no_time() {
    let catalogue = open(&[("GET", "/{a}-{b}-{c}-{d}-{e}-{f}-{g}-{h}")]).unwrap();
    let path = format!("/{}", "-x".repeat(2000));
    for _ in 0..100 {
        assert!(catalogue.route("GET", &path).is_err());
    }
}

// The reference: all templates that fit, in the order of the rule, the first of which wins.

/// All ways to cut a segment; each way is the texts of the parameters.
fn cuts(texts: &[String], segment: &str) -> Vec<Vec<String>> {
    let Some(rest) = segment.strip_prefix(texts[0].as_str()) else { return Vec::new() };
    if texts.len() == 1 {
        return if rest.is_empty() { vec![Vec::new()] } else { Vec::new() };
    }
    let mut all = Vec::new();
    for (end, _) in rest.char_indices().skip(1).chain([(rest.len(), ' ')]) {
        if end == 0 {
            continue;
        }
        for mut way in cuts(&texts[1..], &rest[end..]) {
            way.insert(0, rest[..end].to_owned());
            all.push(way);
        }
    }
    all.dedup();
    all
}

fn texts(segment: &str) -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut rest = segment;
    while let Some((before, after)) = rest.split_once('{') {
        texts.last_mut().unwrap().push_str(before);
        texts.push(String::new());
        rest = after.split_once('}').unwrap().1;
    }
    texts.last_mut().unwrap().push_str(rest);
    texts
}

/// Whether a template fits a path, and whether in more than one way.
fn fits(template: &str, path: &str) -> Option<bool> {
    let mut wanted: Vec<&str> = template.split('/').collect();
    let mut given: Vec<&str> = path.split('/').collect();
    if wanted.last().is_some_and(|last| last.ends_with("+}")) {
        wanted.pop();
        if given.len() <= wanted.len() || given.last() == Some(&"") {
            return None;
        }
        given.truncate(wanted.len());
    }
    if wanted.len() != given.len() {
        return None;
    }
    let mut ambiguous = false;
    for (wanted, given) in wanted.iter().zip(given) {
        match cuts(&texts(wanted), given).len() {
            0 => return None,
            1 => {}
            _ => ambiguous = true,
        }
    }
    Some(ambiguous)
}

/// The order of the rule.
fn before(one: &PathTemplate, other: &PathTemplate) -> Ordering {
    let rank = |segment: &Segment| match segment {
        Segment::Literal(_) => 0,
        Segment::Mixed(_) => 1,
        Segment::Parameter => 2,
        Segment::Rest => 3,
    };
    for (left, right) in one.segments().iter().zip(other.segments()) {
        let order = match (left, right) {
            (Segment::Mixed(left), Segment::Mixed(right)) => left.rank().cmp(&right.rank()),
            _ => rank(left).cmp(&rank(right)),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn reference<'t>(templates: &[&'t str], path: &str) -> Option<&'t str> {
    let mut fitting: Vec<_> =
        templates.iter().filter_map(|template| Some((*template, fits(template, path)?))).collect();
    fitting.sort_by(|(one, _), (other, _)| {
        before(&PathTemplate::parse(one).unwrap(), &PathTemplate::parse(other).unwrap())
    });
    fitting.first().filter(|(_, ambiguous)| !ambiguous).map(|(template, _)| *template)
}

fn template_segment() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ab]{1,2}",
        1 => Just("é".to_owned()),
        3 => Just("{}".to_owned()),
        1 => "[ab]{1,2}\\{\\}",
        1 => "\\{\\}[ab.]{1,2}",
        1 => "[ab]?\\{\\}[ab.]{1,2}\\{\\}[ab]?",
        1 => "\\{\\}a\\{\\}b\\{\\}",
    ]
}

fn template() -> impl Strategy<Value = String> {
    let end = prop_oneof![4 => Just(""), 1 => Just("/"), 1 => Just("/{+}")];
    (prop::collection::vec(template_segment(), 1..4), end).prop_map(|(segments, end)| {
        let mut number = 0;
        let mut named = String::new();
        let text = format!("/{}{end}", segments.join("/"));
        for letter in text.chars() {
            named.push(letter);
            if letter == '{' {
                number += 1;
                write!(named, "p{number}").unwrap();
            }
        }
        named
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn the_tree_agrees_with_the_reference(
        templates in prop::collection::vec(template(), 1..12),
        paths in prop::collection::vec("(/[ab.]{0,5}[abé]){1,5}/?", 1..12),
    ) {
        let mut unique: Vec<&str> = Vec::new();
        let mut shapes = std::collections::HashSet::new();
        for template in &templates {
            if shapes.insert(PathTemplate::parse(template).unwrap().shape()) {
                unique.push(template);
            }
        }
        let calls: Vec<_> = unique.iter().map(|template| ("GET", *template)).collect();
        let catalogue = open(&calls).unwrap();
        for path in &paths {
            let raw = path.replace('é', "%C3%A9");
            let found = winner(&catalogue, &raw);
            prop_assert_eq!(found.as_deref(), reference(&unique, path), "{} in {:?}", path, unique);
        }
    }

    #[test]
    fn a_template_that_parses_routes_to_itself(path in "(/([a-c]|\\{[a-f]\\}|x\\{[g-k]\\}|\\{[l-m]\\}\\.y)){1,5}") {
        if let Ok(catalogue) = open(&[("GET", &path)]) {
            let call = path.replace(['{', '}'], "_");
            prop_assert_eq!(winner(&catalogue, &call), Some(path));
        }
    }

    #[test]
    fn hostile_templates_never_panic(path in "/(\\PC|[{}+/.]){0,30}") {
        let _ = PathTemplate::parse(&path);
        let _ = open(&[("GET", &path)]);
    }
}
