import {expect, test} from 'vitest';
import {useEmulator} from 'contact-center-insights-emulator/vitest';

const insights = useEmulator();
test('a conversation is kept', async () => {
  const [made] = await insights.client.createConversation({parent: insights.parent, conversation: {agentId: '7'}});
  const [found] = await insights.client.getConversation({name: made.name});
  expect(found).toEqual(made);
});
