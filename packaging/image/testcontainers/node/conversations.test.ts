import assert from 'node:assert';
import {after, before, test} from 'node:test';
import {connect} from 'contact-center-insights-emulator';
import {GenericContainer, type StartedTestContainer, Wait} from 'testcontainers';

let container: StartedTestContainer;

before(async () => {
  container = await new GenericContainer('contact-center-insights-emulator:0.1.0')
    .withExposedPorts(9420)
    .withWaitStrategy(Wait.forHealthCheck())
    .start();
});
after(() => container.stop());

test('a conversation is kept', async () => {
  const emulator = connect(`${container.getHost()}:${container.getMappedPort(9420)}`);
  const client = emulator.client();
  const [made] = await client.createConversation({parent: 'projects/p/locations/us-central1', conversation: {}});
  const [found] = await client.getConversation({name: made.name});
  assert.deepStrictEqual(found, made);
  await emulator.assertCalled('CreateConversation', 1);
});
