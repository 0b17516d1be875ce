//! Names that somebody may have meant.

use tegata_core::catalogue::Catalogue;
use tegata_core::name::fold;

/// How many are told.
const TOLD_MAX: usize = 3;

/// Up to three permissions that look like this name, as the end of a sentence; empty if none does.
pub fn near(name: &str, catalogue: &Catalogue) -> String {
    let wanted = fold(name);
    let mut close: Vec<(usize, &str)> = catalogue
        .permissions()
        .iter()
        .filter_map(|permission| {
            likeness(&wanted, &fold(&permission.name)).map(|score| (score, permission.name.as_str()))
        })
        .collect();
    close.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let told: Vec<_> = close.iter().take(TOLD_MAX).map(|(_, name)| format!("`{name}`")).collect();
    if told.is_empty() { String::new() } else { format!("; did you mean {}?", told.join(", ")) }
}

/// How much of two names agrees, from the front and from the back, in percent; none if it is too little.
fn likeness(a: &str, b: &str) -> Option<usize> {
    let longer = a.len().max(b.len());
    let shorter = a.len().min(b.len());
    let front = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let back = a.bytes().rev().zip(b.bytes().rev()).take_while(|(a, b)| a == b).count();
    let score = (front + back).min(shorter) * 100 / longer.max(1);
    (score >= 60).then_some(score)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognized() {
        assert!(likeness("issue:read", "issues:read").is_some());
        assert!(likeness("project.issues.creat", "project.issues.create").is_some());
        assert_eq!(likeness("contents:write", "issues:read"), None);
        assert_eq!(likeness("", ""), None);
    }
}
