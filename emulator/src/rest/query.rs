//! Query parameters: those of the system, and those that are fields of the request.

use contact_center_insights::json::Enums;
use contact_center_insights::{Code, Status};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Number, Value};

use super::escapes;
use super::reply::JsonStyle;
use crate::errors;

/// Parameters that every Google API takes, and that change nothing here. Each may begin with `$` as well.
const IGNORED: [&str; 9] = [
    "access_token",
    "apiKey",
    "callback",
    "key",
    "oauth_token",
    "quotaUser",
    "upload_protocol",
    "uploadType",
    ".xgafv",
];

/// The parameters of one request, decoded.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) style: JsonStyle,
    /// Which fields of the answer are wanted; empty for all.
    pub(super) selection: String,
    fields: Vec<(String, String)>,
}

impl Query {
    /// Splits and decodes; `+` is a space. A semicolon separates nothing: `$alt=json;enum-encoding=int` is one.
    pub(super) fn read(query: &str) -> Result<Self, Status> {
        let mut read = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (decode(key)?, decode(value)?);
            match key.strip_prefix('$').unwrap_or(&key) {
                "alt" => read.style.enums = read_alt(&value)?,
                "fields" => read.selection = value,
                "prettyPrint" => read.style.compact = matches!(value.as_str(), "false" | "0"),
                name if IGNORED.contains(&name) => {}
                _ => read.fields.push((key, value)),
            }
        }
        Ok(read)
    }

    /// The parameters of a request that the REST API has and gRPC lacks.
    pub(super) fn rest_only(&self, input: &MessageDescriptor) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(key, _)| key.as_str()).filter(|key| is_rest_only(input, key))
    }

    /// The fields of `input` that are given, as JSON. What the body or the path binds cannot be given here too.
    pub(super) fn fields(
        &self,
        input: &MessageDescriptor,
        body: &str,
        path: &[&str],
    ) -> Result<Map<String, Value>, Status> {
        let mut fields = Map::new();
        for (key, value) in self.fields.iter().filter(|(key, _)| !is_rest_only(input, key)) {
            let steps = resolve(input, key).ok_or_else(|| bad(key, "is not a field of the request"))?;
            let full = steps.iter().map(FieldDescriptor::name).collect::<Vec<_>>().join(".");
            let bound = body == "*" || full.split('.').next() == Some(body) || path.contains(&full.as_str());
            if bound {
                return Err(bad(key, "is bound by the body or the path, and cannot be a query parameter"));
            }
            let Some(field) = steps.last() else { continue };
            if let Some(value) = leaf(field, value).map_err(|why| bad(key, &why))? {
                let names: Vec<&str> = steps.iter().map(FieldDescriptor::json_name).collect();
                let value = if field.is_list() { Value::Array(vec![value]) } else { value };
                if !place(&mut fields, &names, value) {
                    return Err(bad(key, "is given more than once"));
                }
            }
        }
        Ok(fields)
    }
}

/// Whether the REST API has a parameter that the request lacks: updates, and the list of scorecards, have one each.
fn is_rest_only(input: &MessageDescriptor, key: &str) -> bool {
    match key {
        "allowMissing" => input.name().starts_with("Update"),
        "qaScorecardSources" => input.name() == "ListQaScorecardsRequest",
        _ => false,
    }
}

/// Puts a value where `names` lead; lists grow. `false` if another value is there already.
pub(super) fn place(fields: &mut Map<String, Value>, names: &[&str], value: Value) -> bool {
    match names {
        [] => false,
        [name] => match (fields.get_mut(*name), value) {
            (None, value) => fields.insert((*name).to_owned(), value).is_none(),
            (Some(Value::Array(list)), Value::Array(more)) => {
                list.extend(more);
                true
            }
            _ => false,
        },
        [name, rest @ ..] => {
            let inner = fields.entry(*name).or_insert_with(|| Value::Object(Map::new()));
            inner.as_object_mut().is_some_and(|inner| place(inner, rest, value))
        }
    }
}

fn decode(text: &str) -> Result<String, Status> {
    let spaced = text.replace('+', " ");
    escapes::decode(&spaced).ok_or_else(|| bad(text, "is not percent-encoded UTF-8"))
}

fn read_alt(value: &str) -> Result<Enums, Status> {
    match value {
        "" | "json" => Ok(Enums::Names),
        "json;enum-encoding=int" => Ok(Enums::Numbers),
        other => Err(bad(
            "$alt",
            &format!("`{other}` is not served: only `json` and `json;enum-encoding=int` are"),
        )),
    }
}

/// The refusal of a parameter.
pub(super) fn bad(parameter: &str, why: &str) -> Status {
    let message = format!("query parameter `{parameter}` {why}");
    errors::with_reason(
        Code::InvalidArgument,
        "INVALID_QUERY_PARAMETER",
        message,
        &[("parameter", parameter)],
    )
}

/// The fields on the way to a dotted one, each by its name in the proto or in JSON.
fn resolve(input: &MessageDescriptor, key: &str) -> Option<Vec<FieldDescriptor>> {
    let mut message = Some(input.clone());
    let mut steps = Vec::new();
    for name in key.split('.') {
        let inside = message.take()?;
        let field = inside.get_field_by_name(name).or_else(|| inside.get_field_by_json_name(name))?;
        if let (Kind::Message(inner), false) = (field.kind(), field.is_list() || field.is_map()) {
            message = Some(inner);
        }
        steps.push(field);
    }
    Some(steps)
}

/// The JSON of one value; `None` for an empty one, which stands for the default.
fn leaf(field: &FieldDescriptor, text: &str) -> Result<Option<Value>, String> {
    if field.is_map() {
        return Err("is a map, which cannot be a query parameter".to_owned());
    }
    let kind = field.kind();
    if text.is_empty() && !matches!(kind, Kind::String) {
        return Ok(None);
    }
    scalar(&kind, text).map(Some)
}

fn scalar(kind: &Kind, text: &str) -> Result<Value, String> {
    let not = |what: &str| format!("is `{text}`, which is not {what}");
    match kind {
        Kind::String | Kind::Bytes => Ok(Value::from(text)),
        Kind::Bool => text.parse::<bool>().map(Value::from).map_err(|_| not("`true` or `false`")),
        Kind::Double | Kind::Float => {
            let number = text.parse::<f64>().map_err(|_| not("a number"))?;
            Ok(Number::from_f64(number).map_or_else(|| Value::from(text), Value::Number))
        }
        Kind::Uint32 | Kind::Uint64 | Kind::Fixed32 | Kind::Fixed64 => {
            text.parse::<u64>().map(Value::from).map_err(|_| not("a whole number from zero up"))
        }
        Kind::Int32 | Kind::Int64 | Kind::Sint32 | Kind::Sint64 | Kind::Sfixed32 | Kind::Sfixed64 => {
            text.parse::<i64>().map(Value::from).map_err(|_| not("a whole number"))
        }
        Kind::Enum(values) => match text.parse::<i32>() {
            Ok(number) => Ok(Value::from(number)),
            Err(_) if values.get_value_by_name(text).is_some() => Ok(Value::from(text)),
            Err(_) => Err(not(&format!("a value of `{}`", values.full_name()))),
        },
        Kind::Message(message) => match message.full_name() {
            "google.protobuf.Timestamp" | "google.protobuf.Duration" => Ok(Value::from(text)),
            "google.protobuf.FieldMask" => Ok(Value::from(camel_paths(text))),
            name if name.starts_with("google.protobuf.") && name.ends_with("Value") => {
                let value = message.get_field_by_name("value").ok_or_else(|| not("a scalar"))?;
                scalar(&value.kind(), text)
            }
            _ => Err("is a message: name one of its fields, as in `a.b`".to_owned()),
        },
    }
}

/// Masks are in lowerCamelCase in JSON; `snake_case` is accepted.
fn camel_paths(mask: &str) -> String {
    let mut camel = String::with_capacity(mask.len());
    let mut characters = mask.chars().peekable();
    while let Some(character) = characters.next() {
        match characters.next_if(|next| character == '_' && next.is_ascii_lowercase()) {
            Some(next) => camel.push(next.to_ascii_uppercase()),
            None => camel.push(character),
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contract::{Contract, INSIGHTS};

    fn fields(method: &str, query: &str) -> Result<Value, Status> {
        let method = Contract::get().method(&format!("{INSIGHTS}/{method}")).unwrap();
        let binding = method.bindings.first().unwrap();
        let path = ["name", "parent", "conversation.name"];
        Query::read(query)?.fields(&method.input, &binding.body, &path).map(Value::Object)
    }

    #[test]
    fn r47_names_come_in_both_cases_and_enums_in_both_forms() {
        let wanted = json!({"pageSize": 7, "view": "FULL", "filter": "a b+c"});
        assert_eq!(fields("ListConversations", "page_size=7&view=FULL&filter=a+b%2Bc").unwrap(), wanted);
        assert_eq!(
            fields("ListConversations", "pageSize=7&view=2").unwrap(),
            json!({"pageSize": 7, "view": 2})
        );
    }

    #[test]
    fn r47_empty_values_are_defaults() {
        let given = fields("ListConversations", "pageToken=&pageSize=&view=&orderBy=&&filter").unwrap();
        assert_eq!(given, json!({"pageToken": "", "orderBy": "", "filter": ""}));
    }

    #[test]
    fn r47_masks_are_joined_by_commas() {
        let given = fields("UpdateConversation", "updateMask=agentId%2Cdata_source.gcs_source").unwrap();
        assert_eq!(given, json!({"updateMask": "agentId,dataSource.gcsSource"}));
    }

    #[test]
    fn r55_enum_encoding_has_three_spellings() {
        for query in [
            "$alt=json;enum-encoding=int",
            "%24alt=json%3Benum-encoding%3Dint",
            "$alt=json%3Benum-encoding=int",
            "alt=json;enum-encoding=int&prettyPrint=false",
        ] {
            assert_eq!(Query::read(query).unwrap().style.enums, Enums::Numbers, "{query}");
        }
        assert!(Query::read("alt=media").unwrap_err().message().contains("`media`"));
    }

    #[test]
    fn system_parameters_are_accepted() {
        assert_eq!(
            fields("ListConversations", "key=k&$fields=a&quotaUser=q&$.xgafv=2&uploadType=x&access_token=t")
                .unwrap(),
            json!({})
        );
    }

    #[test]
    fn r48_what_is_bound_elsewhere_is_refused() {
        for (method, query) in [
            ("GetConversation", "name=x"),
            ("CreateConversation", "conversation.agentId=1"),
            ("UploadConversation", "parent=x"),
        ] {
            assert!(fields(method, query).unwrap_err().message().contains("bound"), "{method}");
        }
    }

    #[test]
    fn bad_parameters_are_named() {
        for (query, why) in [
            ("colour=red", "`colour` is not a field"),
            ("pageSize.x=1", "`pageSize.x` is not a field"),
            ("pageSize=many", "`pageSize` is `many`"),
            ("view=LARGE", "ConversationView"),
            ("pageSize=1&page_size=2", "more than once"),
            ("filter=%FF", "UTF-8"),
            ("filter=%zz", "UTF-8"),
            ("filter=5%", "UTF-8"),
            ("%2=x", "UTF-8"),
        ] {
            let error = fields("ListConversations", query).unwrap_err();
            assert!(error.message().contains(why) && error.code() == Code::InvalidArgument, "{error}");
        }
        assert!(fields("CreateConversation", "conversationId=abcd").is_ok());
    }
}
