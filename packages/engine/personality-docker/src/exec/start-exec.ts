import type { Duplex } from 'node:stream';
import { isVicError } from '@vic/errors';
import { ExecStartSchema, stdCopyFrame } from '@vic/docker-api';
import type { AttachedStreams, ExecSession } from '@vic/port-layer';
import { findContainerIfAny } from '../containers/container-access.ts';
import { streamTypeOf } from '../containers/attach-container.ts';
import { withWords } from '../containers/start-container.ts';
import { containerEvent } from '../events/docker-event.ts';
import type { Call } from '../http/call.ts';
import { conflict, invalid } from '../http/docker-error.ts';
import type { PersonalityContext } from '../personality.ts';
import { parseDetachKeys } from '../streams/detach-keys.ts';
import { runStdioSession } from '../streams/stdio-session.ts';
import { findExec } from './exec-access.ts';
import { execExited } from './exec-exited.ts';

/** `POST /exec/{id}/start`. */
export async function startExec(context: PersonalityContext, call: Call): Promise<void> {
  const request = await call.optionalBody(ExecStartSchema);
  const session = findExec(context.execution, call.param('id'));
  refuseUnstartable(context, session);
  if (request.Tty !== undefined && !request.Detach && request.Tty !== session.process.tty) {
    throw invalid(`the exec session was created ${session.process.tty ? 'with' : 'without'} a terminal`);
  }
  const [rows = 0, columns = 0] = request.ConsoleSize ?? [];
  if (rows > 0 && columns > 0) await context.execution.resizeExec(session.id, rows, columns);
  if (request.Detach === true) await startDetached(context, call, session);
  else await startAttached(context, call, session);
}

async function startDetached(context: PersonalityContext, call: Call, session: ExecSession): Promise<void> {
  let streams: AttachedStreams;
  try {
    streams = await context.execution.startExec(session.id, context.lifetime);
  } catch (error) {
    throw isVicError(error) ? invalid(startFailureText(session, error)) : error;
  }
  streams.stdin?.end();
  streams.detach();
  call.empty(200);
}

/** The connection is taken over first; a process that cannot start says so in the stream, as Docker's do. */
async function startAttached(context: PersonalityContext, call: Call, session: ExecSession): Promise<void> {
  const { process } = session;
  const wanted = context.execRequests.of(session.id);
  const detachKeys = process.tty ? parseDetachKeys(wanted.DetachKeys ?? '') : undefined;
  const socket = call.exchange.hijack(streamTypeOf(call, process.tty));
  const streams = await startOrExplain(context, call, session, socket);
  if (streams === undefined) return;
  const end = await runStdioSession({
    socket,
    streams,
    framed: !process.tty,
    wants: {
      stdin: wanted.AttachStdin ?? false,
      stdout: wanted.AttachStdout ?? false,
      stderr: wanted.AttachStderr ?? false,
    },
    detachKeys,
    closesStdin: !process.tty,
    signal: call.signal,
  });
  if (end === 'detached') publishDetach(context, session);
  // Clients ask for the exit code as soon as the stream ends, so it must be known by then.
  const isKnown = end !== 'output-ended' || (await execExited(context, session.id, call.signal));
  if (isKnown) socket.end();
  // A stream that ends well would make the client ask for an exit code that there is not yet, and take it for 0.
  else socket.destroy();
}

async function startOrExplain(
  context: PersonalityContext,
  call: Call,
  session: ExecSession,
  socket: Duplex,
): Promise<AttachedStreams | undefined> {
  try {
    return await context.execution.startExec(session.id, call.signal);
  } catch (error) {
    const text = Buffer.from(`${startFailureText(session, error)}\r\n`);
    socket.end(session.process.tty ? text : stdCopyFrame('stdout', text));
    return undefined;
  }
}

/** Why the process did not start, with the words clients look for. */
function startFailureText(session: ExecSession, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  // Docker looks the user up itself, before its runtime.
  if (error instanceof Error && 'kind' in error && error.kind === 'user-not-found') return message;
  const exitCode = error instanceof Error && 'exitCode' in error ? error.exitCode : undefined;
  const program = session.process.args[0] ?? '';
  const worded =
    exitCode === 127
      ? withWords(
          message,
          `exec: "${program}": executable file not found in $PATH`,
          /executable file not found|no such file or directory/,
        )
      : exitCode === 126
        ? withWords(message, `exec: "${program}": permission denied`, /permission denied/)
        : message;
  return `OCI runtime exec failed: exec failed: unable to start container process: ${worded}: unknown`;
}

function refuseUnstartable(context: PersonalityContext, session: ExecSession): void {
  if (session.state.status === 'running') throw conflict(`exec command ${session.id} is already running`);
  if (session.state.status === 'exited') throw conflict(`exec command ${session.id} has already run`);
  const container = findContainerIfAny(context.execution, session.containerId);
  if (container?.state.status !== 'running') throw conflict(`container ${session.containerId} is not running`);
}

function publishDetach(context: PersonalityContext, session: ExecSession): void {
  const container = findContainerIfAny(context.execution, session.containerId);
  if (container === undefined) return;
  const message = containerEvent(container, 'exec_detach', { execID: session.id });
  context.events.publishTimed({ timeNs: context.clock(), message });
}
