//! Templates: the path of an endpoint, and the texts that are filled from its parameters (a context's key, an
//! organization's name).
//!
//! A path is a list of segments. A segment is literal text, one parameter (`{owner}`), text mixed with parameters
//! (`member:{id}`, `{from}...{to}`), or, as the last one, `{rest+}`, which takes everything that is left.

mod mixed;
mod text;

pub use mixed::{Fit, Mixed};
pub use text::TextTemplate;

/// Longest path of an endpoint, in bytes.
pub const PATH_MAX_BYTES: usize = 2048;
/// Most segments of an endpoint's path.
pub const SEGMENTS_MAX: usize = 64;
/// Most parameters of an endpoint's path.
pub const PARAMETERS_MAX: usize = 32;

/// Why a template is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    /// It does not begin with `/`.
    #[error("a path begins with '/'")]
    NotAbsolute,
    /// It is too long.
    #[error("a path has at most {PATH_MAX_BYTES} bytes, {SEGMENTS_MAX} segments and {PARAMETERS_MAX} parameters")]
    TooLong,
    /// Two slashes follow each other.
    #[error("a path has no empty segment: write one '/' between two segments")]
    EmptySegment,
    /// A segment that servers resolve.
    #[error("a path has no segment '.' or '..': write the path it leads to")]
    DotSegment,
    /// A letter that no request can bring, or that could be read two ways.
    #[error(
        "'{0}' cannot stand in a path here: write the decoded text, without query and without ';', '\\', '#', '?' and '%'"
    )]
    BadLetter(char),
    /// A letter that cannot stand in the text of a context or organization.
    #[error("'{0}' cannot stand in this text: leave out spaces, ':', '%', quotes and '\\'")]
    BadTextLetter(char),
    /// A brace without its partner.
    #[error("a '{{' or '}}' stands alone: parameters are written {{name}}, or {{name+}} at the end")]
    Brace,
    /// A parameter's name breaks its rule.
    #[error("'{0}' cannot name a parameter: use letters, digits, '_', '-' and '.', a letter or '_' first, at most 60")]
    BadParameter(String),
    /// Two parameters have one name.
    #[error("the parameter '{0}' stands there twice: give the second another name")]
    DuplicateParameter(String),
    /// Two parameters touch.
    #[error("two parameters of one segment need text between them, such as '...' or '-'")]
    Adjacent,
    /// `{rest+}` is not a whole last segment.
    #[error("'{{{0}+}}' takes all that is left: it stands alone, at the end of the path")]
    RestNotLast(String),
    /// A text names a parameter that the path does not have.
    #[error("the path has no parameter '{0}': add it to the path, or use one that is there")]
    NoSuchParameter(String),
    /// Two parameters of a text could be cut in more than one place.
    #[error(
        "between two parameters stands a '/', and {{rest+}} comes last: otherwise two places could be written alike"
    )]
    CouldBeCutTwoWays,
    /// A place is not written as a place.
    #[error("a context is written global, <type>:key:<text>, <type>:id:<text> or <type>:{{parameter}}")]
    BadContext,
    /// Nothing is declared under this name.
    #[error("no context type '{0}' is declared: add it to 'context_types', or correct the name")]
    NoSuchType(String),
    /// An organization without a text.
    #[error("an organization is written as text with parameters, such as '{{owner}}', or as 'none'")]
    BadOrganization,
}

/// The path of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTemplate {
    segments: Vec<Segment>,
    trailing_slash: bool,
    parameters: Vec<Box<str>>,
}

/// One segment of a path. Parameters are numbered from the left over the whole path, so their numbers need no place
/// here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Text, decoded.
    Literal(Box<str>),
    /// Text mixed with parameters.
    Mixed(Mixed),
    /// One parameter.
    Parameter,
    /// Everything that is left.
    Rest,
}

impl PathTemplate {
    /// Reads a template.
    pub fn parse(path: &str) -> Result<Self, TemplateFault> {
        let rest = path.strip_prefix('/').ok_or(TemplateFault::NotAbsolute)?;
        if path.len() > PATH_MAX_BYTES {
            return Err(TemplateFault::TooLong);
        }
        let mut template = Self { segments: Vec::new(), trailing_slash: false, parameters: Vec::new() };
        let (rest, trailing_slash) = match rest.strip_suffix('/') {
            Some(rest) => (Some(rest), true),
            None if rest.is_empty() => (None, true),
            None => (Some(rest), false),
        };
        template.trailing_slash = trailing_slash;
        for segment in rest.into_iter().flat_map(|rest| rest.split('/')) {
            if matches!(template.segments.last(), Some(Segment::Rest)) {
                return Err(TemplateFault::RestNotLast(template.last_parameter()));
            }
            let segment = template.read_segment(segment)?;
            template.segments.push(segment);
        }
        if template.segments.len() > SEGMENTS_MAX || template.parameters.len() > PARAMETERS_MAX {
            return Err(TemplateFault::TooLong);
        }
        if trailing_slash && matches!(template.segments.last(), Some(Segment::Rest)) {
            return Err(TemplateFault::RestNotLast(template.last_parameter()));
        }
        Ok(template)
    }

    fn last_parameter(&self) -> String {
        self.parameters.last().map_or_else(String::new, ToString::to_string)
    }

    fn read_segment(&mut self, segment: &str) -> Result<Segment, TemplateFault> {
        if segment.is_empty() {
            return Err(TemplateFault::EmptySegment);
        }
        if segment == "." || segment == ".." {
            return Err(TemplateFault::DotSegment);
        }
        let mut texts: Vec<Box<str>> = Vec::new();
        let mut rest_parameter = false;
        let mut left = segment;
        while let Some((text, after)) = left.split_once('{') {
            let (name, after) = after.split_once('}').ok_or(TemplateFault::Brace)?;
            check_literal(text)?;
            if text.is_empty() && !texts.is_empty() {
                return Err(TemplateFault::Adjacent);
            }
            let name = match name.strip_suffix('+') {
                Some(name) => {
                    rest_parameter = true;
                    name
                }
                None => name,
            };
            self.add_parameter(name)?;
            texts.push(text.into());
            left = after;
        }
        check_literal(left)?;
        texts.push(left.into());
        if rest_parameter {
            if texts.len() == 2 && texts.iter().all(|text| text.is_empty()) {
                return Ok(Segment::Rest);
            }
            return Err(TemplateFault::RestNotLast(self.last_parameter()));
        }
        Ok(match texts.as_slice() {
            [text] => Segment::Literal(text.clone()),
            [before, after] if before.is_empty() && after.is_empty() => Segment::Parameter,
            _ => Segment::Mixed(Mixed { texts: texts.into() }),
        })
    }

    fn add_parameter(&mut self, name: &str) -> Result<(), TemplateFault> {
        let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        if !first || !letters || name.len() > 60 {
            return Err(TemplateFault::BadParameter(name.to_owned()));
        }
        if self.parameters.iter().any(|known| **known == *name) {
            return Err(TemplateFault::DuplicateParameter(name.to_owned()));
        }
        self.parameters.push(name.into());
        Ok(())
    }

    /// The segments.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether the path ends with `/`, which makes it another path than the one without.
    pub const fn trailing_slash(&self) -> bool {
        self.trailing_slash
    }

    /// The names of the parameters, from the left.
    pub fn parameters(&self) -> &[Box<str>] {
        &self.parameters
    }

    /// The number of a parameter.
    pub fn parameter(&self, name: &str) -> Option<u8> {
        self.parameters.iter().position(|known| **known == *name).and_then(|place| u8::try_from(place).ok())
    }

    /// Whether the last parameter is `{rest+}`.
    pub fn has_rest(&self) -> bool {
        matches!(self.segments.last(), Some(Segment::Rest))
    }

    /// The path with its parameters unnamed: what two endpoints of one method must not share.
    pub fn shape(&self) -> String {
        self.with("{}", "{+}")
    }

    /// A path that fits, with parameters that fit nothing else.
    pub(crate) fn example(&self) -> String {
        self.with("~", "~/~")
    }

    fn with(&self, parameter: &str, rest: &str) -> String {
        let mut path = String::new();
        for segment in &self.segments {
            path.push('/');
            match segment {
                Segment::Literal(text) => path.push_str(text),
                Segment::Mixed(mixed) => path.push_str(&mixed.texts.join(parameter)),
                Segment::Parameter => path.push_str(parameter),
                Segment::Rest => path.push_str(rest),
            }
        }
        if self.trailing_slash {
            path.push('/');
        }
        path
    }
}

fn check_literal(text: &str) -> Result<(), TemplateFault> {
    match text.chars().find(|letter| letter.is_control() || letter.is_whitespace() || "{};\\#?%".contains(*letter)) {
        Some('{' | '}') => Err(TemplateFault::Brace),
        Some(letter) => Err(TemplateFault::BadLetter(letter)),
        None => Ok(()),
    }
}
