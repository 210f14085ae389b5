//! Silence and interruptions, from when segments were said.

use contact_center_insights::proto::insights::call_annotation::Data;
use contact_center_insights::proto::insights::conversation::Transcript;
use contact_center_insights::proto::insights::conversation::transcript::TranscriptSegment;
use contact_center_insights::proto::insights::{
    CallAnnotation, ConversationLevelSilence, InterruptionData, SilenceData,
};

use super::averages::{real, share, single};
use super::conversation::{Span, duration, timeline};
use super::phrases::boundary;
use super::words::between_spaces;

/// From here on nobody speaking is an annotation of its own.
const LONG_SILENCE: i64 = 2_000_000_000;

/// How long nobody spoke, and which percentage of the conversation that is, from 0 to 100.
pub(crate) fn level(transcript: &Transcript) -> ConversationLevelSilence {
    let spans = timeline(transcript);
    let first = spans.iter().map(|span| span.start).min().unwrap_or_default();
    let last = spans.iter().map(|span| span.end).max().unwrap_or_default();
    let silent: i64 = gaps(&spans).map(Span::length).fold(0, i64::saturating_add);
    let percentage = 100.0 * share(real(silent), real(last.saturating_sub(first)));
    ConversationLevelSilence {
        silence_duration: Some(duration(silent)),
        silence_percentage: single(percentage),
    }
}

/// The share of the conversation, from 0 to 1, during which a channel spoke. Where two speak at once, the time is that of
/// who began last, so that the shares of all channels and that of silence are one together.
pub(crate) fn talk_share(transcript: &Transcript, channel: i32) -> f64 {
    let spans = timeline(transcript);
    let first = spans.iter().map(|span| span.start).min().unwrap_or_default();
    let last = spans.iter().map(|span| span.end).max().unwrap_or_default();
    let channels = transcript.transcript_segments.iter().map(|segment| segment.channel_tag);
    let spoken = floor(channels.zip(spans)).filter(|(speaking, _)| *speaking == channel);
    let spoken: i64 = spoken.map(|(_, span)| span.length()).fold(0, i64::saturating_add);
    share(real(spoken), real(last.saturating_sub(first))).min(1.0)
}

/// Who has the floor, and when: stretches of time that do not overlap, in order.
fn floor(spoken: impl Iterator<Item = (i32, Span)>) -> impl Iterator<Item = (i32, Span)> {
    let mut waiting: Vec<(i32, Span)> = spoken.collect();
    waiting.sort_by_key(|(_, span)| std::cmp::Reverse(span.start));
    // Those who were interrupted, and may go on.
    let mut interrupted: Vec<(i32, Span)> = Vec::new();
    let mut stretches = Vec::new();
    while let Some((channel, span)) = waiting.pop() {
        let next = waiting.last().map_or(i64::MAX, |(_, next)| next.start);
        let end = span.end.min(next);
        stretches.push((channel, Span { start: span.start, end }));
        if span.end > end {
            interrupted.push((channel, Span { start: end, end: span.end }));
        }
        // Until the next begins, whoever was interrupted last goes on.
        let mut at = end;
        while at < next {
            let Some((channel, rest)) = interrupted.pop() else { break };
            let stop = rest.end.min(next);
            if stop > at {
                stretches.push((channel, Span { start: at, end: stop }));
                at = stop;
            }
            if rest.end > stop {
                interrupted.push((channel, Span { start: stop, end: rest.end }));
            }
        }
    }
    stretches.into_iter()
}

/// Where nobody spoke, between the first word and the last.
fn gaps(spans: &[Span]) -> impl Iterator<Item = Span> {
    let mut sorted = spans.to_vec();
    sorted.sort_by_key(|span| span.start);
    let mut heard_until = sorted.first().map(|span| span.start).unwrap_or_default();
    sorted.into_iter().filter_map(move |span| {
        let gap = Span { start: heard_until, end: span.start };
        heard_until = heard_until.max(span.end);
        (gap.end > gap.start).then_some(gap)
    })
}

/// One for each long silence, from the end of a segment to the start of the next.
pub(crate) fn annotations(transcript: &Transcript) -> Vec<CallAnnotation> {
    let spans = timeline(transcript);
    let pairs = transcript.transcript_segments.windows(2).zip(spans.windows(2)).enumerate();
    pairs
        .filter_map(|(index, (segments, spans))| {
            let ([before, _], [end, start]) = (segments, spans) else { return None };
            (start.start.saturating_sub(end.end) >= LONG_SILENCE).then(|| CallAnnotation {
                channel_tag: before.channel_tag,
                annotation_start_boundary: Some(boundary(index, between_spaces(&before.text).count())),
                annotation_end_boundary: Some(boundary(index + 1, 0)),
                data: Some(Data::SilenceData(SilenceData {})),
            })
        })
        .collect()
}

fn has_offsets(segment: &TranscriptSegment) -> bool {
    segment.words.iter().any(|word| word.start_offset.is_some() && word.end_offset.is_some())
}

/// One for each segment that begins while another channel still speaks; only where words have offsets, since
/// otherwise nobody knows.
pub(crate) fn interruptions(transcript: &Transcript) -> Vec<CallAnnotation> {
    let spans = timeline(transcript);
    let pairs = transcript.transcript_segments.windows(2).zip(spans.windows(2)).enumerate();
    pairs
        .filter_map(|(index, (segments, spans))| {
            let ([before, after], [first, second]) = (segments, spans) else { return None };
            let timed = has_offsets(before) && has_offsets(after);
            let cut_in = before.channel_tag != after.channel_tag && second.start < first.end;
            (timed && cut_in).then(|| CallAnnotation {
                channel_tag: after.channel_tag,
                annotation_start_boundary: Some(boundary(index + 1, 0)),
                annotation_end_boundary: Some(boundary(index + 1, between_spaces(&after.text).count())),
                data: Some(Data::InterruptionData(InterruptionData {})),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::conversation::tests::chat;
    use crate::content::transcript::parse;

    #[test]
    fn a_chat_is_silent_between_its_lines() {
        let transcript = chat(&["agent: one two", "customer: one", "agent: one"]).transcript.unwrap();
        let level = level(&transcript);
        // Lines start every ten seconds; they take 0.8 and 0.4 seconds, and the last ends the chat.
        assert_eq!(level.silence_duration, Some(duration(18_800_000_000)));
        assert!((level.silence_percentage - 94.0).abs() < 0.01, "{}", level.silence_percentage);
        assert_eq!(annotations(&transcript).len(), 2);
        assert!((talk_share(&transcript, 2) - 0.04).abs() < 1e-6);
        assert!((talk_share(&transcript, 1) - 0.02).abs() < 1e-6);
        assert!(interruptions(&transcript).is_empty());
    }

    #[test]
    fn p18_shares_add_up_to_one_whoever_speaks_at_once() {
        let spoken = [(1, 0, 10), (2, 4, 6), (1, 5, 12), (2, 20, 30), (1, 20, 21)];
        let spoken = spoken.map(|(channel, start, end)| (channel, Span { start, end }));
        let stretches: Vec<_> = floor(spoken.into_iter()).collect();
        assert!(stretches.windows(2).all(|pair| pair[0].1.end <= pair[1].1.start), "{stretches:?}");
        let total = |channel| -> i64 {
            stretches.iter().filter(|(found, _)| *found == channel).map(|(_, span)| span.length()).sum()
        };
        assert_eq!((total(1), total(2)), (4 + 7, 1 + 10), "{stretches:?}");
    }

    #[test]
    fn who_begins_before_the_other_has_ended_interrupts() {
        let json = r#"{"results": [
            {"alternatives": [{"transcript": "a b", "words": [{"startTime": "0s", "endTime": "3s", "word": "a"}]}], "channelTag": 1},
            {"alternatives": [{"transcript": "c", "words": [{"startTime": "2s", "endTime": "4s", "word": "c"}]}], "channelTag": 2},
            {"alternatives": [{"transcript": "d", "words": [{"startTime": "4s", "endTime": "5s", "word": "d"}]}], "channelTag": 1}
        ]}"#;
        let transcript = parse(json.as_bytes()).unwrap();
        let found = interruptions(&transcript);
        assert_eq!((found.len(), found[0].channel_tag), (1, 2));
        assert_eq!(level(&transcript).silence_duration, Some(duration(0)));
    }

    #[test]
    fn nothing_is_silent_of_nothing() {
        assert!(level(&Transcript::default()).silence_percentage.abs() < 1e-6);
    }
}
