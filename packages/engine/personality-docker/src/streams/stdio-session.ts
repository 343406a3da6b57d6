import type { Duplex, Readable, Writable } from 'node:stream';
import { stdCopyFrame } from '@vic/docker-api';
import type { AttachedStreams } from '@vic/port-layer';
import { DetachScanner } from './detach-keys.ts';
import { pacedWrite } from './paced-write.ts';

/** A client's connection and the streams of a process, and how they are joined. */
export interface StdioSession {
  readonly socket: Duplex;
  readonly streams: AttachedStreams;
  /** Frames of Docker's multiplexed stream; raw bytes otherwise. */
  readonly framed: boolean;
  readonly wants: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  /** Scanned for in the input when given. */
  readonly detachKeys: Uint8Array | undefined;
  /** The end of the client's input closes the process's; otherwise the process waits for other clients' input. */
  readonly closesStdin: boolean;
  /** Fires when the client has gone. */
  readonly signal: AbortSignal;
}

/** How a session ended: the process closed its output, the client typed the detach keys or closed its input, or it was lost. */
export type SessionEnd = 'output-ended' | 'detached' | 'input-ended' | 'lost';

/** Carries bytes both ways, each at the pace of its reader, until one side is done. The socket is left open for last words. */
export async function runStdioSession(session: StdioSession): Promise<SessionEnd> {
  const { streams, signal } = session;
  const lost = Promise.withResolvers<SessionEnd>();
  const onLost = (): void => lost.resolve('lost');
  signal.addEventListener('abort', onLost, { once: true });
  if (signal.aborted) onLost();
  try {
    return await Promise.race([lost.promise, carryOutput(session), carryInput(session)]);
  } finally {
    signal.removeEventListener('abort', onLost);
    streams.detach();
    for (const stream of [streams.stdout, streams.stderr]) if (stream?.readableEnded === false) stream.destroy();
  }
}

async function carryOutput(session: StdioSession): Promise<SessionEnd> {
  const { streams, wants } = session;
  const stderr =
    streams.stderr === undefined ? Promise.resolve(true) : pump(session, streams.stderr, 'stderr', wants.stderr);
  const [outAlive, errAlive] = await Promise.all([pump(session, streams.stdout, 'stdout', wants.stdout), stderr]);
  return outAlive && errAlive ? 'output-ended' : 'lost';
}

/** `false` when the client took no more. */
async function pump(
  { socket, framed }: StdioSession,
  from: Readable,
  name: 'stdout' | 'stderr',
  wanted: boolean,
): Promise<boolean> {
  try {
    for await (const chunk of from as AsyncIterable<Uint8Array>) {
      // What nobody wants is still read, so that the process is not held up.
      if (wanted && !(await pacedWrite(socket, framed ? stdCopyFrame(name, chunk) : chunk))) return false;
    }
    return true;
  } catch {
    // The port layer lost the process's channel or the session was ended: nothing more to carry.
    return true;
  }
}

/** Settles only when the input decides the session's end. */
async function carryInput(session: StdioSession): Promise<SessionEnd> {
  const { socket, wants, streams, framed, closesStdin } = session;
  const never = new Promise<never>(() => undefined);
  const stdin = wants.stdin ? streams.stdin : undefined;
  if (stdin === undefined) {
    socket.resume();
    return never;
  }
  const end = await copyInput(session, stdin);
  if (end === 'detached' || end === 'lost') return end;
  // Without a terminal, output goes on although the input has ended: `echo line | docker attach`.
  if (end === 'input-ended' && !framed) return end;
  if (end === 'input-ended' && closesStdin) stdin.end();
  socket.resume();
  return never;
}

async function copyInput({ socket, detachKeys }: StdioSession, stdin: Writable): Promise<SessionEnd | 'refused'> {
  const scanner = detachKeys === undefined ? undefined : new DetachScanner(detachKeys);
  guard(stdin);
  try {
    // The connection outlives its input: output is still written after the client's half-close.
    for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      const { passed, detached } = scanner?.push(chunk) ?? { passed: chunk, detached: false };
      if (passed.length > 0 && !(await pacedWrite(stdin, passed))) return 'refused';
      if (detached) return 'detached';
    }
    return 'input-ended';
  } catch {
    return 'lost';
  }
}

/** Inputs whose errors are seen to: one input may serve many sessions, and may fail after the last of them. */
const guarded = new WeakSet<Writable>();

function guard(stdin: Writable): void {
  if (guarded.has(stdin)) return;
  guarded.add(stdin);
  stdin.on('error', () => stdin.destroy());
}
