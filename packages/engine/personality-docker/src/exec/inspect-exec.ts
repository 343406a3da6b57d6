import type { Call } from '../http/call.ts';
import { conflict } from '../http/docker-error.ts';
import type { PersonalityContext } from '../personality.ts';
import { consoleSizeOf } from '../containers/container-lifecycle.ts';
import { parseDetachKeys } from '../streams/detach-keys.ts';
import { findExec } from './exec-access.ts';

/** `GET /exec/{id}/json`. */
export function inspectExec(context: PersonalityContext, call: Call): void {
  const { id, containerId, process, state } = findExec(context.execution, call.param('id'));
  const request = context.execRequests.of(id);
  const [entrypoint = '', ...args] = process.args;
  call.json(200, {
    ID: id,
    Running: state.status === 'running',
    ExitCode: state.status === 'exited' ? state.exitCode : null,
    ProcessConfig: {
      tty: process.tty,
      entrypoint,
      arguments: args,
      privileged: request.Privileged ?? false,
      ...(process.user === '' ? {} : { user: process.user }),
    },
    OpenStdin: process.openStdin,
    OpenStderr: request.AttachStderr ?? false,
    OpenStdout: request.AttachStdout ?? false,
    CanRemove: state.status === 'exited',
    ContainerID: containerId,
    DetachKeys: Buffer.from(parseDetachKeys(request.DetachKeys ?? '')).toString('base64'),
    Pid: state.status === 'running' ? state.pid : 0,
  });
}

/** `POST /exec/{id}/resize`. */
export async function resizeExec(context: PersonalityContext, call: Call): Promise<void> {
  const { rows, columns } = consoleSizeOf(call);
  const session = findExec(context.execution, call.param('id'));
  if (session.state.status === 'exited') throw conflict(`exec ${session.id} is not running`);
  await context.execution.resizeExec(session.id, rows, columns);
  call.empty(200);
}
