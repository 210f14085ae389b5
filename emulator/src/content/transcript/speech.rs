//! Calls: the results of Speech-to-Text, of its version 1 or 2, in one list or by file.

use std::collections::BTreeMap;

use contact_center_insights::proto::insights::conversation::transcript::TranscriptSegment;
use contact_center_insights::proto::insights::conversation::transcript::transcript_segment::WordInfo;
use serde_json::Value;

use super::object::{Ignored, Object, duration, placed, shown};

/// What one result says.
#[derive(Clone, Debug, PartialEq)]
struct Heard {
    segment: TranscriptSegment,
    /// Who said each word, by tag or label; empty where nobody was told apart.
    speakers: Vec<String>,
}

/// A segment for each result; where speakers were told apart, one for each change of speaker.
pub(super) fn segments(results: &Value, ignored: &mut Ignored) -> Result<Vec<TranscriptSegment>, String> {
    let results = match results {
        Value::Array(list) => placed("results", list),
        Value::Object(_) => of_file(results, ignored)?,
        other => return Err(format!("results: {} is not a list", shown(other))),
    };
    let mut heard = Vec::with_capacity(results.len());
    for (place, result) in results {
        heard.extend(result_of(Object::of(result, &place)?, ignored)?);
    }
    let is_diarized = heard.iter().any(|heard| !heard.speakers.is_empty());
    Ok(if is_diarized { by_speaker(heard) } else { heard.into_iter().map(|heard| heard.segment).collect() })
}

/// The results in a map by file, as version 2 returns them for a batch: of the one file that it has.
fn of_file<'a>(files: &'a Value, ignored: &mut Ignored) -> Result<Vec<(String, &'a Value)>, String> {
    let Value::Object(files) = files else { return Ok(Vec::new()) };
    let (Some((uri, file)), 1) = (files.iter().next(), files.len()) else {
        return Err(format!("results: a transcript is of one file, and here are {}", files.len()));
    };
    let mut file = Object::of(file, &format!("results[{uri:?}]"))?;
    if let Some(mut error) = file.object("error")? {
        let (code, message) =
            (error.integer("code")?.unwrap_or_default(), error.text("message")?.unwrap_or_default());
        if code != 0 {
            return Err(format!("{}: it was not recognised: {message}", file.place("error")));
        }
    }
    file.pass_over("metadata");
    let mut inline = file.object("inlineResult")?;
    let nested = inline.as_mut().map(|inline| inline.object("transcript")).transpose()?.flatten();
    // Deprecated, and still filled in.
    let older = file.object("transcript")?;
    let stored = file.object("cloudStorageResult")?;
    let uri = stored.map(|mut stored| stored.text("uri")).transpose()?.flatten();
    let older_uri = file.text("uri")?;
    let Some(mut transcript) = nested.or(older) else {
        let elsewhere = uri.or(older_uri).map(|uri| format!(": it is in {uri}")).unwrap_or_default();
        return Err(format!("{}: is missing{elsewhere}", file.place("inlineResult")));
    };
    let results = transcript.list("results")?.unwrap_or_default();
    transcript.pass_over("metadata");
    transcript.end(ignored);
    if let Some(mut inline) = inline {
        inline.pass_over("vttCaptions");
        inline.pass_over("srtCaptions");
        inline.end(ignored);
    }
    file.end(ignored);
    Ok(results)
}

/// A result without alternatives is silence.
fn result_of(mut result: Object<'_>, ignored: &mut Ignored) -> Result<Option<Heard>, String> {
    let alternatives = result.list("alternatives")?.unwrap_or_default();
    let (channel_tag, language) =
        (result.small("channelTag")?, result.text("languageCode")?.unwrap_or_default());
    result.pass_over("resultEndTime");
    result.pass_over("resultEndOffset");
    result.once()?;
    let Some((place, best)) = alternatives.into_iter().next() else {
        result.end(ignored);
        return Ok(None);
    };
    result.end(ignored);
    let mut best = Object::of(best, &place)?;
    let text = best.text("transcript")?.unwrap_or_default().trim().to_owned();
    let confidence = best.float("confidence")?;
    let (mut words, mut speakers) = (Vec::new(), Vec::new());
    for (place, word) in best.list("words")?.unwrap_or_default() {
        let (word, speaker) = word_of(Object::of(word, &place)?, ignored)?;
        words.push(word);
        speakers.push(speaker);
    }
    best.once()?;
    best.end(ignored);
    if speakers.iter().all(String::is_empty) {
        speakers.clear();
    }
    let language_code = language.to_owned();
    let segment = TranscriptSegment {
        words,
        text,
        confidence,
        channel_tag,
        language_code,
        ..TranscriptSegment::default()
    };
    // Neither text nor words: nothing was heard.
    let is_silent = segment.text.is_empty() && segment.words.is_empty();
    Ok((!is_silent).then_some(Heard { segment, speakers }))
}

fn word_of(mut word: Object<'_>, ignored: &mut Ignored) -> Result<(WordInfo, String), String> {
    let (start, start_place) = word.either("startTime", "startOffset");
    let (end, end_place) = word.either("endTime", "endOffset");
    let tag = word.integer("speakerTag")?.unwrap_or_default();
    let label = word.text("speakerLabel")?.unwrap_or_default();
    let speaker = if label.is_empty() && tag != 0 { tag.to_string() } else { label.to_owned() };
    let info = WordInfo {
        start_offset: duration(start, &start_place)?,
        end_offset: duration(end, &end_place)?,
        confidence: word.float("confidence")?,
        word: word.text("word")?.unwrap_or_default().to_owned(),
    };
    word.once()?;
    word.end(ignored);
    Ok((info, speaker))
}

/// A segment for each change of speaker, whose channel is the number of the speaker where all speak on one.
fn by_speaker(mut heard: Vec<Heard>) -> Vec<TranscriptSegment> {
    // Version 1 tells the speakers apart in the last result, which repeats all words of those before it.
    if let Some(last) = heard.pop() {
        let others_are_told = heard.iter().any(|heard| !heard.speakers.is_empty());
        let on_channel = heard.iter().filter(|heard| heard.segment.channel_tag == last.segment.channel_tag);
        let before: usize = on_channel.map(|heard| heard.segment.words.len()).sum();
        let has_all = last.segment.text.is_empty() || last.segment.words.len() >= before;
        let repeats = !last.speakers.is_empty() && (!others_are_told && has_all || repeats(&heard, &last));
        if repeats {
            heard.retain(|heard| heard.segment.channel_tag != last.segment.channel_tag);
        }
        heard.push(last);
    }
    let mut numbers = Numbers::default();
    let mut made: Vec<(String, TranscriptSegment)> = Vec::new();
    for Heard { segment, speakers } in heard {
        for (speaker, mut part) in parts(segment, &speakers) {
            if part.channel_tag == 0 && !speaker.is_empty() {
                part.channel_tag = numbers.of(&speaker);
            }
            match made.last_mut() {
                Some((before, open))
                    if *before == speaker && !speaker.is_empty() && is_alike(open, &part) =>
                {
                    open.text = format!("{} {}", open.text, part.text);
                    open.words.append(&mut part.words);
                }
                _ => made.push((speaker, part)),
            }
        }
    }
    made.into_iter().map(|(_, segment)| segment).collect()
}

/// Whether the words of `last` are those of all results before it on its channel.
fn repeats(before: &[Heard], last: &Heard) -> bool {
    let on_channel = before.iter().filter(|heard| heard.segment.channel_tag == last.segment.channel_tag);
    let mut words = on_channel
        .flat_map(|heard| &heard.segment.words)
        .map(|word| (&word.word, word.start_offset))
        .peekable();
    let own = last.segment.words.iter().map(|word| (&word.word, word.start_offset));
    words.peek().is_some() && words.eq(own)
}

fn is_alike(one: &TranscriptSegment, other: &TranscriptSegment) -> bool {
    (one.channel_tag, &one.language_code) == (other.channel_tag, &other.language_code)
}

/// The parts of a segment that one speaker said without a break.
fn parts(segment: TranscriptSegment, speakers: &[String]) -> Vec<(String, TranscriptSegment)> {
    let Some(first) = speakers.first() else { return vec![(String::new(), segment)] };
    let is_whole = speakers.iter().all(|speaker| speaker == first) && !segment.text.is_empty();
    if is_whole {
        return vec![(first.clone(), segment)];
    }
    let mut parts: Vec<(String, TranscriptSegment)> = Vec::new();
    let frame = TranscriptSegment { words: Vec::new(), text: String::new(), ..segment.clone() };
    for (word, speaker) in segment.words.into_iter().zip(speakers) {
        if parts.last().is_none_or(|(before, _)| before != speaker) {
            parts.push((speaker.clone(), frame.clone()));
        }
        let Some((_, part)) = parts.last_mut() else { continue };
        if !part.text.is_empty() {
            part.text.push(' ');
        }
        part.text.push_str(&word.word);
        part.words.push(word);
    }
    parts
}

/// Speakers by number: their own if it is one, else the first that is free.
#[derive(Debug, Default)]
struct Numbers(BTreeMap<String, i32>);

impl Numbers {
    fn of(&mut self, speaker: &str) -> i32 {
        if let Some(known) = self.0.get(speaker) {
            return *known;
        }
        let own = speaker.parse::<i32>().ok().filter(|number| *number > 0);
        let free =
            (1..=i32::MAX).find(|number| !self.0.values().any(|taken| taken == number)).unwrap_or(i32::MAX);
        let number = own.filter(|number| !self.0.values().any(|taken| taken == number)).unwrap_or(free);
        self.0.insert(speaker.to_owned(), number);
        number
    }
}
