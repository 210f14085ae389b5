// What the helpers for Jest, Vitest and node:test share: an emulator for a file of tests, and a project for each test.
'use strict';

const {randomUUID} = require('node:crypto');
const {connect, startEmulator} = require('./index.js');

const HOST_VARIABLE = 'CONTACTCENTERINSIGHTS_EMULATOR_HOST';
const LOCATION = 'us-central1';

class Suite {
  #emulator;
  #client;
  #project;

  get emulator() {
    if (!this.#emulator) throw new Error('the emulator runs while tests do: use it in a test or in a hook');
    return this.#emulator;
  }
  get client() {
    return (this.#client ??= this.emulator.client());
  }
  get project() {
    if (!this.#project) throw new Error('a project is of one test: use it in a test');
    return this.#project;
  }
  get parent() {
    return `projects/${this.project}/locations/${LOCATION}`;
  }

  static use({before, beforeEach, afterEach, after}, options) {
    const suite = new Suite();
    // The hooks take no arguments: a runner would give them callbacks.
    before(async () => {
      const named = process.env[HOST_VARIABLE];
      suite.#emulator = named
        ? connect(/^\d+$/.test(named) ? `127.0.0.1:${named}` : named)
        : await startEmulator(options);
    });
    beforeEach(async () => {
      suite.#project = `test-${randomUUID().slice(0, 13)}`;
      await suite.emulator.clearCalls();
    });
    afterEach(async () => {
      await suite.emulator.reset(suite.project);
      await suite.emulator.clearFaults();
      await suite.emulator.setQuotas();
      suite.#project = undefined;
    });
    after(async () => {
      await suite.#client?.close();
      await suite.#emulator?.stop?.();
      suite.#client = suite.#emulator = undefined;
    });
    return suite;
  }
}

module.exports = {Suite};
