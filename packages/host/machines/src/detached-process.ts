import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { VicError } from '@vic/errors';
import { delay } from '@vic/async';
import { identifyProcess, isAlive } from '@vic/process';
import type { ProcessIdentity } from '@vic/process';
import { logTail } from './log-limit.ts';

/** Linux capabilities as `setpriv` names them. */
export type Capability = 'net_admin' | 'net_bind_service' | 'net_raw';

/** A process that outlives hostd. */
export interface DetachedCommand {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly uid: number;
  /** Further groups, for files shared with others. */
  readonly groups: readonly number[];
  readonly capabilities: readonly Capability[];
  /** Both output streams are appended here. */
  readonly log: string;
  /** Inherited as descriptor 3. */
  readonly input?: FileHandle;
  /** Words before the one that drops privileges, such as `nsenter`'s. */
  readonly prefix?: readonly string[];
}

/** A detached process, ours or one found again. */
export interface DetachedProcess {
  readonly identity: ProcessIdentity;
  /** Resolves when it is gone: with its exit code if it was our child and ended by itself. */
  readonly exited: Promise<number | undefined>;
}

/** Number of {@link DetachedCommand.input} in the process. */
export const INPUT_FD = 3;
/** The kernel's out-of-memory killer takes machines before hostd. */
const OOM_SCORE = '500';
const POLL_MS = 200;

/** Starts a process in a session of its own, as an unprivileged user that can never gain a privilege. */
export async function startDetached(wanted: DetachedCommand): Promise<DetachedProcess> {
  const [program, ...args] = [...(wanted.prefix ?? []), ...dropPrivileges(wanted), ...wanted.command];
  const { O_CREAT, O_APPEND, O_WRONLY, O_NOFOLLOW } = constants;
  await using log = await open(wanted.log, O_CREAT | O_APPEND | O_WRONLY | O_NOFOLLOW, 0o600);
  const child = spawn(program ?? '', args, {
    detached: true,
    cwd: '/',
    env: { ...wanted.environment },
    stdio: ['ignore', log.fd, log.fd, ...(wanted.input === undefined ? [] : [wanted.input.fd])],
  });
  const exited = Promise.withResolvers<number | undefined>();
  child.once('exit', (code) => exited.resolve(code ?? undefined));
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => reject(notStarted(program ?? '', cause)));
  });
  child.unref();
  const identity = child.pid === undefined ? undefined : await identifyProcess(child.pid);
  if (identity === undefined) throw notStarted(wanted.command[0] ?? '', new Error(await logTail(wanted.log)));
  await writeFile(`/proc/${identity.pid}/oom_score_adj`, OOM_SCORE).catch(() => undefined);
  return { identity, exited: exited.promise };
}

/** Watches a process started by an earlier hostd. */
export function watchDetached(identity: ProcessIdentity): DetachedProcess {
  const watch = async (): Promise<undefined> => {
    while (await isAlive(identity)) await unreferencedDelay(POLL_MS);
    return undefined;
  };
  return { identity, exited: watch() };
}

/** Sends a signal to that very process, if it is still there. */
export async function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<void> {
  if (!(await isAlive(identity))) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Ends a process: SIGTERM first when `graceMs` is given, then SIGKILL. Resolves once it is gone. */
export async function endProcess(identity: ProcessIdentity, graceMs = 0): Promise<void> {
  if (graceMs > 0) {
    await signalProcess(identity, 'SIGTERM');
    if (await endsWithin(identity, graceMs)) return;
  }
  await signalProcess(identity, 'SIGKILL');
  if (await endsWithin(identity, KILL_WAIT_MS)) return;
  throw new VicError({
    class: 'Unavailable',
    code: 'MACHINE_PROCESS_STUCK',
    message: `Process ${identity.pid} does not end although it was killed.`,
    remedy: 'Look for input or output that hangs in the kernel (dmesg).',
  });
}

const KILL_WAIT_MS = 10_000;

/** Whether the process is gone before the time is up. */
export async function endsWithin(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (await isAlive(identity)) {
    if (performance.now() > deadline) return false;
    await delay(5);
  }
  return true;
}

function dropPrivileges(wanted: DetachedCommand): readonly string[] {
  const wantedCapabilities = ['-all', ...wanted.capabilities.map((name) => `+${name}`)].join(',');
  return [
    ...['setpriv', `--reuid=${wanted.uid}`, `--regid=${wanted.uid}`],
    wanted.groups.length === 0 ? '--clear-groups' : `--groups=${wanted.groups.join(',')}`,
    ...[`--inh-caps=${wantedCapabilities}`, `--ambient-caps=${wantedCapabilities}`],
    ...[`--bounding-set=${wantedCapabilities}`, '--no-new-privs', '--'],
  ];
}

async function unreferencedDelay(ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

function notStarted(program: string, cause: Error): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'MACHINE_NOT_STARTED',
    message: `Cannot start ${program}: ${cause.message}.`,
    remedy: 'Install qemu-system-x86, qemu-utils and util-linux, and look at the log of the machine.',
    cause,
  });
}
