//! What a credentials file has to hold, checked before a backend sees it: pure functions. What they say shows nothing of
//! what is secret in it.

use serde_json::{Map, Value};

/// The types that a file can have, and what each must hold as text.
const TYPES: [(&str, &[&str]); 4] = [
    ("service_account", &["client_email", "private_key"]),
    ("authorized_user", &["client_id", "client_secret", "refresh_token"]),
    ("external_account", &["audience", "subject_token_type", "token_url"]),
    ("impersonated_service_account", &["service_account_impersonation_url"]),
];
/// Types that Google's tools write, and that no backend reads.
const UNSUPPORTED: [(&str, &str); 2] = [
    (
        "external_account_authorized_user",
        "the log-in of a workforce pool; use a file of the type `external_account`, by `gcloud iam workforce-pools \
         create-cred-config`, or fetch tokens yourself, by `Credentials::from_source`",
    ),
    (
        "gdch_service_account",
        "an account of Google Distributed Cloud; fetch tokens yourself, by `Credentials::from_source`",
    ),
];
/// No type of credentials has a longer name.
const LONGEST_TYPE: usize = 50;

/// Says what is wrong with the file's document, if anything is.
pub(super) fn check(document: &Value) -> Result<(), String> {
    let Value::Object(file) = document else {
        return Err(match document {
            Value::String(text) if text.trim_start().starts_with('{') => {
                "is JSON that was quoted once more; take the quotes and backslashes around it away"
            }
            _ => "is JSON, but not an object; download it anew",
        }
        .to_owned());
    };
    let fields = match file.get("type") {
        Some(Value::String(kind)) => fields(kind)?,
        Some(_) => return Err("has a `type` that is not text; download it anew".to_owned()),
        None => return Err(without_type(file)),
    };
    for field in fields {
        match file.get(*field) {
            Some(Value::String(text)) if !text.is_empty() => {}
            Some(_) => {
                return Err(format!("has a `{field}` that is not text, or is empty; download it anew"));
            }
            None => return Err(format!("lacks `{field}`; download it anew")),
        }
    }
    if let Some(Value::String(key)) = file.get("private_key") {
        check_key(key)?;
    }
    match file.get("source_credentials") {
        Some(source) => check(source).map_err(|mistake| format!("has `source_credentials`; that {mistake}")),
        None => Ok(()),
    }
}

/// What a file of this type must hold.
fn fields(kind: &str) -> Result<&'static [&'static str], String> {
    if let Some((_, fields)) = TYPES.iter().find(|(known, _)| *known == kind) {
        return Ok(fields);
    }
    if let Some((_, advice)) = UNSUPPORTED.iter().find(|(known, _)| *known == kind) {
        return Err(format!("has the type `{kind}`, which is not supported: it is {advice}"));
    }
    let is_name =
        kind.len() <= LONGEST_TYPE && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let shown = if is_name { format!("the unknown type `{kind}`") } else { "an unknown type".to_owned() };
    let known: Vec<_> = TYPES.iter().map(|(known, _)| *known).collect();
    Err(format!("has {shown}; known are {}", known.join(", ")))
}

fn without_type(file: &Map<String, Value>) -> String {
    if file.contains_key("installed") || file.contains_key("web") {
        return "is an OAuth client, not credentials; log in with it: `gcloud auth application-default login \
                --client-id-file=FILE`"
            .to_owned();
    }
    "has no `type`, so that it is not a credentials file; download it anew".to_owned()
}

/// Says what is usually wrong with a private key; the backends say the rest.
fn check_key(key: &str) -> Result<(), String> {
    const BEGIN: &str = "-----BEGIN ";
    let Some((_, rest)) = key.split_once(BEGIN) else {
        return Err(
            "has a private key that does not begin with `-----BEGIN PRIVATE KEY-----`; download it anew"
                .to_owned(),
        );
    };
    if key.contains("\\n") {
        return Err("has a private key with a backslash and an `n` where line breaks belong: they were escaped twice; \
                    write `\\n` where the file has `\\\\n`, or download it anew"
            .to_owned());
    }
    if rest.starts_with("ENCRYPTED ") {
        return Err(
            "has a private key that is encrypted, which Google's are not; download it anew".to_owned()
        );
    }
    if !key.trim().contains('\n') {
        return Err(
            "has a private key without line breaks; write `\\n` where they belong, or download it anew"
                .to_owned(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(private_key: &str) -> Value {
        json!({"type": "service_account", "client_email": "a@b", "private_key": private_key})
    }

    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----\n";

    #[test]
    fn what_the_backends_can_read_passes() {
        let user =
            json!({"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"});
        let external = json!({
            "type": "external_account", "audience": "a", "subject_token_type": "t", "token_url": "u",
            "credential_source": {"file": "f"},
        });
        let impersonated = json!({
            "type": "impersonated_service_account", "service_account_impersonation_url": "u",
            "source_credentials": user,
        });
        for file in [key(KEY), key(&KEY.replace('\n', "\r\n")), user, external, impersonated] {
            assert_eq!(check(&file), Ok(()), "{file}");
        }
    }

    #[test]
    fn mistakes_are_named_with_what_to_do() {
        let without = |mut file: Value, field: &str| {
            file.as_object_mut().unwrap().remove(field);
            file
        };
        let cases = [
            (key(&KEY.replace('\n', "\\n")), "escaped twice; write `\\n` where the file has `\\\\n`"),
            (key(&KEY.replace('\n', " ")), "without line breaks"),
            (key(&KEY.replace("PRIVATE", "ENCRYPTED PRIVATE")), "is encrypted"),
            (key("planted"), "does not begin with `-----BEGIN PRIVATE KEY-----`"),
            (key(""), "`private_key` that is not text, or is empty"),
            (without(key(KEY), "client_email"), "lacks `client_email`"),
            (json!({"type": "authorized_user", "client_id": 1}), "has a `client_id` that is not text"),
            (
                json!({"type": "external_account_authorized_user"}),
                "not supported: it is the log-in of a workforce pool",
            ),
            (json!({"type": "gdch_service_account"}), "not supported"),
            (
                json!({"type": "new_kind", "x": "planted"}),
                "the unknown type `new_kind`; known are service_account, ",
            ),
            (json!({"type": "Planted 1"}), "has an unknown type;"),
            (json!({"type": 1}), "`type` that is not text"),
            (json!({"installed": {"client_secret": "planted"}}), "is an OAuth client"),
            (json!({"x": "planted"}), "has no `type`"),
            (json!(["planted"]), "is JSON, but not an object"),
            (
                json!({
                    "type": "impersonated_service_account", "service_account_impersonation_url": "u",
                    "source_credentials": {"type": "external_account_authorized_user"},
                }),
                "has `source_credentials`; that has the type `external_account_authorized_user`",
            ),
        ];
        for (file, words) in cases {
            let mistake = check(&file).unwrap_err();
            assert!(mistake.contains(words), "{mistake}");
            assert!(!mistake.to_lowercase().contains("planted"), "{mistake}");
        }
    }
}
