// For Jest: `const insights = useEmulator()` at the top of a file of tests, or in a `describe`.
'use strict';

const {Suite} = require('./suite.js');

/* global beforeAll, beforeEach, afterEach, afterAll */
exports.useEmulator = options => Suite.use({before: beforeAll, beforeEach, afterEach, after: afterAll}, options);
