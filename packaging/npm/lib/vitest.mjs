// For Vitest: `const insights = useEmulator()` at the top of a file of tests, or in a `describe`.
import {afterAll, afterEach, beforeAll, beforeEach} from 'vitest';
import suite from './suite.js';

export const useEmulator = options =>
  suite.Suite.use({before: beforeAll, beforeEach, afterEach, after: afterAll}, options);
