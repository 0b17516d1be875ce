//! How long a file may get. A file that outgrows this is nearly always "one more variant" in the wrong place.

use crate::tree::is_test_file;
use crate::{Finding, Tree};

/// No Rust file is longer, tests included.
pub const LINES_MAX: usize = 800;
/// Nine sources of ten are not longer.
pub const LINES_P90_MAX: usize = 400;
/// Half of the sources are not longer.
pub const LINES_MEDIAN_MAX: usize = 150;

/// Fewer sources than this have no distribution to speak of.
const SOURCES_MIN: usize = 10;

/// Files over the limit, and the distribution of the sources when it has grown out of shape.
pub fn files_stay_short(tree: &Tree) -> Vec<Finding> {
    let mut sources: Vec<(usize, &str)> = Vec::new();
    let mut findings = Vec::new();
    for (file, text) in tree.under("", ".rs") {
        let lines = text.lines().count();
        if lines > LINES_MAX {
            findings.push(Finding::new(file, 0, format!("{lines} lines, at most {LINES_MAX}: split it")));
        }
        if !is_test_file(file) {
            sources.push((lines, file));
        }
    }
    sources.sort_unstable();
    if sources.len() < SOURCES_MIN {
        return findings;
    }
    let longest = sources.iter().rev().take(10).map(|(lines, file)| format!("{file} ({lines})"));
    let longest = longest.collect::<Vec<_>>().join(", ");
    for (name, percent, limit) in [("median", 50, LINES_MEDIAN_MAX), ("90th percentile", 90, LINES_P90_MAX)] {
        let lines = percentile(&sources, percent);
        if lines > limit {
            let rule = format!("the {name} is {lines} lines, at most {limit}; the longest: {longest}");
            findings.push(Finding::new("sources", 0, rule));
        }
    }
    findings
}

/// The smallest value that at least this share of the values do not exceed.
fn percentile(sorted: &[(usize, &str)], percent: usize) -> usize {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted[rank - 1].0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(files: &[(&str, usize)]) -> Vec<String> {
        let texts: Vec<String> = files.iter().map(|(_, lines)| "x\n".repeat(*lines)).collect();
        let files: Vec<_> = files.iter().zip(&texts).map(|((file, _), text)| (*file, text.as_str())).collect();
        files_stay_short(&Tree::made_of(&files)).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn a_long_file_is_found_even_among_tests() {
        assert_eq!(rules(&[("a.rs", 800), ("tests/b.rs", 801), ("c.md", 900)]).len(), 1);
    }

    #[test]
    fn the_distribution_is_watched() {
        let names = ["a.rs", "b.rs", "c.rs", "d.rs", "e.rs", "f.rs", "g.rs", "h.rs", "i.rs", "j.rs"];
        let with = |lengths: [usize; 10]| rules(&names.into_iter().zip(lengths).collect::<Vec<_>>());
        assert_eq!(with([9, 9, 9, 9, 150, 400, 400, 400, 400, 800]), [] as [&str; 0]);
        assert!(with([9, 9, 9, 9, 151, 400, 400, 400, 400, 800])[0].contains("median is 151"));
        let wide = with([9, 9, 9, 9, 9, 9, 9, 9, 401, 402]);
        assert!(wide[0].contains("percentile is 401") && wide[0].contains("j.rs (402)"), "{wide:?}");
    }
}
