import { readConsoleSize, readLaunchSpec, readProcessSpec } from './launch-spec-parser.ts';
import type {
  EndpointMessage,
  ExecStatus,
  ExitStatus,
  StartFailureKind,
  StatusMessage,
  TetherMessage,
} from './message.ts';
import { ObjectReader, parseJson } from './object-reader.ts';
import { MAX_CHANNEL } from './stream-id.ts';

const FAILURES: readonly StartFailureKind[] = [
  'not-found',
  'permission-denied',
  'not-executable',
  'user-not-found',
  'cwd',
  'mount',
  'network',
  'other',
];
const TETHER_KINDS = [
  'status',
  'started',
  'start-failed',
  'exited',
  'exec-started',
  'exec-failed',
  'exec-exited',
  'log-progress',
  'reply',
] as const satisfies readonly TetherMessage['kind'][];
const ENDPOINT_KINDS = [
  'launch',
  'attach',
  'detach',
  'exec',
  'resize',
  'signal',
  'exit-received',
  'power-off',
  'ping',
] as const satisfies readonly EndpointMessage['kind'][];
const MAX_PID = 0x3f_ffff;
const MAX_REQUEST = 0xffff_ffff;
const MAX_ERROR_TEXT = 4096;
const MAX_SESSION = 4096;
const MAX_EXECS = 128;

/** Reads a control message of the tether; everything in it is untrusted. */
export function parseTetherMessage(payload: Uint8Array): TetherMessage {
  const reader = new ObjectReader(parseJson(payload), 'message');
  const message = readTetherMessage(reader);
  reader.end();
  return message;
}

/** Reads a control message of the endpoint. */
export function parseEndpointMessage(payload: Uint8Array): EndpointMessage {
  const reader = new ObjectReader(parseJson(payload), 'message');
  const message = readEndpointMessage(reader);
  reader.end();
  return message;
}

function readTetherMessage(reader: ObjectReader): TetherMessage {
  const kind = reader.word('kind', TETHER_KINDS);
  switch (kind) {
    case 'status':
      return readStatus(reader);
    case 'started':
      return { kind, pid: pid(reader), time: reader.nanoseconds('time') };
    case 'start-failed':
      return { kind, ...readFailure(reader) };
    case 'exited':
      return { kind, ...readExit(reader) };
    case 'exec-started':
      return { kind, channel: channel(reader), pid: pid(reader) };
    case 'exec-failed':
      return { kind, channel: channel(reader), ...readFailure(reader) };
    case 'exec-exited':
      return { kind, channel: channel(reader), ...readExit(reader) };
    case 'log-progress':
      return { kind, logBytes: logBytes(reader) };
    case 'reply':
      return {
        kind,
        request: request(reader),
        ...(reader.has('error') ? { error: reader.text('error', 0, MAX_ERROR_TEXT) } : {}),
      };
  }
}

function readEndpointMessage(reader: ObjectReader): EndpointMessage {
  const kind = reader.word('kind', ENDPOINT_KINDS);
  switch (kind) {
    case 'launch':
      return { kind, spec: reader.object('spec', readLaunchSpec) };
    case 'attach':
      return {
        kind,
        request: request(reader),
        channel: channel(reader),
        stdin: reader.boolean('stdin'),
        stdout: reader.boolean('stdout'),
        stderr: reader.boolean('stderr'),
      };
    case 'detach':
      return { kind, channel: channel(reader) };
    case 'exec':
      return {
        kind,
        channel: channel(reader),
        process: reader.object('process', readProcessSpec),
        ...(reader.has('session') ? { session: reader.text('session', 1, MAX_SESSION) } : {}),
      };
    case 'resize':
      return { kind, request: request(reader), channel: mainOrChannel(reader), ...readConsoleSize(reader) };
    case 'signal':
      return {
        kind,
        request: request(reader),
        channel: mainOrChannel(reader),
        signal: reader.integer('signal', 1, 64),
      };
    case 'power-off':
    case 'ping':
      return { kind, request: request(reader) };
    case 'exit-received':
      return { kind };
  }
}

function readStatus(reader: ObjectReader): StatusMessage {
  return {
    kind: 'status',
    state: reader.word('state', ['waiting', 'running', 'exited']),
    bootId: reader.text('bootId', 1, 64),
    logBytes: logBytes(reader),
    ...(reader.has('pid') ? { pid: pid(reader) } : {}),
    ...(reader.has('startedAt') ? { startedAt: reader.nanoseconds('startedAt') } : {}),
    ...(reader.has('exit') ? { exit: reader.object('exit', readExit) } : {}),
    ...(reader.has('execs') ? { execs: reader.objects('execs', MAX_EXECS, readExec) } : {}),
    ...(reader.has('lastChannel') ? { lastChannel: mainOrChannel(reader, 'lastChannel') } : {}),
  };
}

function readExec(reader: ObjectReader): ExecStatus {
  return {
    channel: channel(reader),
    pid: pid(reader),
    session: reader.text('session', 1, MAX_SESSION),
    ...(reader.has('exit') ? { exit: reader.object('exit', readExit) } : {}),
  };
}

function readFailure(reader: ObjectReader): { readonly failure: StartFailureKind; readonly message: string } {
  return { failure: reader.word('failure', FAILURES), message: reader.text('message', 0, MAX_ERROR_TEXT) };
}

function readExit(reader: ObjectReader): ExitStatus {
  return {
    code: reader.integer('code', 0, 255),
    signal: reader.integer('signal', 0, 64),
    oom: reader.boolean('oom'),
    time: reader.nanoseconds('time'),
  };
}

function channel(reader: ObjectReader): number {
  return reader.integer('channel', 1, MAX_CHANNEL);
}

function mainOrChannel(reader: ObjectReader, name = 'channel'): number {
  return reader.integer(name, 0, MAX_CHANNEL);
}

function request(reader: ObjectReader): number {
  return reader.integer('request', 1, MAX_REQUEST);
}

function pid(reader: ObjectReader): number {
  return reader.integer('pid', 1, MAX_PID);
}

function logBytes(reader: ObjectReader): number {
  return reader.integer('logBytes', 0, Number.MAX_SAFE_INTEGER);
}
