import type { Duplex } from 'node:stream';
import { stdCopyFrame } from '@vic/docker-api';
import type { Container } from '@vic/port-layer';
import { containerEvent } from '../events/docker-event.ts';
import type { Call } from '../http/call.ts';
import type { PersonalityContext } from '../personality.ts';
import { parseDetachKeys } from '../streams/detach-keys.ts';
import { pacedWrite } from '../streams/paced-write.ts';
import { type SessionEnd, runStdioSession } from '../streams/stdio-session.ts';
import { findContainer } from './container-access.ts';

/** Content types of connections that were taken over. */
const RAW_STREAM = 'application/vnd.docker.raw-stream';
const MULTIPLEXED_STREAM = 'application/vnd.docker.multiplexed-stream';

/** The content type of a taken-over connection: old clients and plain (200) ones always see the raw type. */
export function streamTypeOf(call: Call, tty: boolean): string {
  return !tty && call.exchange.upgrade && call.speaks('1.42') ? MULTIPLEXED_STREAM : RAW_STREAM;
}

/** The content type of a log. */
export function logTypeOf(call: Call, tty: boolean): string {
  return !tty && call.speaks('1.42') ? MULTIPLEXED_STREAM : RAW_STREAM;
}

/**
 * `POST /containers/{id}/attach`.
 *
 * The streams are taken before the connection is answered: a client that has its 101 may start the
 * container at once and must not miss the first byte.
 */
export async function attachContainer(context: PersonalityContext, call: Call): Promise<void> {
  const container = findContainer(context.execution, call.param('id'));
  const { id, process } = container.config;
  const wants = { stdin: call.flag('stdin'), stdout: call.flag('stdout'), stderr: call.flag('stderr') };
  const detachKeys = parseDetachKeys(call.query('detachKeys') ?? '');
  const stream = call.flag('stream');
  const streams = stream
    ? await context.execution.attach(id, { stdin: wants.stdin && process.openStdin }, call.signal)
    : undefined;
  let socket: Duplex;
  try {
    socket = call.exchange.hijack(streamTypeOf(call, process.tty));
  } catch (error) {
    streams?.detach();
    throw error;
  }
  publish(context, container, 'attach');
  if (call.flag('logs')) await replayLog(context, call, container, { socket, wants });
  if (streams !== undefined) {
    const closesStdin = process.stdinOnce && !process.tty;
    const end = await runStdioSession({
      socket,
      streams,
      framed: !process.tty,
      wants,
      detachKeys: process.tty ? detachKeys : undefined,
      closesStdin,
      signal: call.signal,
    });
    await afterSession(context, call, container, end);
  }
  socket.end();
}

async function afterSession(
  context: PersonalityContext,
  call: Call,
  container: Container,
  end: SessionEnd,
): Promise<void> {
  const { id, process } = container.config;
  if (end === 'detached' || (end === 'input-ended' && process.tty)) publish(context, container, 'detach');
  if (end !== 'output-ended' || !process.stdinOnce || process.tty || !process.openStdin) return;
  // Docker ends this connection only once the container stopped; a container that is gone stopped too.
  await context.execution.wait(id, 'not-running', call.signal).catch(() => undefined);
}

async function replayLog(
  context: PersonalityContext,
  call: Call,
  { config }: Container,
  to: { readonly socket: Duplex; readonly wants: { readonly stdout: boolean; readonly stderr: boolean } },
): Promise<void> {
  const options = { ...to.wants, follow: false, tail: undefined, sinceNs: undefined, untilNs: undefined };
  for await (const line of context.execution.logs(config.id, options, call.signal)) {
    const bytes = config.process.tty ? line.payload : stdCopyFrame(line.stream, line.payload);
    if (!(await pacedWrite(to.socket, bytes))) return;
  }
}

function publish(context: PersonalityContext, container: Container, action: string): void {
  context.events.publishTimed({ timeNs: context.clock(), message: containerEvent(container, action) });
}
