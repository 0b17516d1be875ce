//! Which endpoint a path means. The most specific path wins, left to right: at the first segment in which two
//! templates differ, literal text goes before text mixed with parameters, that before a parameter, and that before
//! `{rest+}`. Of two mixed texts, the one with more literal text goes first.
//!
//! One tree per method. A level of the tree is a segment of the path, so a search visits a node at most once however
//! the path is made.

use crate::catalogue::params::Spans;
use crate::catalogue::template::{Fit, Mixed, PathTemplate, Segment};
use std::collections::HashMap;

/// The trees of all methods.
#[derive(Debug, Clone, Default)]
pub struct Router {
    methods: Vec<(Box<str>, usize)>,
    nodes: Vec<Node>,
}

/// One place in a tree; numbers of nodes are places in [`Router::nodes`], numbers of endpoints are the caller's.
#[derive(Debug, Clone, Default)]
struct Node {
    /// Keys come from catalogues, and are only looked up by calls: nobody outside can make them collide.
    literals: HashMap<Box<str>, usize, foldhash::fast::FixedState>,
    mixed: Vec<(Mixed, usize)>,
    parameter: Option<usize>,
    rest: Option<usize>,
    endpoint: Option<usize>,
    endpoint_with_slash: Option<usize>,
}

/// What a search found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) endpoint: usize,
    pub(crate) spans: Spans,
    /// The parameters could have been cut in more than one way.
    pub(crate) ambiguous: bool,
}

struct Search<'a> {
    nodes: &'a [Node],
    text: &'a str,
    spans: Spans,
    ambiguous: bool,
}

impl Router {
    /// Adds an endpoint. Shapes are unique: a second one of the same shape would take the place of the first.
    pub fn add(&mut self, method: &str, template: &PathTemplate, endpoint: usize) {
        let known = self.methods.iter().find(|(known, _)| **known == *method).map(|(_, root)| *root);
        let mut node = known.unwrap_or_else(|| {
            let root = self.new_node();
            self.methods.push((method.into(), root));
            root
        });
        for segment in template.segments() {
            if matches!(segment, Segment::Rest) {
                self.nodes[node].rest = Some(endpoint);
                return;
            }
            node = self.child(node, segment);
        }
        let place = &mut self.nodes[node];
        if template.trailing_slash() {
            place.endpoint_with_slash = Some(endpoint);
        } else {
            place.endpoint = Some(endpoint);
        }
    }

    fn new_node(&mut self) -> usize {
        self.nodes.push(Node::default());
        self.nodes.len() - 1
    }

    fn child(&mut self, node: usize, segment: &Segment) -> usize {
        let known = match segment {
            Segment::Literal(text) => self.nodes[node].literals.get(text).copied().ok_or(0),
            Segment::Mixed(mixed) => {
                let found = self.nodes[node].mixed.binary_search_by(|(known, _)| known.rank().cmp(&mixed.rank()));
                found.map(|at| self.nodes[node].mixed[at].1)
            }
            Segment::Parameter | Segment::Rest => self.nodes[node].parameter.ok_or(0),
        };
        let at = match known {
            Ok(child) => return child,
            Err(at) => at,
        };
        let child = self.new_node();
        let place = &mut self.nodes[node];
        match segment {
            Segment::Literal(text) => {
                place.literals.insert(text.clone(), child);
            }
            Segment::Mixed(mixed) => place.mixed.insert(at, (mixed.clone(), child)),
            Segment::Parameter | Segment::Rest => place.parameter = Some(child),
        }
        child
    }

    /// The endpoint of a canonical path.
    pub(crate) fn find(&self, method: &str, text: &str) -> Option<Found> {
        let (_, root) = self.methods.iter().find(|(known, _)| **known == *method)?;
        let mut search = Search { nodes: &self.nodes, text, spans: Spans::default(), ambiguous: false };
        let endpoint = search.walk(*root, 0)?;
        Some(Found { endpoint, spans: search.spans, ambiguous: search.ambiguous })
    }
}

impl Search<'_> {
    /// Walks on from a node; `at` is the place of the slash before the next segment, or the end.
    fn walk(&mut self, node: usize, at: usize) -> Option<usize> {
        let nodes = self.nodes;
        let node = nodes.get(node)?;
        let start = at + 1;
        let left = match self.text.get(start..) {
            None => return node.endpoint,
            Some("") => return node.endpoint_with_slash,
            Some(left) => left,
        };
        let segment = left.bytes().position(|byte| byte == b'/').map_or(left, |length| &left[..length]);
        let end = start + segment.len();
        if !node.literals.is_empty()
            && let Some(child) = node.literals.get(segment)
            && let Some(found) = self.walk(*child, end)
        {
            return Some(found);
        }
        let (taken, ambiguous) = (self.spans.len(), self.ambiguous);
        for (mixed, child) in &node.mixed {
            let fit = mixed.fit(segment, |from, until| {
                self.spans.push(start + from, start + until);
            });
            self.ambiguous |= fit == Fit::Ambiguous;
            if fit != Fit::No
                && let Some(found) = self.walk(*child, end)
            {
                return Some(found);
            }
            self.spans.truncate(taken);
            self.ambiguous = ambiguous;
        }
        if let Some(child) = node.parameter {
            self.spans.push(start, end);
            if let Some(found) = self.walk(child, end) {
                return Some(found);
            }
            self.spans.truncate(taken);
        }
        if node.rest.is_some() && !left.ends_with('/') {
            self.spans.push(start, self.text.len());
            return node.rest;
        }
        None
    }
}
