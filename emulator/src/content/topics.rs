//! Topics: a stand-in that clusters conversations by their words, in place of the service's topic models.
//!
//! Training is spherical k-means over tf-idf vectors of stems, with seeds that lie far apart; the same conversations
//! give the same topics. What is learnt is kept in the issues alone, in words that anyone can read: the name, the
//! description and the sample utterances of an issue are all that decides what is assigned to it.

use std::collections::BTreeMap;

use contact_center_insights::proto::insights::conversation_participant::Role;
use contact_center_insights::proto::insights::{Conversation, Issue, IssueAssignment};

use super::averages::{long, real};
use super::conversation::role;
use super::words::{stemmed, stems};

/// Training looks at this many conversations, spread evenly: more would not change its topics much.
pub(crate) const MAX_TRAINED: usize = 2000;
const MAX_TOPICS: usize = 20;
const ROUNDS: usize = 10;
/// How many words describe a topic, and how many of them name it.
const DESCRIBED_BY: usize = 8;
const NAMED_BY: usize = 2;
const SAMPLES: usize = 3;
/// Below this likeness a conversation has none of the issues.
const UNCLASSIFIED: f64 = 0.08;

/// A vector by place, in order of place, of length one.
type Vector = Vec<(usize, f64)>;

/// What training found, to become an issue.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Topic {
    pub(crate) display_name: String,
    pub(crate) display_description: String,
    pub(crate) sample_utterances: Vec<String>,
}

/// What the customer said in a conversation; if nobody is known to be one, what anybody said.
pub(crate) fn customer_text(conversation: &Conversation) -> Vec<&str> {
    let segments =
        conversation.transcript.as_ref().map_or(&[][..], |transcript| &transcript.transcript_segments);
    let said = |customer: bool| {
        let own = segments.iter().filter(move |segment| !customer || role(segment) == Role::EndUser);
        own.map(|segment| segment.text.as_str()).collect::<Vec<_>>()
    };
    let customer = said(true);
    if customer.is_empty() { said(false) } else { customer }
}

/// Finds the topics of conversations, given what was said in each. The most common comes first.
pub(crate) fn train(conversations: &[Vec<&str>]) -> Vec<Topic> {
    let all: Vec<&Vec<&str>> = conversations.iter().take(MAX_TRAINED).collect();
    let mut vocabulary = Vocabulary::default();
    let counts: Vec<BTreeMap<usize, f64>> = all.iter().map(|texts| vocabulary.count(texts)).collect();
    let weights = vocabulary.weights(&counts);
    let vectors: Vec<Vector> = counts.iter().map(|counts| weigh(counts, &weights)).collect();
    let mut clusters = cluster(&vectors);
    clusters.sort_by_key(|(members, _)| std::cmp::Reverse(members.len()));
    let topics = clusters.into_iter().map(|(members, centre)| {
        let mut places = centre.clone();
        places.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let said: Vec<&str> =
            places.iter().take(DESCRIBED_BY).filter_map(|(place, _)| vocabulary.word(*place)).collect();
        let name = said.get(..NAMED_BY).unwrap_or(&said).join(" and ");
        let utterances = members.iter().filter_map(|member| all.get(*member)).flat_map(|texts| texts.iter());
        let mut liked: Vec<(f64, &str)> = utterances
            .map(|text| (likeness(&weigh(&vocabulary.known(text), &weights), &centre), *text))
            .filter(|(likeness, _)| *likeness > 0.0)
            .collect();
        liked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        liked.dedup_by(|a, b| a.1 == b.1);
        Topic {
            display_name: capitalised(&name),
            display_description: format!("Conversations about {}.", said.join(", ")),
            sample_utterances: liked.into_iter().take(SAMPLES).map(|(_, text)| text.to_owned()).collect(),
        }
    });
    topics.collect()
}

/// Members and centre of each cluster. Conversations in which nothing was said are in none.
fn cluster(vectors: &[Vector]) -> Vec<(Vec<usize>, Vector)> {
    let speaking: Vec<usize> =
        vectors.iter().enumerate().filter(|(_, vector)| !vector.is_empty()).map(|(index, _)| index).collect();
    let vector = |index: usize| vectors.get(index).map_or(&[][..], Vec::as_slice);
    let wanted = wanted_topics(speaking.len());
    let Some(first) = speaking.first() else { return Vec::new() };
    let mut centres: Vec<Vector> = vec![vector(*first).to_vec()];
    while centres.len() < wanted {
        let nearest =
            |index: usize| centres.iter().map(|centre| likeness(vector(index), centre)).fold(0.0, f64::max);
        let far = speaking.iter().map(|index| (nearest(*index), *index));
        let Some((like, index)) = far.min_by(|a, b| a.0.total_cmp(&b.0)) else { break };
        // All the rest is the same as what is there.
        if like > 0.999 {
            break;
        }
        centres.push(vector(index).to_vec());
    }
    let mut clusters: Vec<(Vec<usize>, Vector)> = Vec::new();
    for _ in 0..ROUNDS {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); centres.len()];
        for index in &speaking {
            let best = centres.iter().map(|centre| likeness(vector(*index), centre)).enumerate();
            // The first of equals, so that the order of seeds decides.
            let best = best.fold((0, -1.0), |best, next| if next.1 > best.1 { next } else { best });
            if let Some(members) = members.get_mut(best.0) {
                members.push(*index);
            }
        }
        members.retain(|members| !members.is_empty());
        let moved: Vec<Vector> =
            members.iter().map(|members| mean(members.iter().map(|index| vector(*index)))).collect();
        clusters = members.into_iter().zip(moved.iter().cloned()).collect();
        if moved == centres {
            break;
        }
        centres = moved;
    }
    clusters
}

/// The square root of half the conversations, as a rule of thumb has it.
fn wanted_topics(conversations: usize) -> usize {
    let wanted = (1..=MAX_TOPICS).rev().find(|topics| topics * topics * 2 <= conversations);
    wanted.unwrap_or(1)
}

/// The words that were met, by place.
#[derive(Default)]
struct Vocabulary {
    places: BTreeMap<String, usize>,
    /// For each place the words of its stem, and how often each was met.
    words: Vec<BTreeMap<String, usize>>,
}

impl Vocabulary {
    fn count(&mut self, texts: &[&str]) -> BTreeMap<usize, f64> {
        let mut counts = BTreeMap::new();
        for (stem, word) in texts.iter().flat_map(|text| stemmed(text)) {
            let next = self.places.len();
            let place = *self.places.entry(stem).or_insert(next);
            if place == self.words.len() {
                self.words.push(BTreeMap::new());
            }
            if let Some(words) = self.words.get_mut(place) {
                *words.entry(word).or_default() += 1;
            }
            *counts.entry(place).or_default() += 1.0;
        }
        counts
    }

    fn known(&self, text: &str) -> BTreeMap<usize, f64> {
        let mut counts = BTreeMap::new();
        for place in stems(text).filter_map(|stem| self.places.get(&stem).copied()) {
            *counts.entry(place).or_default() += 1.0;
        }
        counts
    }

    /// The more conversations have a word, the less it says about one.
    fn weights(&self, counts: &[BTreeMap<usize, f64>]) -> Vec<f64> {
        let mut having = vec![0.0; self.places.len()];
        for place in counts.iter().flat_map(BTreeMap::keys) {
            if let Some(having) = having.get_mut(*place) {
                *having += 1.0;
            }
        }
        having
            .into_iter()
            .map(|having: f64| (1.0 + real(long(counts.len())) / having.max(1.0)).ln())
            .collect()
    }

    /// The most common word of a stem.
    fn word(&self, place: usize) -> Option<&str> {
        let words = self.words.get(place)?.iter();
        words.max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0))).map(|(word, _)| word.as_str())
    }
}

fn weigh(counts: &BTreeMap<usize, f64>, weights: &[f64]) -> Vector {
    let weight = |place: &usize| weights.get(*place).copied().unwrap_or(1.0);
    unit(counts.iter().map(|(place, count)| (*place, (1.0 + count.ln()) * weight(place))).collect())
}

fn unit(mut vector: Vector) -> Vector {
    let length = vector.iter().map(|(_, value)| value * value).sum::<f64>().sqrt();
    if length > 0.0 {
        for (_, value) in &mut vector {
            *value /= length;
        }
    }
    vector
}

fn mean<'a>(vectors: impl Iterator<Item = &'a [(usize, f64)]>) -> Vector {
    let mut sum: BTreeMap<usize, f64> = BTreeMap::new();
    for (place, value) in vectors.flatten() {
        *sum.entry(*place).or_default() += value;
    }
    unit(sum.into_iter().collect())
}

/// The cosine of two vectors of length one.
fn likeness(a: &[(usize, f64)], b: &[(usize, f64)]) -> f64 {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut sum = 0.0;
    while let (Some((place, value)), Some((other, factor))) = (a.peek(), b.peek()) {
        match place.cmp(other) {
            std::cmp::Ordering::Less => drop(a.next()),
            std::cmp::Ordering::Greater => drop(b.next()),
            std::cmp::Ordering::Equal => {
                sum += value * factor;
                a.next();
                b.next();
            }
        }
    }
    sum
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The issues of a model, ready to be assigned.
#[derive(Debug)]
pub(crate) struct Classifier<'a> {
    issues: &'a [Issue],
    places: BTreeMap<String, usize>,
    vectors: Vec<Vector>,
}

impl<'a> Classifier<'a> {
    pub(crate) fn new(issues: &'a [Issue]) -> Self {
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let vectors = issues.iter().map(|issue| {
            let mut counts: BTreeMap<usize, f64> = BTreeMap::new();
            let description = issue
                .display_description
                .strip_prefix("Conversations about")
                .unwrap_or(&issue.display_description);
            // What people wrote about an issue counts more than what was said in one conversation.
            let texts = [(issue.display_name.as_str(), 2.0), (description, 2.0)].into_iter();
            for (text, weight) in texts.chain(issue.sample_utterances.iter().map(|text| (text.as_str(), 0.5)))
            {
                for stem in stems(text) {
                    let next = places.len();
                    *counts.entry(*places.entry(stem).or_insert(next)).or_default() += weight;
                }
            }
            unit(counts.into_iter().collect())
        });
        let vectors = vectors.collect();
        Self { issues, places, vectors }
    }

    /// The issue that a conversation is most like, with the likeness from 0 to 1; none if it is like none.
    pub(crate) fn assign(&self, texts: &[&str]) -> Option<IssueAssignment> {
        let mut counts: BTreeMap<usize, f64> = BTreeMap::new();
        let known =
            texts.iter().flat_map(|text| stems(text)).filter_map(|stem| self.places.get(&stem).copied());
        for place in known {
            *counts.entry(place).or_default() += 1.0;
        }
        let vector = weigh(&counts, &[]);
        let scores = self.vectors.iter().map(|issue| likeness(&vector, issue));
        let best = scores.zip(self.issues).filter(|(score, _)| *score >= UNCLASSIFIED);
        let (score, issue) = best.fold(None::<(f64, &Issue)>, |best, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        })?;
        Some(IssueAssignment {
            issue: issue.name.clone(),
            score: score.min(1.0),
            display_name: issue.display_name.clone(),
        })
    }
}

#[cfg(test)]
mod tests;
