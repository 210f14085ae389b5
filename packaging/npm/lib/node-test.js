// For node:test: `const insights = useEmulator()` at the top of a file of tests, or in a `describe`.
'use strict';

const {after, afterEach, before, beforeEach} = require('node:test');
const {Suite} = require('./suite.js');

exports.useEmulator = options => Suite.use({before, beforeEach, afterEach, after}, options);
