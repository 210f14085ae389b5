// Never run: the compiler reads it, as it reads its users' code.
import {type Admin, type Call, AdminError, connect, startEmulator} from 'contact-center-insights-emulator';
import {useEmulator as jest} from 'contact-center-insights-emulator/jest';
import {useEmulator as nodeTest} from 'contact-center-insights-emulator/node-test';
import {useEmulator as vitest} from 'contact-center-insights-emulator/vitest';

const suites = [jest(), nodeTest({clock: 'virtual'}), vitest({profile: {CreateAnalysis: 'time:5s'}, seed: {views: []}})];

export async function use(): Promise<number> {
  const emulator = await startEmulator({clock: new Date(0), args: ['--journal-bodies']});
  await emulator.addFault('GetOperation', {code: 'UNAVAILABLE', times: 2});
  const [conversation] = await suites[0]!.client.getConversation({name: `${suites[0]!.parent}/conversations/1`});
  const [operation] = await emulator.client({rest: true}).createAnalysis({parent: conversation.name, analysis: {}});
  await emulator.fail(operation, 'ABORTED');
  // @ts-expect-error: not a code
  await emulator.fail(operation, 'LATE');
  // @ts-expect-error: not an option
  await startEmulator({clocks: 'virtual'});
  const calls: Call[] = await emulator.calls('CreateAnalysis');
  const other: Admin = connect('127.0.0.1:9420');
  await other.advanceClock('1h').catch(error => console.log((error as AdminError).status));
  await emulator.restore(await emulator.snapshot());
  return calls.length;
}
