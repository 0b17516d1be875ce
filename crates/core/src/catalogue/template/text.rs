//! Texts that are filled from the parameters of a path: a context's key, an organization's name.

use super::{PathTemplate, TemplateFault};

/// A text that is filled from the parameters of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTemplate {
    pieces: Box<[Piece]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    Parameter(u8),
}

impl TextTemplate {
    /// Reads a text with parameters of this path.
    pub fn parse(text: &str, path: &PathTemplate) -> Result<Self, TemplateFault> {
        let mut pieces = Vec::new();
        let mut left = text;
        let mut separated = true;
        let mut rest_seen = false;
        while let Some((before, after)) = left.split_once('{') {
            let (name, after) = after.split_once('}').ok_or(TemplateFault::Brace)?;
            if !before.is_empty() {
                check_text(before)?;
                separated = separated || before.contains('/');
                pieces.push(Piece::Text(before.into()));
            }
            let name = name.strip_suffix('+').unwrap_or(name);
            let number = path.parameter(name).ok_or_else(|| TemplateFault::NoSuchParameter(name.to_owned()))?;
            if !separated || rest_seen {
                return Err(TemplateFault::CouldBeCutTwoWays);
            }
            separated = false;
            rest_seen = path.has_rest() && usize::from(number) + 1 == path.parameters().len();
            pieces.push(Piece::Parameter(number));
            left = after;
        }
        if !left.is_empty() {
            check_text(left)?;
            pieces.push(Piece::Text(left.into()));
        }
        Ok(Self { pieces: pieces.into() })
    }

    /// Whether it has no text and no parameter.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The text, filled. What stands in the path as it is, as `{owner}/{repo}` does, is lent, not copied.
    pub fn fill<'a>(&'a self, parameters: &'a crate::catalogue::Params<'_>) -> std::borrow::Cow<'a, str> {
        match &*self.pieces {
            [Piece::Text(text)] => return (&**text).into(),
            [Piece::Parameter(number)] => return parameters.get(*number).into(),
            _ => {}
        }
        if let Some(run) = self.run_of(parameters) {
            return run.into();
        }
        let mut filled = String::with_capacity(64);
        for piece in &self.pieces {
            filled.push_str(match piece {
                Piece::Text(text) => text,
                Piece::Parameter(number) => parameters.get(*number),
            });
        }
        filled.into()
    }

    /// The part of the path that is the whole text, where there is one.
    fn run_of<'a>(&self, parameters: &'a crate::catalogue::Params<'_>) -> Option<&'a str> {
        let path = parameters.path();
        let mut run: Option<(usize, usize)> = None;
        for piece in &self.pieces {
            run = Some(match (piece, run) {
                (Piece::Parameter(number), None) => parameters.span(*number)?,
                (Piece::Parameter(number), Some((start, end))) => {
                    let (from, until) = parameters.span(*number)?;
                    if from != end {
                        return None;
                    }
                    (start, until)
                }
                (Piece::Text(text), Some((start, end))) if path.get(end..)?.starts_with(&**text) => {
                    (start, end + text.len())
                }
                (Piece::Text(_), _) => return None,
            });
        }
        run.and_then(|(start, end)| path.get(start..end))
    }
}

fn check_text(text: &str) -> Result<(), TemplateFault> {
    match text.chars().find(|letter| letter.is_control() || letter.is_whitespace() || "{}:%\"\\".contains(*letter)) {
        Some('{' | '}') => Err(TemplateFault::Brace),
        Some(letter) => Err(TemplateFault::BadTextLetter(letter)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::params::{Params, Spans};
    use std::borrow::Cow;

    /// Fills a text from `/repos/octo/hello` on the template `/repos/{owner}/{repo}`.
    fn filled(text: &str) -> (String, bool) {
        let path = PathTemplate::parse("/repos/{owner}/{repo}").unwrap();
        let mut spans = Spans::default();
        spans.push(7, 11);
        spans.push(12, 17);
        let params = Params::new(Cow::Borrowed("/repos/octo/hello"), spans);
        let text = TextTemplate::parse(text, &path).unwrap();
        let filled = text.fill(&params);
        (filled.to_string(), matches!(filled, Cow::Borrowed(_)))
    }

    #[test]
    fn what_stands_in_the_path_is_lent_and_the_rest_is_made() {
        assert_eq!(filled("{owner}/{repo}"), ("octo/hello".to_owned(), true));
        assert_eq!(filled("{repo}"), ("hello".to_owned(), true));
        assert_eq!(filled("{repo}/{owner}"), ("hello/octo".to_owned(), false), "in another order");
        assert_eq!(filled("{owner}/x/{repo}"), ("octo/x/hello".to_owned(), false), "with other text between");
        assert_eq!(filled("o/{owner}"), ("o/octo".to_owned(), false), "with text before");
        assert_eq!(filled("{repo}/x"), ("hello/x".to_owned(), false), "beyond the end");
    }
}
