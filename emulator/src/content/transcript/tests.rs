//! Transcripts as they are found in the wild, and what is said of those that cannot be read.

use contact_center_insights::proto::insights::conversation_participant::{Participant, Role};
use prost_types::{Duration, Timestamp};
use serde_json::{Value, json};

use super::*;

fn segments(file: &Value) -> Vec<TranscriptSegment> {
    parse(file.to_string().as_bytes()).unwrap().transcript_segments
}

fn error(file: &Value) -> String {
    parse(file.to_string().as_bytes()).unwrap_err()
}

/// Channel and text of each segment.
fn said(file: &Value) -> Vec<(i32, String)> {
    segments(file).into_iter().map(|segment| (segment.channel_tag, segment.text)).collect()
}

fn word(text: &str, second: u32, speaker: &Value) -> Value {
    json!({"word": text, "startTime": format!("{second}s"), "endTime": format!("{}s", second + 1), "speakerTag": speaker})
}

#[test]
fn the_documented_form_is_read() {
    let json = json!({
    "conversation_info": {"categories": [{"display_name": "billing"}]},
    "entries": [
        {"text": "Hi", "user_id": 2, "role": "AGENT", "start_timestamp_usec": 1_500_000},
        {"text": "My bill,  please!", "user_id": "1", "role": "CUSTOMER", "start_timestamp_usec": "2000001"},
        {"text": "Beep", "role": "AUTOMATED_AGENT"},
    ]});
    let read = read(json.to_string().as_bytes()).unwrap();
    assert_eq!(read.ignored, Ignored::default());
    let segments = read.transcript.transcript_segments;
    assert_eq!(segments.len(), 3);
    let words: Vec<&str> = segments[1].words.iter().map(|word| word.word.as_str()).collect();
    assert_eq!(words, ["My", "bill,", "please!"]);
    assert!(segments[1].words.iter().all(|word| word.start_offset.is_none() && word.end_offset.is_none()));
    assert_eq!(segments[0].message_time, Some(Timestamp { seconds: 1, nanos: 500_000_000 }));
    assert_eq!(segments[1].message_time, Some(Timestamp { seconds: 2, nanos: 1000 }));
    let roles: Vec<Role> = segments.iter().map(|s| s.segment_participant.clone().unwrap().role()).collect();
    assert_eq!(roles, [Role::HumanAgent, Role::EndUser, Role::AutomatedAgent]);
    let user = segments[1].segment_participant.clone().unwrap().participant;
    assert_eq!(user, Some(Participant::UserId("1".into())));
}

#[test]
fn p26_a_chat_is_read_by_the_rules_of_protojson() {
    let documented = json!({"entries": [
        {"start_timestamp_usec": 1_700_000_000_000_000_i64, "text": "Hello", "role": "CUSTOMER", "user_id": 4},
        {"start_timestamp_usec": 1_700_000_002_000_000_i64, "text": "", "role": "AGENT", "user_id": 9}]});
    let variants = [
        json!({"entries": [
            {"startTimestampUsec": 1.7e15, "text": "Hello", "role": "customer", "userId": 4.0},
            {"startTimestampUsec": "1.700000002e15", "text": null, "role": "HUMAN_AGENT", "userId": "9"}], "results": null}),
        json!({"conversationInfo": null, "entries": [
            {"start_timestamp_usec": "1700000000000000", "text": "Hello", "role": "END_USER", "user_id": "4"},
            {"start_timestamp_usec": 1_700_000_002_000_000.0, "text": "", "role": "AGENT", "userId": 9e0}]}),
    ];
    for variant in variants {
        assert_eq!(segments(&variant), segments(&documented), "{variant}");
    }
    let with_bom = format!("\u{feff}{documented}");
    assert_eq!(parse(with_bom.as_bytes()).unwrap(), parse(documented.to_string().as_bytes()).unwrap());
    let bare = segments(
        &json!({"entries": [{"text": "x", "role": null, "userId": null, "startTimestampUsec": null}]}),
    );
    assert_eq!(
        (&bare[0].message_time, bare[0].segment_participant.as_ref().unwrap().role()),
        (&None, Role::Unspecified)
    );
}

#[test]
fn results_of_speech_recognition_are_read() {
    let json = json!({"results": [
        {"alternatives": [{"transcript": " hello there ", "confidence": 0.5, "words": [
            {"startTime": "1s", "endTime": "1.500s", "word": "hello"},
            {"startOffset": "1.5s", "endOffset": "2s", "word": "there"}]}],
         "channelTag": 2, "languageCode": "en-us"},
        {"channelTag": 1},
        {"alternatives": [{"transcript": "", "words": null}], "resultEndTime": "3s"},
    ]});
    let segments = segments(&json);
    assert_eq!(segments.len(), 1, "silence makes no segment");
    assert_eq!((segments[0].text.as_str(), segments[0].channel_tag), ("hello there", 2));
    assert_eq!(segments[0].words[1].end_offset, Some(Duration { seconds: 2, nanos: 0 }));
}

#[test]
fn p26_speech_to_text_is_read_in_every_shape() {
    let result = json!({"alternatives": [{"transcript": "good day", "confidence": 0.5, "words": [
        {"startTime": "0s", "endTime": "1.5s", "word": "good"}, {"startTime": "1.5s", "endTime": "2s", "word": "day"}]}],
        "channelTag": 2, "resultEndTime": "2s", "languageCode": "en-gb"});
    let wanted = segments(&json!({"results": [result]}));
    assert_eq!((wanted[0].channel_tag, wanted[0].language_code.as_str()), (2, "en-gb"));
    assert_eq!(wanted[0].words[0].end_offset, Some(Duration { seconds: 1, nanos: 500_000_000 }));
    // As Python's `to_dict` and `preserving_proto_field_name` print it, numbers as floats.
    let snake = json!({"alternatives": [{"transcript": "good day", "confidence": "0.5", "words": [
        {"start_time": "0s", "end_time": "1.500s", "word": "good", "speaker_tag": 0, "speaker_label": ""},
        {"start_time": {"seconds": "1", "nanos": 5e8}, "end_time": {"seconds": 2}, "word": "day"}]}],
        "channel_tag": 2.0, "result_end_time": "2s", "language_code": "en-gb"});
    // Version 2 counts from the beginning of the file.
    let two = json!({"alternatives": [{"transcript": "good day", "confidence": 0.5, "words": [
        {"startOffset": "0s", "endOffset": "1.500s", "word": "good"}, {"startOffset": "1.500s", "endOffset": "2s", "word": "day"}]}],
        "channelTag": 2, "resultEndOffset": "2s", "languageCode": "en-gb"});
    let v1 = json!({"@type": "type.googleapis.com/google.cloud.speech.v1.LongRunningRecognizeResponse",
        "results": [result], "totalBilledTime": "15s", "requestId": "7"});
    let v2 = json!({"results": [two], "metadata": {"totalBilledDuration": "15s"}});
    for (shape, file) in [
        ("snake_case", json!({"results": [snake]})),
        (
            "an operation",
            json!({"name": "7", "metadata": {"@type": "x", "progressPercent": 100}, "done": true, "response": v1}),
        ),
        ("the file of a batch", v2.clone()),
        (
            "a map",
            json!({"results": {"gs://b/1.wav": {"transcript": v2, "metadata": {}, "error": {"code": 0}}}, "totalBilledDuration": "15s"}),
        ),
        (
            "inline",
            json!({"results": {"gs://b/1.wav": {"uri": "", "inlineResult": {"transcript": v2, "vttCaptions": "WEBVTT"}}}}),
        ),
        (
            "inline in snake_case",
            json!({"response": {"results": {"a": {"inline_result": {"transcript": {"results": [snake]}}}},
            "total_billed_duration": "15s"}, "error": null}),
        ),
    ] {
        let read = read(file.to_string().as_bytes()).unwrap_or_else(|why| panic!("{shape}: {why}"));
        assert_eq!(read.transcript.transcript_segments, wanted, "{shape}");
        assert_eq!(read.ignored, Ignored::default(), "{shape}");
    }
}

#[test]
fn p26_speakers_that_were_told_apart_have_a_segment_for_each_change() {
    // Version 1: the last result repeats all words, with the speakers.
    let words = |speakers: [i32; 4]| -> Vec<Value> {
        let texts = ["good", "day", "who", "speaks"];
        texts
            .iter()
            .zip(0..)
            .zip(speakers)
            .map(|((text, second), speaker)| word(text, second, &json!(speaker)))
            .collect()
    };
    let all = words([0, 0, 0, 0]);
    let one = json!({"results": [
        {"alternatives": [{"transcript": "good day", "words": all[..2]}], "languageCode": "en-us"},
        {"alternatives": [{"transcript": " who speaks", "words": all[2..]}], "languageCode": "en-us"},
        {"alternatives": [{"words": words([2, 2, 1, 1])}]},
    ]});
    let two_speakers = [(2, "good day".to_owned()), (1, "who speaks".to_owned())];
    assert_eq!(said(&one), two_speakers);
    assert_eq!(segments(&one)[1].words[0].start_offset, Some(Duration { seconds: 2, nanos: 0 }));
    // The same where the results before had speakers too, as they were known by then.
    let mut told = one.clone();
    told["results"][0]["alternatives"][0]["words"] = json!(words([1, 1, 1, 1])[..2]);
    assert_eq!(said(&told), two_speakers);
    // Version 2: each result has its own, by label.
    let label = |text: &str, second: u32, label: &str| json!({"word": text, "startOffset": format!("{second}s"), "endOffset": format!("{}s", second + 1), "speakerLabel": label});
    let two = json!({"results": [
        {"alternatives": [{"transcript": "Good day. Who speaks?", "words": [
            label("Good", 0, "2"), label("day.", 1, "2"), label("Who", 2, "1"), label("speaks?", 3, "1")]}]},
        {"alternatives": [{"transcript": "Hello?", "words": [label("Hello?", 4, "1")]}]},
        {"alternatives": [{"transcript": "Me!", "words": [label("Me!", 5, "2")]}]},
    ]});
    assert_eq!(said(&two), [(2, "Good day.".into()), (1, "Who speaks? Hello?".into()), (2, "Me!".into())]);
    // Labels that are no numbers are counted.
    let named = json!({"results": [{"alternatives": [{"words": [label("a", 0, "spk_x"), label("b", 1, "spk_y"), label("c", 2, "spk_x")]}]}]});
    assert_eq!(said(&named), [(1, "a".into()), (2, "b".into()), (1, "c".into())]);
    // A call of two channels keeps them.
    let stereo = json!({"results": [
        {"alternatives": [{"transcript": "a", "words": [word("a", 0, &json!(1))]}], "channelTag": 1},
        {"alternatives": [{"transcript": "b", "words": [word("b", 1, &json!(1))]}], "channelTag": 2},
    ]});
    assert_eq!(said(&stereo), [(1, "a".into()), (2, "b".into())]);
}

#[test]
fn p26_unknown_keys_are_left_out_and_counted() {
    let file = json!({"version": 3, "entries": [
        {"text": "a", "mood": 1, "role": "AGENT"}, {"text": "b", "mood": 2, "temper": {"deep": 1}}]});
    let made = read(file.to_string().as_bytes()).unwrap();
    assert_eq!((made.ignored.count(), made.transcript.transcript_segments.len()), (4, 2));
    assert_eq!(made.ignored.to_string(), "entries[0].mood, entries[1].mood, entries[1].temper, …");
    let file = json!({"results": [{"alternatives": [{"transcript": "a", "words": [{"word": "a", "pitch": 1}], "x": 1}], "y": 1}]});
    assert_eq!(read(file.to_string().as_bytes()).unwrap().ignored.count(), 3);
}

#[test]
fn a_bad_file_says_what_is_wrong_and_where() {
    for (bad, why) in [
        ("", "EOF"),
        ("[]", "not a transcript: [] is not an object"),
        ("{}", "`entries`"),
        ("null", "null is not an object"),
        (r#"{"entries": [], "results": []}"#, "both"),
        (r#"{"entries": []}"#, "no entries"),
    ] {
        let error = parse(bad.as_bytes()).unwrap_err();
        assert!(error.contains(why), "{bad}: {error}");
    }
    assert!(parse(b"\xff\xfe{\0}\0").unwrap_err().contains("UTF-16"));
    let entry = |entry: Value| json!({"entries": [{"text": "a"}, entry]});
    let word = |word: Value| json!({"results": [{"alternatives": [{"words": [word]}]}]});
    let at = "results[0].alternatives[0].words[0]";
    for (bad, why) in [
        (entry(json!({"role": "AGENT"})), "entries[1].text: is missing".to_owned()),
        (entry(json!({"text": 7})), "entries[1].text: 7 is not a string".into()),
        (
            entry(json!({"text": "a", "role": "BOSS"})),
            "entries[1].role: \"BOSS\" is not one of AGENT, AUTOMATED_AGENT, CUSTOMER, END_USER".into(),
        ),
        (
            entry(json!({"text": "a", "startTimestampUsec": 1.5})),
            "entries[1].start_timestamp_usec: 1.5 is not an integer".into(),
        ),
        (
            entry(json!({"text": "a", "start_timestamp_usec": -1})),
            "entries[1].start_timestamp_usec: -1 is not a time in microseconds since 1970".into(),
        ),
        (entry(json!({"text": "a", "user_id": [1]})), "entries[1].user_id: [1] is not an integer".into()),
        (
            entry(json!({"text": "a", "user_id": 1, "userId": 1})),
            "entries[1].user_id: is given twice, in both spellings".into(),
        ),
        (entry(json!(null)), "entries[1]: null is not an object".into()),
        (json!({"entries": {}}), "entries: {} is not a list".into()),
        (json!({"results": 1}), "results: 1 is not a list".into()),
        (
            json!({"results": [{"channelTag": 1e10}]}),
            "results[0].channelTag: 10000000000 has more than 32 bits".into(),
        ),
        (
            word(json!({"word": "a", "start_time": "x"})),
            format!("{at}.startTime: \"x\" is not a duration like \"1.5s\""),
        ),
        (
            word(json!({"word": "a", "endOffset": 3})),
            format!("{at}.endOffset: 3 is not a duration like \"1.5s\""),
        ),
        (
            word(json!({"word": "a", "confidence": "high"})),
            format!("{at}.confidence: \"high\" is not a number"),
        ),
        (
            json!({"name": "7", "done": false}),
            "not a transcript: it needs either `entries` (a chat) or `results` (a call)".into(),
        ),
        (
            json!({"error": {"code": 3, "message": "bad audio"}}),
            "error: the operation that was to recognise it failed: bad audio".into(),
        ),
        (
            json!({"results": {"a": {}, "b": {}}}),
            "results: a transcript is of one file, and here are 2".into(),
        ),
        (
            json!({"results": {"a": {"error": {"code": 3, "message": "no"}}}}),
            "results[\"a\"].error: it was not recognised: no".into(),
        ),
        (
            json!({"results": {"a": {"cloudStorageResult": {"uri": "gs://b/r.json"}}}}),
            "results[\"a\"].inlineResult: is missing: it is in gs://b/r.json".into(),
        ),
    ] {
        assert_eq!(error(&bad), why, "{bad}");
    }
}
