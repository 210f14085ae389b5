const assert = require('node:assert');
const {test} = require('node:test');
const {useEmulator} = require('contact-center-insights-emulator/node-test');

const insights = useEmulator();
test('a conversation is kept', async () => {
  const [made] = await insights.client.createConversation({parent: insights.parent, conversation: {agentId: '7'}});
  const [found] = await insights.client.getConversation({name: made.name});
  assert.deepStrictEqual(found, made);
});
