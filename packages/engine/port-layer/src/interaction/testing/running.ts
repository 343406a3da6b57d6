import type { LaunchSpec, ProcessSpec } from '@vic/agent-protocol';
import type { ProcessStreams, TetherSession } from '../index.ts';
import type { GuestMachine } from './guest-lab.ts';
import { launchSpec } from './launch-spec.ts';

/** A launched container. */
export interface Running {
  readonly machine: GuestMachine;
  readonly session: TetherSession;
  readonly streams: ProcessStreams;
}

/** Attaches to a machine's main process and launches it. */
export async function running(
  machine: GuestMachine,
  process: ProcessSpec,
  more: Partial<LaunchSpec> = {},
): Promise<Running> {
  const session = await machine.session();
  const streams = await session.attach({ stdin: process.openStdin, stdout: true, stderr: !process.tty });
  await session.launch(launchSpec(process, more));
  return { machine, session, streams };
}
