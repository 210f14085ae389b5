//! Filters (AIP-160) and orders (AIP-132) of lists, compiled once and asked of encoded bytes.
//!
//! The crate `aip-160` parses. What is parsed is then checked against the descriptor of what is listed, so that an
//! unknown field or a bad value is an error of the call and not an empty list, and every comparison becomes a path
//! of field numbers and a test.

mod literal;
mod order;
mod path;
mod position;
mod terms;

use aip_160::{Arg, Comparable, Comparator, Expression, FilterError, Member, Restriction};
use contact_center_insights::Status;
use prost_reflect::MessageDescriptor;

use crate::errors;
use crate::work::{Spent, Work};
use literal::{Literal, Relation, Test};
pub(crate) use order::Order;
use path::{LeafKind, Path};
use position::Locator;
use terms::{Means, Operators, Term};

/// The service's own limits are not documented; these keep a filter from costing more than a list.
const MAX_BYTES: usize = 64 * 1024;
const MAX_COMPARISONS: usize = 1000;
/// How many bytes a field has, about.
const BYTES_A_STEP: usize = 32;

/// A filter that fits what is listed.
#[derive(Clone, Debug)]
pub(crate) struct Filter(Node);

#[derive(Clone, Debug)]
enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// Whether a value at any of the paths passes.
    Match(Vec<Path>, Test),
    /// Whether there is a value at any of the paths.
    Present(Vec<Path>),
    /// The same two for what is made from the bytes; without a test, whether there is any.
    Made(Means, Option<Test>),
}

/// A moment in seconds and nanoseconds.
type Time = (i64, i32);

impl Filter {
    /// Compiles the field `filter` of a request that lists messages of the type `listed`. An empty one matches all.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` that says what is wrong, and at which byte.
    pub(crate) fn compile(text: &str, listed: &MessageDescriptor) -> Result<Self, Status> {
        Self::compile_field("filter", text, listed)
    }

    /// Compiles a filter from a field of another name, such as `conversation_filter`.
    ///
    /// # Errors
    /// As for [`Self::compile`].
    pub(crate) fn compile_field(field: &str, text: &str, listed: &MessageDescriptor) -> Result<Self, Status> {
        if text.len() > MAX_BYTES {
            return Err(errors::invalid(field, &format!("is longer than {MAX_BYTES} bytes")));
        }
        let parsed = aip_160::parse_filter(text).map_err(|error| {
            let why = match error {
                FilterError::Syntax { offset, message } => at(offset, &message),
                other => other.to_string(),
            };
            errors::invalid(field, &why)
        })?;
        let Some(expression) = parsed.expression else { return Ok(Self(Node::And(Vec::new()))) };
        let mut compiler = Compiler { listed, locator: Locator::new(text), comparisons: 0 };
        compiler.node(&expression).map(Self).map_err(|why| errors::invalid(field, &why))
    }

    /// Whether a resource, encoded, is one that the filter asks for.
    ///
    /// # Errors
    /// [`Spent`] if that would take more work than there is left.
    pub(crate) fn selects(&self, resource: &[u8], work: &Work) -> Result<bool, Spent> {
        self.0.matches(resource, work)
    }

    /// The same, whatever it takes.
    #[cfg(test)]
    pub(crate) fn matches(&self, resource: &[u8]) -> bool {
        self.selects(resource, &Work::most()).unwrap()
    }

    /// Whether everything matches, so that there is no need to ask.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.0, Node::And(nodes) if nodes.is_empty())
    }

    /// The span of times that the top level of the filter confines `field` of `listed` to: the latest of the lower
    /// bounds and the earliest of the upper, each if there is one.
    pub(crate) fn bounds(&self, field: u32) -> (Option<Time>, Option<Time>) {
        let terms = match &self.0 {
            Node::And(nodes) => nodes.as_slice(),
            one => std::slice::from_ref(one),
        };
        let (mut from, mut until) = (None::<Time>, None::<Time>);
        for term in terms {
            let Node::Match(paths, Test { relation, literal: Literal::Time(time) }) = term else { continue };
            let [path] = paths.as_slice() else { continue };
            if path.top_level() != Some(field) {
                continue;
            }
            if matches!(relation, Relation::Greater | Relation::GreaterOrEqual | Relation::Equal) {
                from = from.max(Some(*time));
            }
            if matches!(relation, Relation::Less | Relation::LessOrEqual | Relation::Equal) {
                until = Some(until.map_or(*time, |until| until.min(*time)));
            }
        }
        (from, until)
    }
}

impl Node {
    fn matches(&self, resource: &[u8], work: &Work) -> Result<bool, Spent> {
        let found = match self {
            Node::And(nodes) => {
                for node in nodes {
                    if !node.matches(resource, work)? {
                        return Ok(false);
                    }
                }
                true
            }
            Node::Or(nodes) => {
                for node in nodes {
                    if node.matches(resource, work)? {
                        return Ok(true);
                    }
                }
                false
            }
            Node::Not(node) => !node.matches(resource, work)?,
            Node::Match(paths, test) => {
                paths.iter().any(|path| path.any(resource, work, |cell| test.passes(cell)))
            }
            Node::Present(paths) => paths.iter().any(|path| path.is_present(resource, work)),
            Node::Made(means, test) => {
                // What is made is made from what lies deep within.
                work.spend(resource.len() / BYTES_A_STEP)?;
                means.matches(resource, test.as_ref())
            }
        };
        work.check().map(|()| found)
    }
}

fn at(offset: usize, why: &str) -> String {
    format!("at byte {offset}: {why}")
}

/// Turns the parser's tree into nodes. Comparisons are met in the order in which they are written.
struct Compiler<'a> {
    listed: &'a MessageDescriptor,
    locator: Locator<'a>,
    comparisons: usize,
}

impl Compiler<'_> {
    fn node(&mut self, expression: &Expression) -> Result<Node, String> {
        match expression {
            // A sequence is a conjunction: the documentation of the service writes nothing between its terms.
            Expression::And(parts) | Expression::Sequence(parts) => {
                let mut nodes = Vec::new();
                for part in parts {
                    match self.node(part)? {
                        Node::And(inner) => nodes.extend(inner),
                        other => nodes.push(other),
                    }
                }
                Ok(Node::And(nodes))
            }
            Expression::Or(parts) => {
                parts.iter().map(|part| self.node(part)).collect::<Result<_, _>>().map(Node::Or)
            }
            Expression::Not(inner) => Ok(Node::Not(Box::new(self.node(inner)?))),
            Expression::Restriction(restriction) => {
                let offset = self.count()?;
                self.comparison(restriction).map_err(|why| at(offset, &why))
            }
            Expression::Global(what) => {
                let offset = self.count()?;
                Err(at(offset, &format!("`{what}` is compared with nothing: write `field=\"value\"`")))
            }
        }
    }

    fn count(&mut self) -> Result<usize, String> {
        self.comparisons += 1;
        if self.comparisons > MAX_COMPARISONS {
            return Err(format!("has more than {MAX_COMPARISONS} comparisons"));
        }
        Ok(self.locator.next())
    }

    fn comparison(&self, restriction: &Restriction) -> Result<Node, String> {
        let Comparable::Member(member) = &restriction.comparable else {
            return Err(format!("functions are not supported here, such as `{}`", restriction.comparable));
        };
        let value = literal_text(&restriction.arg)?;
        let comparator = restriction.comparator;
        let term = member
            .field_path()
            .and_then(|name| terms::terms(self.listed.full_name()).iter().find(|term| term.name == name));
        match term {
            Some(term) => self.term(term, comparator, &value),
            None => self.field(member, comparator, &value),
        }
    }

    fn field(&self, member: &Member, comparator: Comparator, value: &str) -> Result<Node, String> {
        let mut names: Vec<&str> =
            std::iter::once(&member.value).chain(&member.fields).map(aip_160::Value::as_str).collect();
        let has = comparator == Comparator::Has;
        let path = Path::resolve(self.listed, &names, has)?;
        if has && value == "*" {
            return Ok(Node::Present(vec![path]));
        }
        if has && matches!(path.leaf(), LeafKind::Message(_)) {
            names.push(value);
            return Ok(Node::Present(vec![Path::resolve(self.listed, &names, true)?]));
        }
        if path.is_map() && !has {
            return Err(format!("`{member}` is a map: ask `{member}:\"key\"` or `{member}.key=\"value\"`"));
        }
        let test = Test::read(path.leaf(), comparator.into(), value)?;
        Ok(Node::Match(vec![path], test))
    }

    fn term(&self, term: &Term, comparator: Comparator, value: &str) -> Result<Node, String> {
        let allowed = match comparator {
            Comparator::Equal | Comparator::Has => true,
            Comparator::NotEqual => term.operators != Operators::Equality,
            _ => term.operators == Operators::Any,
        };
        if !allowed {
            let also = if term.operators == Operators::Difference { ", `!=`" } else { "" };
            return Err(format!("`{}` takes only `=`{also} and `:`", term.name));
        }
        let present = comparator == Comparator::Has && value == "*";
        let relation = Relation::from(comparator);
        let paths = |names: &[&str]| {
            let split = names.iter().map(|name| name.split('.').collect::<Vec<_>>());
            split.map(|names| Path::resolve(self.listed, &names, true)).collect::<Result<Vec<_>, _>>()
        };
        let bound = |field, relation| {
            Ok(Node::Match(paths(&[field])?, Test::read(&LeafKind::Time, relation, value)?))
        };
        let made = |test: fn(Relation, &str) -> Result<Test, String>| {
            let test = if present { None } else { Some(test(relation, value)?) };
            Ok(Node::Made(term.means, test))
        };
        match term.means {
            Means::Fields(names) if present => Ok(Node::Present(paths(names)?)),
            Means::Fields(names) => {
                let paths = paths(names)?;
                let kind = paths.first().map(Path::leaf).ok_or("names no field")?;
                let test = Test::read(kind, relation, value)?;
                Ok(Node::Match(paths, test))
            }
            Means::From(field) => bound(field, Relation::GreaterOrEqual),
            Means::Until(field) => bound(field, Relation::LessOrEqual),
            Means::Texts(_) => made(|relation, value| Test::read(&LeafKind::Text, relation, value)),
            Means::Time(_) => made(|relation, value| Test::read(&LeafKind::Time, relation, value)),
            Means::Code(_) => made(Test::code),
        }
    }
}

/// The text of a literal, quoted or not.
fn literal_text(arg: &Arg) -> Result<String, String> {
    match arg {
        Arg::Comparable(Comparable::Member(member)) if member.is_simple() => {
            Ok(member.value.as_str().to_owned())
        }
        Arg::Comparable(Comparable::Member(member)) => {
            Err(format!("`{member}` is not a single value: put it in quotes"))
        }
        other => Err(format!("`{other}` is not a value: write it in quotes")),
    }
}

#[cfg(test)]
pub(crate) mod tests;
