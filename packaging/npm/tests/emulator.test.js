// The package as it is installed: the process, the admin API, and the helper's hooks.
'use strict';

const assert = require('node:assert');
const {execFile, spawn} = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const {describe, test} = require('node:test');
const {promisify} = require('node:util');
const {AdminError, connect, startEmulator} = require('contact-center-insights-emulator');
const {useEmulator} = require('contact-center-insights-emulator/node-test');

const parent = 'projects/7/locations/us-central1';

async function withEmulator(options, use) {
  const emulator = await startEmulator(options);
  try {
    return await use(emulator);
  } finally {
    await emulator.stop();
  }
}

function isRunning(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1][0] !== 'Z';
  } catch {
    return false;
  }
}

async function rest(emulator, method, name, body) {
  const response = await fetch(`${emulator.endpoint}/v1/${name}`, {method, body: body && JSON.stringify(body)});
  return {status: response.status, document: await response.json()};
}

// Runs `use` where credentials could be asked for, and checks that nobody did.
async function withoutCredentials(use) {
  let asked = 0;
  const metadata = http.createServer((_, response) => {
    asked += 1;
    response.setHeader('Metadata-Flavor', 'Google').end('{}');
  });
  await new Promise(resolve => metadata.listen(0, '127.0.0.1', resolve));
  process.env.GCE_METADATA_HOST = `127.0.0.1:${metadata.address().port}`;
  try {
    await use();
  } finally {
    delete process.env.GCE_METADATA_HOST;
    metadata.closeAllConnections();
    metadata.close();
  }
  assert.strictEqual(asked, 0);
}

// First, since the client keeps what it found out about its machine.
test('a client looks for no credentials', () =>
  withEmulator({}, emulator =>
    withoutCredentials(async () => {
      for (const rest of [false, true]) {
        const client = emulator.client({rest});
        await client.listViews({parent});
        await client.close();
      }
    }),
  ));

test('the lines for Node make clients, which look for no credentials', () =>
  withEmulator({}, async emulator => {
    const {snippets} = await emulator.request('GET', `snippets?address=${emulator.address}`);
    const lines = snippets.find(({language}) => language === 'node').code;
    const use = `Promise.all([client, rest].map(one => one.listViews({parent: '${parent}'}))).then(() => process.exit());`;
    const program = path.join(__dirname, 'lines.js');
    fs.writeFileSync(program, `${lines}\n${use}\n`);
    await withoutCredentials(async () => {
      const {stderr} = await promisify(execFile)(process.execPath, [program], {timeout: 60_000});
      assert.strictEqual(stderr, '');
    });
    assert.strictEqual(await emulator.count('ListViews'), 2);
  }));

describe('the process', () => {
  test('starts, and is gone once it is stopped', async () => {
    const pid = await withEmulator({}, async emulator => {
      assert.strictEqual((await connect(emulator.address).status()).version, (await emulator.status()).version);
      assert.ok(isRunning(emulator.pid));
      return emulator.pid;
    });
    assert.ok(!isRunning(pid));
  });

  test('says why it does not start', async () => {
    await assert.rejects(startEmulator({args: ['--no-such-flag']}), /exit code 2:[^]*--no-such-flag/);
    await assert.rejects(startEmulator({binary: '/nonexistent'}), /cannot be run: \/nonexistent/);
    await assert.rejects(startEmulator({binary: '/bin/echo'}), /is another program/);
    await assert.rejects(startEmulator({seed: {strange: []}}), AdminError);
  });

  for (const end of ['return', 'exit', 'SIGTERM', 'SIGKILL']) {
    test(`does not outlive the process that started it: ${end}`, {skip: !fs.existsSync('/proc/self')}, async () => {
      const program = `
        const {startEmulator} = require('contact-center-insights-emulator');
        startEmulator().then(({pid}) => process.stdout.write(pid + '\\n', () => {
          const end = ${JSON.stringify(end)};
          if (end === 'exit') process.exit(3);
          if (end.startsWith('SIG')) process.kill(process.pid, end);
        }));`;
      const child = spawn(process.execPath, ['-e', program], {cwd: __dirname, stdio: ['ignore', 'pipe', 'inherit']});
      let pid = '';
      child.stdout.on('data', text => (pid += text));
      const [code, signal] = await new Promise(resolve => child.on('close', (...how) => resolve(how)));
      assert.strictEqual(signal ?? code, {return: 0, exit: 3}[end] ?? end);
      for (let tries = 0; isRunning(Number(pid)); tries += 1) {
        assert.ok(tries < 3000, `${pid} is left behind`);
        await new Promise(resolve => setTimeout(resolve, 10));
      }
    });
  }

  test('is a command too, whose exit code is given back', async () => {
    const script = path.join(__dirname, 'node_modules/.bin/contact-center-insights');
    const {stdout} = await promisify(execFile)(script, ['--version']);
    assert.match(stdout, /^cci /);
    await assert.rejects(promisify(execFile)(script, ['emulator', '--port', 'x']), {code: 2, stderr: /--port/});
  });
});

describe('the admin API', () => {
  test('moves time', () =>
    withEmulator({clock: new Date('2026-11-24T09:00:00Z')}, async emulator => {
      assert.strictEqual((await emulator.advanceClock('90s')).toISOString(), '2026-11-24T09:01:30.000Z');
      assert.strictEqual((await emulator.advanceClock(500)).toISOString(), '2026-11-24T09:01:30.500Z');
      assert.strictEqual((await emulator.setClock(new Date('2027-01-01'))).getUTCFullYear(), 2027);
      assert.strictEqual((await emulator.now()).getUTCFullYear(), 2027);
    }));

  test('takes state, and puts it back', () =>
    withEmulator({seed: {views: [{name: `${parent}/views/1`}]}}, async emulator => {
      const before = await emulator.snapshot();
      await emulator.reset('7');
      assert.strictEqual((await emulator.export()).views, undefined);
      await emulator.restore(before);
      assert.deepStrictEqual(await emulator.snapshot(), before);
    }));

  test('ends operations', () =>
    withEmulator({}, async emulator => {
      const names = [];
      for (let number = 0; number < 3; number += 1) {
        const {document: conversation} = await rest(emulator, 'POST', `${parent}/conversations`, {});
        names.push((await rest(emulator, 'POST', `${conversation.name}/analyses`, {})).document.name);
      }
      await emulator.complete({name: names[0]});
      assert.strictEqual((await rest(emulator, 'GET', names[0])).document.done, true);
      await emulator.fail(names[1], 'ABORTED', 'by hand');
      assert.deepStrictEqual((await rest(emulator, 'GET', names[1])).document.error, {code: 10, message: 'by hand'});
      assert.deepStrictEqual([await emulator.advance(names[2]), await emulator.advance(names[2])], [false, true]);
      assert.throws(() => emulator.complete(7), TypeError);
    }));

  test('adds faults, counts calls, and tells what came nearest', () =>
    withEmulator({}, async emulator => {
      const view = `${parent}/views/1`;
      await emulator.addFault('GetView', {code: 'UNAVAILABLE', delay: '1ms'});
      assert.strictEqual((await emulator.faults()).length, 1);
      assert.strictEqual((await rest(emulator, 'GET', view)).status, 503);
      assert.strictEqual((await rest(emulator, 'GET', view)).status, 404);
      await emulator.assertCalled('GetView', 1, {code: 'UNAVAILABLE'});
      assert.strictEqual(await emulator.count('GetView', {transport: 'REST'}), 2);
      await assert.rejects(emulator.assertCalled('GetView', 1, {code: 'OK'}), /OK was called 0 times, not 1 times; nearest: GetView/);
      const [first, second] = await emulator.calls('GetView');
      assert.deepStrictEqual([first.code, second.code], ['UNAVAILABLE', 'NOT_FOUND']);
      assert.deepStrictEqual(await emulator.calls('', {after: first.sequence}), [second]);
      await emulator.clearFaults();
      await emulator.setQuotas({all: 1});
      await rest(emulator, 'GET', view);
      assert.strictEqual((await rest(emulator, 'GET', view)).status, 429);
      assert.throws(() => emulator.fail('x', 'LATE'), RangeError);
      await assert.rejects(emulator.request('POST', 'faults', {faults: [{transport: 'Reset'}]}), {status: 'INVALID_ARGUMENT'});
    }));
});

describe('the helper', () => {
  const insights = useEmulator({clock: 'virtual'});
  const seen = [];

  test('gives a client over gRPC, and over REST', async () => {
    seen.push(insights.parent);
    await insights.emulator.addFault('GetView', {code: 'ABORTED', always: true});
    const [made] = await insights.client.createConversation({parent: insights.parent, conversation: {}});
    const over = insights.emulator.client({rest: true});
    assert.strictEqual((await over.getConversation({name: made.name}))[0].name, made.name);
  });

  test('shares the emulator between tests, and nothing else', async () => {
    assert.notStrictEqual(insights.parent, seen[0]);
    assert.deepStrictEqual((await insights.client.listConversations({parent: seen[0]}))[0], []);
    assert.deepStrictEqual(await insights.emulator.faults(), []);
    assert.strictEqual(await insights.emulator.count('CreateConversation'), 0);
  });

  test('follows an operation to an error', async () => {
    const [made] = await insights.client.createConversation({parent: insights.parent, conversation: {}});
    const [operation] = await insights.client.createAnalysis({parent: made.name, analysis: {}});
    await insights.emulator.fail(operation, 'DATA_LOSS', 'damaged');
    await assert.rejects(operation.promise(), {code: 15, message: /damaged/});
  });
});

test('without a running test there is nothing to use', () => {
  const hooks = {before() {}, beforeEach() {}, afterEach() {}, after() {}};
  const {Suite} = require('./node_modules/contact-center-insights-emulator/lib/suite.js');
  assert.throws(() => Suite.use(hooks).emulator, /use it in a test/);
  assert.throws(() => Suite.use(hooks).parent, /is of one test/);
});
