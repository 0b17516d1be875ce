//! Figures, and how they are printed.

use serde_json::json;

/// One figure: the values of its rounds, of which the median counts.
#[derive(Debug, Clone)]
pub struct Figure {
    /// Its name, for scripts.
    pub name: String,
    /// What was measured in each round.
    pub rounds: Vec<f64>,
    /// In which unit.
    pub unit: &'static str,
    /// What it should be: `<= 1000`, `>= 0.80`.
    pub target: Option<&'static str>,
    /// What it is measured against.
    pub reference: Option<String>,
}

impl Figure {
    /// A figure without a target.
    pub fn new(name: impl Into<String>, unit: &'static str, rounds: Vec<f64>) -> Self {
        Self { name: name.into(), rounds, unit, target: None, reference: None }
    }

    /// With a target.
    #[must_use]
    pub fn target(mut self, target: &'static str) -> Self {
        self.target = Some(target);
        self
    }

    /// With what it is measured against.
    #[must_use]
    pub fn reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = Some(reference.into());
        self
    }

    /// The median of its rounds.
    pub fn value(&self) -> f64 {
        median(&self.rounds)
    }
}

/// The middle value; between two, their mean.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (upper, lower) = (sorted.len() / 2, sorted.len().saturating_sub(1) / 2);
    match (sorted.get(lower), sorted.get(upper)) {
        (Some(lower), Some(upper)) => f64::midpoint(*lower, *upper),
        _ => f64::NAN,
    }
}

/// Numbers of tokens as names have them: `1k`, `10m`.
pub fn short(count: u64) -> String {
    match count {
        count if count >= 1_000_000 && count.is_multiple_of(1_000_000) => format!("{}m", count / 1_000_000),
        count if count >= 1_000 && count.is_multiple_of(1_000) => format!("{}k", count / 1_000),
        count => count.to_string(),
    }
}

/// Four significant digits are more than any of these measurements has.
pub fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10_f64.powf(3.0 - value.abs().log10().floor());
    (value * scale).round() / scale
}

/// Prints a table, or one JSON object a line.
pub fn print(figures: &[Figure], as_json: bool) {
    if figures.is_empty() {
        return;
    }
    if as_json {
        for figure in figures {
            let line = json!({
                "figure": figure.name,
                "value": rounded(figure.value()),
                "unit": figure.unit,
                "target": figure.target,
                "reference": figure.reference,
                "rounds": figure.rounds.len(),
            });
            println!("{line}");
        }
        return;
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["figure", "median", "lowest", "highest", "unit", "target", "rounds", "against"]);
    for figure in figures {
        let lowest = figure.rounds.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = figure.rounds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        table.add_row([
            figure.name.clone(),
            rounded(figure.value()).to_string(),
            rounded(lowest).to_string(),
            rounded(highest).to_string(),
            figure.unit.to_owned(),
            figure.target.unwrap_or_default().to_owned(),
            figure.rounds.len().to_string(),
            figure.reference.clone().unwrap_or_default(),
        ]);
    }
    println!("{table}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        for (values, middle) in [(vec![3.0, 1.0, 2.0], 2.0), (vec![4.0, 1.0], 2.5), (vec![7.0], 7.0)] {
            assert!((median(&values) - middle).abs() < f64::EPSILON, "{values:?}");
        }
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn values_are_rounded_to_four_digits() {
        for (value, expected) in [(123_456.0, 123_500.0), (0.123_456, 0.1235), (0.0, 0.0), (-98.765_4, -98.77)] {
            assert!((rounded(value) - expected).abs() < 1e-9, "{value}");
        }
    }

    #[test]
    fn counts_have_short_names() {
        assert_eq!([1_000, 100_000, 1_000_000, 10_000_000, 1_500].map(short), ["1k", "100k", "1m", "10m", "1500"]);
    }
}
