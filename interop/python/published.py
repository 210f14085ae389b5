"""The calls that Google's published Python snippets for this API make, each as a program: published.py NAME ARGUMENT...

The code is ours; what matters is that the client is made and called as it is there: with no argument at all, so that
the endpoint, its TLS and the credentials are the defaults. Prints what came back as JSON.
"""

import sys

from google.cloud import contact_center_insights_v1 as insights
from google.longrunning import operations_pb2  # noqa: F401  (registers the type)
from google.protobuf import duration_pb2, field_mask_pb2, json_format

LOCATION = "us-central1"
CHAT = "gs://cloud-samples-data/ccai/chat_sample.json"
VOICE = "gs://cloud-samples-data/ccai/voice_6912.txt"
# What the snippets wait for at most; the emulator takes its default profile.
DAY = 86_400


def parent(project):
    return insights.ContactCenterInsightsClient.common_location_path(project, LOCATION)


def settings_name(project):
    return insights.ContactCenterInsightsClient.settings_path(project, LOCATION)


def chat():
    conversation = insights.Conversation(medium=insights.Conversation.Medium.CHAT)
    conversation.data_source.gcs_source.transcript_uri = CHAT
    conversation.data_source.gcs_source.audio_uri = VOICE
    return conversation


def create_conversation(project):
    client = insights.ContactCenterInsightsClient()
    return client.create_conversation(parent=parent(project), conversation=chat())


def create_conversation_with_ttl(project):
    conversation = chat()
    conversation.ttl = duration_pb2.Duration(seconds=600)
    client = insights.ContactCenterInsightsClient()
    return client.create_conversation(parent=parent(project), conversation=conversation)


def create_analysis(conversation):
    client = insights.ContactCenterInsightsClient()
    return client.create_analysis(parent=conversation, analysis=insights.Analysis()).result(timeout=DAY)


def create_issue_model(project):
    model = insights.IssueModel(display_name="my-model", model_type="TYPE_V2")
    model.input_data_config.filter = 'medium="CHAT"'
    client = insights.ContactCenterInsightsClient()
    return client.create_issue_model(parent=parent(project), issue_model=model).result(timeout=DAY)


def rules(words, negated=False):
    group = insights.PhraseMatchRuleGroup(type_=insights.PhraseMatchRuleGroup.PhraseMatchRuleGroupType.ANY_OF)
    for word in words:
        config = insights.PhraseMatchRuleConfig(exact_match_config=insights.ExactMatchConfig())
        group.phrase_match_rules.append(insights.PhraseMatchRule(query=word, negated=negated, config=config))
    return group


def create_phrase_matcher_all_of(project):
    matcher = insights.PhraseMatcher(
        display_name="NON_SHIPPING_PHONE_SERVICE",
        type_=insights.PhraseMatcher.PhraseMatcherType.ALL_OF,
        active=True,
        phrase_match_rule_groups=[rules(["PHONE", "CELLPHONE"]), rules(["SHIPPING", "DELIVERY"], negated=True)],
    )
    client = insights.ContactCenterInsightsClient()
    return client.create_phrase_matcher(parent=parent(project), phrase_matcher=matcher)


def create_phrase_matcher_any_of(project):
    matcher = insights.PhraseMatcher(
        display_name="PHONE_SERVICE",
        type_=insights.PhraseMatcher.PhraseMatcherType.ANY_OF,
        active=True,
        phrase_match_rule_groups=[rules(["PHONE", "CELLPHONE"])],
    )
    client = insights.ContactCenterInsightsClient()
    return client.create_phrase_matcher(parent=parent(project), phrase_matcher=matcher)


def export_to_bigquery(project, dataset_project, dataset, table):
    request = insights.ExportInsightsDataRequest(parent=parent(project), filter='agent_id="007"')
    request.big_query_destination.project_id = dataset_project
    request.big_query_destination.dataset = dataset
    request.big_query_destination.table = table
    client = insights.ContactCenterInsightsClient()
    return client.export_insights_data(request=request).result(timeout=600_000)


def enable_pubsub_notifications(project, conversations, analyses):
    settings = insights.Settings(name=settings_name(project))
    settings.pubsub_notification_settings = {"create-conversation": conversations, "create-analysis": analyses}
    mask = field_mask_pb2.FieldMask(paths=["pubsub_notification_settings"])
    client = insights.ContactCenterInsightsClient()
    return client.update_settings(settings=settings, update_mask=mask)


def get_operation(name):
    client = insights.ContactCenterInsightsClient()
    return client.transport.operations_client.get_operation(name)


def set_project_ttl(project):
    settings = insights.Settings(name=settings_name(project), conversation_ttl=duration_pb2.Duration(seconds=60))
    mask = field_mask_pb2.FieldMask(paths=["conversation_ttl"])
    client = insights.ContactCenterInsightsClient()
    client.update_settings(settings=settings, update_mask=mask)
    return client.get_settings(name=settings_name(project))


PROGRAMS = {
    program.__name__: program
    for program in (
        create_analysis,
        create_conversation,
        create_conversation_with_ttl,
        create_issue_model,
        create_phrase_matcher_all_of,
        create_phrase_matcher_any_of,
        enable_pubsub_notifications,
        export_to_bigquery,
        get_operation,
        set_project_ttl,
    )
}


def main():
    name, *arguments = sys.argv[1:]
    message = PROGRAMS[name](*arguments)
    if hasattr(type(message), "pb"):
        message = type(message).pb(message)
    print(json_format.MessageToJson(message))


if __name__ == "__main__":
    main()
