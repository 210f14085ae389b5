import type {UseEmulator} from './suite.js';

export const useEmulator: UseEmulator;
