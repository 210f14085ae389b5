//! Issue models as files: the model and its issues as the API prints them, in one JSON object.

use std::collections::BTreeSet;

use contact_center_insights::json;
use contact_center_insights::proto::insights::{Issue, IssueModel};
use serde_json::{Value, json};

/// Prints a model with its issues.
///
/// # Errors
/// If something in them cannot be printed, such as a time in the year 10000.
pub(crate) fn print(model: &IssueModel, issues: &[Issue]) -> Result<Vec<u8>, String> {
    let issues = issues.iter().map(json::from_message).collect::<Result<Vec<_>, _>>();
    let model = json::from_message(model).map_err(|error| error.to_string())?;
    let file = json!({"issueModel": model, "issues": issues.map_err(|error| error.to_string())?});
    serde_json::to_vec_pretty(&file).map_err(|error| error.to_string())
}

/// Reads what [`print`] printed.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn parse(bytes: &[u8]) -> Result<(IssueModel, Vec<Issue>), String> {
    let file: Value = serde_json::from_slice(bytes).map_err(|error| format!("not JSON: {error}"))?;
    let model = file.get("issueModel").ok_or("no issue model: it needs `issueModel`, and `issues`")?;
    let model: IssueModel = json::to_message(model).map_err(|error| format!("`issueModel`: {error}"))?;
    if model.name.is_empty() {
        return Err("`issueModel` has no name".into());
    }
    let issues =
        file.get("issues").and_then(Value::as_array).ok_or("no issues: it needs the list `issues`")?;
    let issues = issues.iter().enumerate().map(|(index, issue)| {
        let issue: Issue = json::to_message(issue).map_err(|error| format!("`issues[{index}]`: {error}"))?;
        if issue.name.is_empty() { Err(format!("`issues[{index}]` has no name")) } else { Ok(issue) }
    });
    let issues = issues.collect::<Result<Vec<_>, String>>()?;
    let mut ids = BTreeSet::new();
    match issues.iter().find(|issue| !ids.insert(issue.name.rsplit('/').next())) {
        Some(twice) => Err(format!("two issues have the id of `{}`", twice.name)),
        None => Ok((model, issues)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read() {
        let model = IssueModel { name: "m".into(), issue_count: 2, ..IssueModel::default() };
        let issue = |id: &str| Issue {
            name: format!("m/issues/{id}"),
            sample_utterances: vec!["é".into()],
            ..Issue::default()
        };
        let issues = vec![issue("1"), issue("2")];
        let file = print(&model, &issues).unwrap();
        assert_eq!(parse(&file).unwrap(), (model, issues));
    }

    #[test]
    fn a_bad_file_says_what_is_wrong() {
        for (bad, why) in [
            ("{", "not JSON"),
            ("[]", "needs `issueModel`"),
            (r#"{"issueModel": {"name": "m"}}"#, "needs the list `issues`"),
            (r#"{"issueModel": {}, "issues": []}"#, "has no name"),
            (r#"{"issueModel": {"name": "m", "color": 1}, "issues": []}"#, "`issueModel`"),
            (r#"{"issueModel": {"name": "m"}, "issues": [{}]}"#, "`issues[0]`"),
            (
                r#"{"issueModel": {"name": "m"}, "issues": [{"name": "m/issues/1"}, {"name": "x/issues/1"}]}"#,
                "two issues",
            ),
        ] {
            let error = parse(bad.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }
}
