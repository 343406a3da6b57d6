import { ExecCreateSchema } from '@vic/docker-api';
import { processEnv } from '../containers/merge-image-config.ts';
import { findContainer } from '../containers/container-access.ts';
import { recordOf } from '../containers/container-record.ts';
import type { Call } from '../http/call.ts';
import { conflict, invalid } from '../http/docker-error.ts';
import type { PersonalityContext } from '../personality.ts';
import { parseDetachKeys } from '../streams/detach-keys.ts';

/** `POST /containers/{id}/exec`. */
export async function createExec(context: PersonalityContext, call: Call): Promise<void> {
  const request = await call.body(ExecCreateSchema);
  const args = request.Cmd ?? [];
  if (args.length === 0) throw invalid('No exec command specified');
  parseDetachKeys(request.DetachKeys ?? '');
  const container = findContainer(context.execution, call.param('id'));
  const { config } = container;
  if (container.state.status !== 'running') throw conflict(`container ${config.id} is not running`);
  const tty = request.Tty ?? false;
  const record = recordOf(container);
  const [rows = 0, columns = 0] = request.ConsoleSize ?? [];
  const session = await context.execution.createExec(config.id, {
    args,
    // The session starts from the container's variables and adds or replaces its own.
    env: processEnv(
      { ...record.config, Tty: tty, Env: [...(record.config.Env ?? []), ...(request.Env ?? [])] },
      config.hostname,
    ),
    cwd: request.WorkingDir === undefined || request.WorkingDir === '' ? config.process.cwd : request.WorkingDir,
    user: request.User === undefined || request.User === '' ? config.process.user : request.User,
    groups: config.process.groups,
    tty,
    consoleSize: rows > 0 && columns > 0 ? { rows, columns } : undefined,
    openStdin: request.AttachStdin ?? false,
    stdinOnce: request.AttachStdin ?? false,
  });
  context.execRequests.remember(session.id, request);
  call.json(201, { Id: session.id });
}
