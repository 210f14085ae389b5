import type {UseEmulator} from './suite';

export const useEmulator: UseEmulator;
