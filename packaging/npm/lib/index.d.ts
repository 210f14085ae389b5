import type {v1} from '@google-cloud/contact-center-insights';

/** A code of google.rpc.Code, by its name or number. */
export type Code =
  | 'OK' | 'CANCELLED' | 'UNKNOWN' | 'INVALID_ARGUMENT' | 'DEADLINE_EXCEEDED' | 'NOT_FOUND' | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED' | 'RESOURCE_EXHAUSTED' | 'FAILED_PRECONDITION' | 'ABORTED' | 'OUT_OF_RANGE' | 'UNIMPLEMENTED'
  | 'INTERNAL' | 'UNAVAILABLE' | 'DATA_LOSS' | 'UNAUTHENTICATED' | number;

/** Resources by kind, as in `{conversations: [{name: '...'}]}`. */
export type Seed = {[kind: string]: unknown};

/** The name of an operation, or what has one. */
export type Operation = string | {name?: string | null} | {latestResponse?: {name?: string | null}};

export interface StartOptions {
  /** What is there from the start: a file, or the seed itself. */
  seed?: string | Seed;
  /** How operations go, for all methods or by method: `immediate`, `polls:2`, `time:5s`. */
  profile?: string | Record<string, string>;
  /** `real`, `virtual`, or the time that a virtual clock starts at. */
  clock?: 'real' | 'virtual' | Date;
  /** A directory in which resources and operations outlive the emulator. */
  dataDir?: string;
  /** A directory that stands for Cloud Storage. */
  gcsRoot?: string;
  /** By default a free one. */
  port?: number;
  /** Further arguments of `contact-center-insights emulator`. */
  args?: string[];
  /** Another program. */
  binary?: string;
  /** How long it may take to start, in ms: 10,000 by default. */
  timeout?: number;
}

export interface FaultOptions {
  /** The calls end in this status. */
  code?: Code;
  message?: string;
  /** How many calls it hits: one by default. */
  times?: number;
  always?: boolean;
  /** How many calls pass first. */
  after?: number;
  /** Such as `1500ms`. */
  delay?: string;
  transport?: 'CLOSE' | 'ABORT' | 'FREEZE' | 'STALL' | 'STALL_BODY' | 'HALF' | 'NO_STATUS' | 'RETIRE';
  /** The call is executed, and its reply is lost. */
  afterExecution?: boolean;
  probability?: number;
  fields?: Record<string, string>;
  headers?: Record<string, string>;
  /** The other fields of the admin API's Fault. */
  [field: string]: unknown;
}

export interface Call {
  sequence: number;
  method: string;
  transport: string;
  /** Empty while it runs, and if its caller never learnt it. */
  code: string;
  fault: string;
  attempt: number;
  [field: string]: unknown;
}

/** The emulator refused a request of the admin API. */
export class AdminError extends Error {
  /** The name of a code, such as INVALID_ARGUMENT. */
  readonly status: string;
}

/** State, operations, faults, time and calls of an emulator at HOST:PORT. */
export class Admin {
  constructor(address: string);
  readonly address: string;
  readonly endpoint: string;
  /** The official client for it, over gRPC or REST, without credentials. */
  client(options?: {rest?: boolean; [option: string]: unknown}): InstanceType<typeof v1.ContactCenterInsightsClient>;
  /** Drops all resources and operations, or those of one project. */
  reset(project?: string): Promise<void>;
  seed(seed: Seed): Promise<void>;
  /** All that is there, as a seed. */
  export(): Promise<Seed>;
  /** The same state gives the same bytes. */
  snapshot(): Promise<Buffer>;
  restore(snapshot: Buffer): Promise<void>;
  /** Counts as so many polls; whether the operation is done. */
  advance(operation: Operation, polls?: number): Promise<boolean>;
  complete(operation: Operation): Promise<void>;
  fail(operation: Operation, code?: Code, message?: string): Promise<void>;
  /** The next calls of a method go wrong; of all methods, if it is empty. */
  addFault(method: string, fault?: FaultOptions): Promise<void>;
  faults(): Promise<Array<Record<string, unknown>>>;
  clearFaults(): Promise<void>;
  /** Calls per minute; none without argument. */
  setQuotas(quotas?: {all?: number; methods?: Record<string, number>; documented?: boolean}): Promise<void>;
  now(): Promise<Date>;
  /** Milliseconds, or a text such as `90s` or `2h`; the clock must be virtual. */
  advanceClock(by: number | string): Promise<Date>;
  setClock(time: Date): Promise<Date>;
  calls(method?: string, options?: {after?: number; limit?: number}): Promise<Call[]>;
  count(method?: string, options?: {code?: Code; transport?: 'GRPC' | 'REST'; after?: number}): Promise<number>;
  /** Fails, with what came nearest, unless the method was called: so often, or at all. */
  assertCalled(method: string, times?: number, options?: {code?: Code; after?: number}): Promise<void>;
  clearCalls(): Promise<void>;
  status(): Promise<Record<string, unknown>>;
  /** Any request of the admin API. */
  request(verb: string, path: string, body?: unknown): Promise<any>;
}

/** An emulator that `startEmulator` began; it ends with `stop`, or with this process. */
export class Emulator extends Admin {
  private constructor();
  readonly pid: number;
  /** What it has said on stderr, the end of it. */
  output(): string;
  /** The variables by which other programs find it. */
  environment(): Record<string, string>;
  stop(): Promise<void>;
}

/** Starts an emulator; resolves once it answers. */
export function startEmulator(options?: StartOptions): Promise<Emulator>;
/** An emulator that runs already. */
export function connect(address: string): Admin;
