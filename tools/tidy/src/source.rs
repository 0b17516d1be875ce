//! A Rust file as tokens, comments and string literals: just enough of the language that a word in a comment
//! is not taken for code, and that `use a::{b, c::d};` is seen for the three paths it is.

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A name or keyword.
    Word,
    /// `::`, or one character of punctuation.
    Mark,
    /// A string of any form; the text is what is between the quotes.
    Literal,
}

/// A piece of code.
#[derive(Debug, Clone)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// How it is written.
    pub text: String,
    /// The line where it begins.
    pub line: usize,
    /// Whether it is part of an item under `#[cfg(test)]`.
    pub in_test: bool,
}

/// A path such as `crate::db::tokens`, with groups of a `use` taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPath {
    /// The names between the `::`.
    pub parts: Vec<String>,
    /// The line of the last name.
    pub line: usize,
    /// Whether it is part of an item under `#[cfg(test)]`.
    pub in_test: bool,
}

impl NamedPath {
    /// Whether the path begins with these names.
    pub fn begins(&self, names: &[&str]) -> bool {
        self.parts.len() >= names.len() && self.parts.iter().zip(names).all(|(part, name)| part == name)
    }

    /// Whether the path ends with these names.
    pub fn ends(&self, names: &[&str]) -> bool {
        self.parts.len() >= names.len()
            && self.parts.iter().rev().zip(names.iter().rev()).all(|(part, name)| part == name)
    }
}

/// One Rust file.
#[derive(Debug, Default)]
pub struct Source {
    /// Everything but comments and whitespace.
    pub tokens: Vec<Token>,
    /// Comments, each line of each with its number.
    pub comments: Vec<(usize, String)>,
}

impl Source {
    /// Reads a file. Never fails: text that is no Rust gives tokens that mean nothing.
    pub fn read(text: &str) -> Self {
        let mut reader = Reader { chars: text.chars().collect(), at: 0, line: 1, source: Self::default() };
        while reader.at < reader.chars.len() {
            reader.step();
        }
        mark_tests(&mut reader.source.tokens);
        reader.source
    }

    /// String literals outside `#[cfg(test)]`.
    pub fn literals(&self) -> impl Iterator<Item = &Token> {
        self.tokens.iter().filter(|token| token.kind == Kind::Literal && !token.in_test)
    }

    /// Every path in the file, single names included.
    pub fn paths(&self) -> Vec<NamedPath> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let follows = at > 0 && self.tokens[at - 1].text == "::";
            at = if self.tokens[at].kind == Kind::Word && !follows { self.path(at, &[], &mut found) } else { at + 1 };
        }
        found
    }

    fn is(&self, at: usize, text: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == Kind::Mark && token.text == text)
    }

    /// Reads one path at `at`, with its groups; returns where it ends.
    fn path(&self, mut at: usize, before: &[String], found: &mut Vec<NamedPath>) -> usize {
        let mut parts = before.to_vec();
        loop {
            if self.is(at, "{") && !parts.is_empty() {
                at += 1;
                while at < self.tokens.len() && !self.is(at, "}") {
                    at = if self.is(at, ",") { at + 1 } else { self.path(at, &parts, found) };
                }
                return at + 1;
            }
            let Some(token) = self.tokens.get(at) else {
                return at;
            };
            if token.kind == Kind::Word {
                parts.push(token.text.clone());
            }
            at += 1;
            let next_goes_on = self.tokens.get(at + 1).is_some_and(|next| next.kind == Kind::Word || next.text == "{");
            if token.kind == Kind::Word && self.is(at, "::") && next_goes_on {
                at += 1;
                continue;
            }
            if token.kind == Kind::Word {
                found.push(NamedPath { parts, line: token.line, in_test: token.in_test });
            }
            return at;
        }
    }
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    line: usize,
    source: Source,
}

impl Reader {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn take(&mut self) -> char {
        let taken = self.peek(0);
        self.line += usize::from(taken == '\n');
        self.at += 1;
        taken
    }

    fn done(&self) -> bool {
        self.at >= self.chars.len()
    }

    fn push(&mut self, kind: Kind, text: String, line: usize) {
        self.source.tokens.push(Token { kind, text, line, in_test: false });
    }

    fn step(&mut self) {
        let (line, first, second) = (self.line, self.peek(0), self.peek(1));
        match first {
            '/' if second == '/' || second == '*' => self.comment(),
            '"' => self.string(),
            '\'' => self.quote(),
            _ if first.is_alphabetic() || first == '_' => {
                let start = self.at;
                while self.peek(0).is_alphanumeric() || self.peek(0) == '_' {
                    self.at += 1;
                }
                let word: String = self.chars[start..self.at].iter().collect();
                match (word.as_str(), self.peek(0)) {
                    ("r" | "br" | "cr", '"' | '#') if self.raw_string() => {}
                    ("b" | "c", '"') => self.string(),
                    _ => self.push(Kind::Word, word, line),
                }
            }
            ':' if second == ':' => {
                self.at += 2;
                self.push(Kind::Mark, "::".to_owned(), line);
            }
            _ => {
                self.take();
                if !first.is_whitespace() {
                    self.push(Kind::Mark, first.to_string(), line);
                }
            }
        }
    }

    fn comment(&mut self) {
        let block = self.peek(1) == '*';
        let (mut depth, mut text, mut line) = (0, String::new(), self.line);
        while !self.done() {
            match (self.peek(0), self.peek(1)) {
                ('\n', _) if !block => break,
                ('\n', _) => {
                    self.source.comments.push((line, std::mem::take(&mut text)));
                    self.take();
                    line = self.line;
                    continue;
                }
                ('/', '*') if block => depth += 1,
                ('*', '/') if block => depth -= 1,
                _ => {
                    text.push(self.take());
                    continue;
                }
            }
            self.at += 2;
            if depth == 0 {
                break;
            }
        }
        self.source.comments.push((line, text));
    }

    fn string(&mut self) {
        let line = self.line;
        let mut text = String::new();
        self.at += 1;
        while !self.done() {
            match self.take() {
                '"' => break,
                '\\' => match self.take() {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    '\n' => {
                        while self.peek(0).is_whitespace() {
                            self.take();
                        }
                    }
                    other => text.push(other),
                },
                other => text.push(other),
            }
        }
        self.push(Kind::Literal, text, line);
    }

    /// After `r`: a raw string, or, when this returns false, a raw name such as `r#type`.
    fn raw_string(&mut self) -> bool {
        let line = self.line;
        let hashes = self.chars[self.at..].iter().take_while(|&&next| next == '#').count();
        if self.peek(hashes) != '"' {
            return false;
        }
        self.at += hashes + 1;
        let mut text = String::new();
        while !self.done() {
            if self.peek(0) == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == '#') {
                self.at += hashes + 1;
                break;
            }
            text.push(self.take());
        }
        self.push(Kind::Literal, text, line);
        true
    }

    /// A character literal or a lifetime.
    fn quote(&mut self) {
        if self.peek(1) == '\\' {
            self.at += 3;
            while !self.done() && self.take() != '\'' {}
        } else if self.peek(2) == '\'' {
            self.take();
            self.take();
            self.take();
        } else {
            self.at += 1;
        }
    }
}

/// Marks what stands under `#[cfg(test)]`: the attribute, further attributes, and the item to its `;` or `}`.
fn mark_tests(tokens: &mut [Token]) {
    let attribute = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut at = 0;
    while at + attribute.len() <= tokens.len() {
        if !tokens[at..].iter().zip(attribute).all(|(token, text)| token.kind != Kind::Literal && token.text == text) {
            at += 1;
            continue;
        }
        let start = at;
        let mut depth = 0_usize;
        at += attribute.len();
        while let Some(token) = tokens.get(at) {
            at += 1;
            match (&token.kind, token.text.as_str()) {
                (Kind::Mark, "{" | "(" | "[") => depth += 1,
                (Kind::Mark, close @ ("}" | ")" | "]")) => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 && close == "}" {
                        break;
                    }
                }
                (Kind::Mark, ";") if depth == 0 => break,
                _ => {}
            }
        }
        tokens[start..at].iter_mut().for_each(|token| token.in_test = true);
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
