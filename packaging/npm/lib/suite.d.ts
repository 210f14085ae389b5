import type {v1} from '@google-cloud/contact-center-insights';
import type {Admin, StartOptions} from './index';

/** An emulator for a file of tests, and a project for each test. */
export interface Suite {
  readonly emulator: Admin;
  /** The official client over gRPC. */
  readonly client: InstanceType<typeof v1.ContactCenterInsightsClient>;
  /** A project of this test alone; it is emptied after the test. */
  readonly project: string;
  /** projects/PROJECT/locations/us-central1. */
  readonly parent: string;
}

/** Registers the hooks: call it at the top of a file of tests, or in a `describe`. */
export type UseEmulator = (options?: StartOptions) => Suite;
