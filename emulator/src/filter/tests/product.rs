//! The product's own terms for operations and for feedback labels.

use super::*;

fn operation<T: Message + prost::Name>(metadata: &T, result: Option<Outcome>) -> Operation {
    Operation {
        name: "projects/p/locations/l/operations/1".into(),
        metadata: Some(any::pack(metadata)),
        done: result.is_some(),
        result,
    }
}

#[test]
fn the_documented_terms_for_operations() {
    let metadata = BulkAnalyzeConversationsMetadata { create_time: Some(time(100)), ..Default::default() };
    let failed = Outcome::Error(rpc::Status { code: 10, ..rpc::Status::default() });
    check(
        "google.longrunning.Operation",
        &operation(&metadata, Some(failed)),
        &[
            r#"metadata.operation_type="BulkAnalyzeConversations""#,
            r#"metadata.operation_type!="CreateAnalysis""#,
            r#"metadata.create_time>"1970-01-01T00:01:39Z" metadata.create_time<="1970-01-01T00:01:40Z""#,
            r#"done="true""#,
            r"done=true",
            r#"status_code="10""#,
            r#"status_code="ABORTED""#,
            r#"status_code!="0""#,
            r#"-metadata.conversation_id:"*""#,
        ],
        &[
            r#"done="false""#,
            r#"status_code="0""#,
            r#"status_code!="ABORTED""#,
            r#"metadata.conversation_id!="x""#,
        ],
    );
    let succeeded = Outcome::Response(any::pack(&Conversation {
        name: "a/conversations/c9".into(),
        ..Conversation::default()
    }));
    let upload = UploadConversationMetadata::default();
    check(
        "google.longrunning.Operation",
        &operation(&upload, Some(succeeded)),
        &[r#"status_code="0""#, r#"status_code!="ABORTED""#, r#"metadata.conversation_id="c9""#],
        &[r#"metadata.create_time:"*""#],
    );
    let asked = UploadConversationMetadata {
        request: Some(UploadConversationRequest { conversation_id: "mine".into(), ..Default::default() }),
        ..UploadConversationMetadata::default()
    };
    check(
        "google.longrunning.Operation",
        &operation(&asked, None),
        &[
            r#"metadata.conversation_id="mine""#,
            r#"metadata.operation_type="UploadConversation""#,
            r#"done="false""#,
        ],
        &[r#"status_code="0""#, r#"status_code!="ABORTED""#],
    );
    let analysis = CreateAnalysisOperationMetadata {
        conversation: "projects/p/locations/l/conversations/some_conversation_id".into(),
        ..Default::default()
    };
    check(
        "google.longrunning.Operation",
        &operation(&analysis, None),
        &[
            r#"metadata.conversation_id="some_conversation_id""#,
            r#"metadata.operation_type="CreateAnalysis""#,
        ],
        &[r#"metadata.operation_type="CreateAnalysisOperation""#],
    );
}

#[test]
fn the_documented_terms_for_feedback_labels() {
    let topic = FeedbackLabel {
        labeled_resource: "projects/p/locations/l/issueModels/5/issues/6".into(),
        create_time: Some(time(100)),
        update_time: Some(time(200)),
        label_type: Some(LabelType::Label("x".into())),
        ..FeedbackLabel::default()
    };
    check(
        "FeedbackLabel",
        &topic,
        &[
            r#"issue_model_id="5""#,
            r#"min_create_time="1970-01-01T00:01:40Z" max_create_time="1970-01-01T00:01:40Z""#,
            r#"max_update_time="1970-01-01T00:03:20Z""#,
            r#"feedback_label_type="TOPIC_MODELING""#,
            r#"qa_question_id="1" OR issue_model_id="5""#,
        ],
        &[
            r#"issue_model_id="6""#,
            r#"min_update_time="1970-01-01T00:03:21Z""#,
            r#"qa_question_id:"*""#,
            r#"feedback_label_type="QUALITY_AI""#,
        ],
    );
    let quality = FeedbackLabel {
        labeled_resource: "projects/p/locations/l/qaScorecards/s/revisions/r/qaQuestions/q".into(),
        label_type: Some(LabelType::QaAnswerLabel(qa_answer::AnswerValue::default())),
        ..FeedbackLabel::default()
    };
    check(
        "FeedbackLabel",
        &quality,
        &[r#"qa_question_id="q" qa_scorecard_id="s""#, r#"feedback_label_type="QUALITY_AI""#],
        &[r#"issue_model_id="5""#, r#"min_create_time="1970-01-01T00:01:40Z""#],
    );
}
