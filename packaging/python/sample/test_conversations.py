def test_a_conversation_is_kept(insights_client, insights_parent):
    made = insights_client.create_conversation(parent=insights_parent, conversation={"agent_id": "7"})
    assert insights_client.get_conversation(name=made.name) == made
