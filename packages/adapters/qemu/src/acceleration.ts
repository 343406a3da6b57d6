import { chown, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { cpus, release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isVicError } from '@vic/errors';
import { run } from '@vic/process';
import type { Acceleration } from './command-line.ts';
import { PROBE_EXIT_CODE, probeBootSector } from './probe-boot-sector.ts';
import { QEMU_PROGRAM } from './qemu-version.ts';

/**
 * Software emulation. The buffer for translated code is private to each machine and filled by whatever runs
 * in it: the default of 1 GiB would be the largest part of an idle machine, and less than this overflows while a
 * container starts. Without ERMS the guest's kernel copies and clears pages in unrolled loops instead of with
 * `rep movsb`, which is emulated byte by byte: a bare boot takes 0.85 of the time.
 */
export const SOFTWARE_ACCELERATION: Acceleration = { accel: 'tcg,tb-size=32', cpu: 'max,-erms' };

const HARDWARE_CANDIDATES: readonly Acceleration[] = [
  { accel: 'kvm', cpu: 'host' },
  { accel: 'kvm', cpu: 'qemu64' },
];
/** A working KVM boots the sector in a fifth of a second; a broken one hangs. */
const PROBE_TIMEOUT_MS = 5_000;

/** Options of {@link chooseAcceleration}. */
export interface AccelerationOptions {
  /** File that remembers the answer until the host restarts or QEMU changes. */
  readonly cacheFile: string;
  readonly qemuVersion: string;
  /** Machines run with fewer privileges than hostd: what they may not use, the probe may not use either. */
  readonly user: ProbeUser;
  readonly signal: AbortSignal;
}

/** How long a probe may take; as long as a working KVM may need when no time is given. */
export interface ProbeWait {
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
}

/** The user a probe runs as. */
export interface ProbeUser {
  readonly uid: number;
  readonly groups: readonly number[];
}

/**
 * The fastest way machines can run here.
 *
 * Found by booting a tiny guest into 64-bit mode: `/dev/kvm` may exist, open, and still run nothing.
 */
export async function chooseAcceleration(options: AccelerationOptions): Promise<Acceleration> {
  const host = await hostKey(options.qemuVersion);
  const known = await readCache(options.cacheFile, host);
  if (known !== undefined) return known;
  const chosen = (await firstThatBoots(options.user, options.signal)) ?? SOFTWARE_ACCELERATION;
  await writeCache(options.cacheFile, { host, ...chosen });
  return chosen;
}

/** Whether a small guest runs to its end this way. */
export async function bootsWith(acceleration: Acceleration, user: ProbeUser, wait: ProbeWait): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'vic-probe-'));
  try {
    const image = join(directory, 'sector.img');
    await writeFile(image, probeBootSector());
    await chown(directory, user.uid, user.uid);
    await chown(image, user.uid, user.uid);
    const args = [
      ...[`--reuid=${user.uid}`, `--regid=${user.uid}`, '--inh-caps=-all', '--bounding-set=-all', '--no-new-privs'],
      ...[user.groups.length === 0 ? '--clear-groups' : `--groups=${user.groups.join(',')}`, '--', QEMU_PROGRAM],
      ...['-accel', acceleration.accel, '-cpu', acceleration.cpu, '-m', '32M'],
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
      ...['-device', 'isa-debug-exit,iobase=0xf4,iosize=4'],
      ...['-drive', `if=ide,format=raw,file=${image.replaceAll(',', ',,')}`],
    ];
    const { signal, timeoutMs = PROBE_TIMEOUT_MS } = wait;
    const result = await run('setpriv', args, { timeoutMs, okCodes: [PROBE_EXIT_CODE], signal });
    return result.code === PROBE_EXIT_CODE;
  } catch (error) {
    if (isVicError(error, { code: 'PROCESS_FAILED' }) || isVicError(error, { code: 'PROCESS_TIMED_OUT' })) return false;
    throw error;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function firstThatBoots(user: ProbeUser, signal: AbortSignal): Promise<Acceleration | undefined> {
  for (const candidate of HARDWARE_CANDIDATES) {
    if (await bootsWith(candidate, user, { signal })) return candidate;
  }
  return undefined;
}

/** What the answer depends on; the boot id is in it because a host's KVM can be switched on by a restart. */
async function hostKey(version: string): Promise<string> {
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  return [version, release(), cpus()[0]?.model ?? '', bootId, SOFTWARE_ACCELERATION.accel].join('|');
}

async function readCache(file: string, host: string): Promise<Acceleration | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (!isCached(value) || value.host !== host) return undefined;
    return { accel: value.accel, cpu: value.cpu };
  } catch {
    // Missing or damaged: probed again.
    return undefined;
  }
}

async function writeCache(file: string, value: Acceleration & { readonly host: string }): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(value)}\n`);
  await rename(draft, file);
}

function isCached(value: unknown): value is Acceleration & { readonly host: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'host' in value &&
    typeof value.host === 'string' &&
    'accel' in value &&
    typeof value.accel === 'string' &&
    'cpu' in value &&
    typeof value.cpu === 'string'
  );
}
