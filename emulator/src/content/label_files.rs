//! Feedback label files, in CSV and in JSON.
//!
//! JSON is the resource as the API prints it: one to a file, or one to a line. CSV has a header; which columns there
//! are is this emulator's choice, and what it writes it reads.

use contact_center_insights::json::{JsonError, Reader};
use contact_center_insights::proto::insights::FeedbackLabel;
use contact_center_insights::proto::insights::feedback_label::LabelType;
use contact_center_insights::proto::insights::qa_answer::{AnswerValue, answer_value};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor, SerializeOptions};
use serde::{Deserialize, Serialize};

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Json,
}

/// How JSON is written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Style {
    /// In many lines, with space.
    pub(crate) spacious: bool,
    /// With the fields that are not set.
    pub(crate) whole: bool,
}

/// A label of a file: as it is there, without checks against anything else. One without a name of its own has that of
/// its conversation.
pub(crate) type Row = Result<FeedbackLabel, String>;

/// Reads a file. A label that is wrong does not keep the others from being read.
///
/// # Errors
/// If the file as such cannot be read: what is wrong with it.
pub(crate) fn parse(format: Format, bytes: &[u8]) -> Result<Vec<Row>, String> {
    match format {
        Format::Csv => parse_csv(bytes),
        Format::Json => parse_json(bytes),
    }
}

/// One row of CSV.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Record {
    conversation: String,
    name: String,
    labeled_resource: String,
    label: String,
    qa_answer_key: String,
    qa_answer_value: String,
    create_time: String,
    update_time: String,
}

fn parse_csv(bytes: &[u8]) -> Result<Vec<Row>, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(|error| format!("not CSV: {error}"))?.clone();
    let has = |column: &str| header.iter().any(|found| found == column);
    if !has("labeled_resource") || !(has("name") || has("conversation")) {
        return Err(
            "not a file of feedback labels: the header needs the column `labeled_resource`, and `name` or \
                    `conversation`"
                .into(),
        );
    }
    let rows = reader.deserialize::<Record>().enumerate().map(|(index, record)| {
        // The header is the first line.
        record
            .map_err(|error| error.to_string())
            .and_then(from_record)
            .map_err(|why| format!("row {}: {why}", index + 2))
    });
    Ok(rows.collect())
}

fn from_record(record: Record) -> Row {
    let answered = !record.qa_answer_key.is_empty() || !record.qa_answer_value.is_empty();
    let label_type = match (record.label.is_empty(), answered) {
        (false, false) => LabelType::Label(record.label),
        (true, true) => {
            let value = (!record.qa_answer_value.is_empty()).then(|| read_value(record.qa_answer_value));
            LabelType::QaAnswerLabel(AnswerValue {
                key: record.qa_answer_key,
                value,
                ..AnswerValue::default()
            })
        }
        _ => return Err("needs either `label`, or `qa_answer_key` or `qa_answer_value`".into()),
    };
    let name = if record.name.is_empty() { record.conversation } else { record.name };
    Ok(FeedbackLabel {
        name,
        labeled_resource: record.labeled_resource,
        label_type: Some(label_type),
        ..FeedbackLabel::default()
    })
}

fn read_value(text: String) -> answer_value::Value {
    match text.as_str() {
        "N/A" => answer_value::Value::NaValue(true),
        "true" => answer_value::Value::BoolValue(true),
        "false" => answer_value::Value::BoolValue(false),
        number => match number.parse() {
            Ok(number) => answer_value::Value::NumValue(number),
            Err(_) => answer_value::Value::StrValue(text),
        },
    }
}

fn parse_json(bytes: &[u8]) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for (index, value) in
        serde_json::Deserializer::from_slice(bytes).into_iter::<serde_json::Value>().enumerate()
    {
        let value = value.map_err(|error| format!("not JSON: {error}"))?;
        let values = match value {
            serde_json::Value::Array(values) => values,
            one => vec![one],
        };
        for value in values {
            rows.push(from_json(&value).map_err(|error| format!("label {}: {}", index + 1, whole(&error))));
        }
    }
    Ok(rows)
}

/// Reads a label. Fields that the REST API has and gRPC lacks are left out with a warning.
fn from_json(value: &serde_json::Value) -> Result<FeedbackLabel, JsonError> {
    let read = Reader::new().ignore_unknown(true).message(value)?;
    for skipped in read.skipped {
        if !skipped.is_rest_only {
            return Err(skipped.into());
        }
        tracing::warn!(path = %skipped.path, "a field that gRPC lacks is left out of a feedback label");
    }
    Ok(read.value)
}

/// An error with all that it is because of.
fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// Prints labels, at most `per_file` to a file.
///
/// # Errors
/// If a label cannot be printed, such as one of the year 10000.
pub(crate) fn print(
    format: Format,
    labels: &[FeedbackLabel],
    descriptor: &MessageDescriptor,
    style: Style,
    per_file: usize,
) -> Result<Vec<Vec<u8>>, String> {
    labels
        .chunks(per_file.max(1))
        .map(|labels| match format {
            Format::Csv => print_csv(labels),
            Format::Json => print_json(labels, descriptor, style),
        })
        .collect()
}

fn print_csv(labels: &[FeedbackLabel]) -> Result<Vec<u8>, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for label in labels {
        writer.serialize(to_record(label)).map_err(|error| error.to_string())?;
    }
    writer.into_inner().map_err(|error| error.to_string())
}

fn to_record(label: &FeedbackLabel) -> Record {
    let time = |time: Option<prost_types::Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    let mut record = Record {
        conversation: label.name.split("/feedbackLabels/").next().unwrap_or_default().to_owned(),
        name: label.name.clone(),
        labeled_resource: label.labeled_resource.clone(),
        create_time: time(label.create_time),
        update_time: time(label.update_time),
        ..Record::default()
    };
    // A template has the conversation alone.
    if record.name == record.conversation {
        record.name.clear();
    }
    match &label.label_type {
        Some(LabelType::Label(text)) => record.label.clone_from(text),
        Some(LabelType::QaAnswerLabel(answer)) => {
            record.qa_answer_key.clone_from(&answer.key);
            record.qa_answer_value = match &answer.value {
                Some(answer_value::Value::StrValue(text)) => text.clone(),
                Some(answer_value::Value::NumValue(number)) => number.to_string(),
                Some(answer_value::Value::BoolValue(flag)) => flag.to_string(),
                Some(answer_value::Value::NaValue(_)) => "N/A".to_owned(),
                None => String::new(),
            };
        }
        None => {}
    }
    record
}

fn print_json(
    labels: &[FeedbackLabel],
    descriptor: &MessageDescriptor,
    style: Style,
) -> Result<Vec<u8>, String> {
    let mut file = Vec::new();
    let options = SerializeOptions::new().skip_default_fields(!style.whole);
    for label in labels {
        let message = DynamicMessage::decode(descriptor.clone(), label.encode_to_vec().as_slice());
        let message = message.map_err(|error| error.to_string())?;
        let written = if style.spacious {
            message.serialize_with_options(&mut serde_json::Serializer::pretty(&mut file), &options)
        } else {
            message.serialize_with_options(&mut serde_json::Serializer::new(&mut file), &options)
        };
        written.map_err(|error| error.to_string())?;
        file.push(b'\n');
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::tests::descriptor;

    fn label(id: u8, label_type: LabelType) -> FeedbackLabel {
        FeedbackLabel {
            name: format!("projects/p/locations/l/conversations/c/feedbackLabels/{id}"),
            labeled_resource: "projects/p/locations/l/issueModels/m".into(),
            label_type: Some(label_type),
            ..FeedbackLabel::default()
        }
    }

    fn labels() -> Vec<FeedbackLabel> {
        let answer = |key: &str, value| {
            LabelType::QaAnswerLabel(AnswerValue { key: key.into(), value, ..AnswerValue::default() })
        };
        vec![
            label(1, LabelType::Label("a \"quoted\", label".into())),
            label(2, answer("yes", None)),
            label(3, answer("", Some(answer_value::Value::NumValue(2.5)))),
            label(4, answer("k", Some(answer_value::Value::BoolValue(false)))),
            label(5, answer("", Some(answer_value::Value::NaValue(true)))),
            label(6, answer("", Some(answer_value::Value::StrValue("é, ü".into())))),
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        let descriptor = descriptor("FeedbackLabel");
        for format in [Format::Csv, Format::Json] {
            for per_file in [1, 4, 100] {
                for style in [Style::default(), Style { spacious: true, whole: true }] {
                    let files = print(format, &labels(), &descriptor, style, per_file).unwrap();
                    assert_eq!(files.len(), 6_usize.div_ceil(per_file));
                    let rows = files.iter().flat_map(|file| parse(format, file).unwrap());
                    assert_eq!(
                        rows.collect::<Result<Vec<_>, _>>().unwrap(),
                        labels(),
                        "{format:?} {per_file}"
                    );
                }
            }
        }
    }

    #[test]
    fn one_bad_row_leaves_the_others() {
        let csv = b"conversation,labeled_resource,label,qa_answer_key\nc,m,x,\nc,m,,\nc,m,x,y\nc,m,,k\nc,m\n";
        let rows = parse(Format::Csv, csv).unwrap();
        assert_eq!(rows.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false, true, false]);
        assert!(rows[1].as_ref().unwrap_err().starts_with("row 3: needs either"), "{rows:?}");
        assert_eq!(rows[0].as_ref().unwrap().name, "c");
        let rows = parse(Format::Json, b"{\"label\": \"x\"}\n[{\"color\": 1}, {\"label\": \"y\"}]").unwrap();
        assert_eq!(rows.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
        assert!(rows[1].as_ref().unwrap_err().contains("color"), "{rows:?}");
    }

    #[test]
    fn a_file_that_is_none_is_refused() {
        for (format, bytes, why) in [
            (Format::Csv, "a,b\n1,2\n", "labeled_resource"),
            (Format::Csv, "", "labeled_resource"),
            (Format::Json, "{\"label\":", "not JSON"),
        ] {
            assert!(parse(format, bytes.as_bytes()).unwrap_err().contains(why), "{bytes}");
        }
    }

    #[test]
    fn json_is_printed_as_asked() {
        let descriptor = descriptor("FeedbackLabel");
        let one = &[FeedbackLabel { labeled_resource: String::new(), ..labels().remove(0) }];
        let text = |style| {
            String::from_utf8(print(Format::Json, one, &descriptor, style, 1).unwrap().remove(0)).unwrap()
        };
        assert_eq!(text(Style::default()).lines().count(), 1);
        assert!(text(Style { spacious: true, ..Style::default() }).lines().count() > 3);
        assert!(text(Style { whole: true, ..Style::default() }).contains("labeledResource"));
        assert!(!text(Style::default()).contains("labeledResource"));
    }
}
