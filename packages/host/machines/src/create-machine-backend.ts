import { chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Broadcast } from '@vic/async';
import type { MachineEvent } from '@vic/inventory';
import { BootImages, chooseAcceleration, pvhStub, qemuVersion } from '@vic/qemu';
import type { MachineBackendOptions } from './machine-backend-options.ts';
import { findCpuController } from './cpu-controller.ts';
import { CpuGroups } from './cpu-groups.ts';
import { MachineFiles } from './machine-files.ts';
import { Machines } from './machines.ts';
import { UserIds } from './user-ids.ts';

const TUN_DEVICE = '/dev/net/tun';
const PROBE_TIMEOUT_MS = 60_000;

/** Makes the backend that runs machines with QEMU and process VMs as host programs. Needs root. */
export async function createMachineBackend(options: MachineBackendOptions): Promise<Machines> {
  const { runtimeDirectory } = options;
  const memoryDirectory = options.memoryDirectory ?? runtimeDirectory;
  const machinesDirectory = join(runtimeDirectory, 'machines');
  const users = new UserIds(options.qemuUserBase);
  await makeTraversable(runtimeDirectory, users.commonGroup);
  await makeTraversable(memoryDirectory, users.commonGroup);
  await mkdir(machinesDirectory, { recursive: true, mode: 0o711 });
  await mkdir(join(runtimeDirectory, 'boot'), { recursive: true, mode: 0o755 });
  const stubKernel = join(runtimeDirectory, 'boot', 'stub');
  await writeFile(stubKernel, pvhStub(), { mode: 0o644 });
  await openTunDevice();
  const version = await qemuVersion();
  const groups = [users.commonGroup, ...(await hardwareGroups())];
  const acceleration = await chooseAcceleration({
    user: { uid: users.commonGroup, groups },
    cacheFile: join(runtimeDirectory, 'acceleration.json'),
    qemuVersion: version,
    signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
  });
  options.logger.info('machines run with', { acceleration: acceleration.accel, cpu: acceleration.cpu, qemu: version });
  const context = {
    ...{ programs: options.programs, network: options.network, users, groups, stubKernel, acceleration },
    ...{ qemuVersion: version, logger: options.logger, events: new Broadcast<MachineEvent>() },
    files: (id: string) => new MachineFiles(runtimeDirectory, memoryDirectory, id),
    cpuGroups: await openCpuGroups(options),
    bootImages: new BootImages(join(runtimeDirectory, 'boot')),
    bootId: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim(),
  };
  return new Machines(context, machinesDirectory);
}

async function openCpuGroups({ cpuGroup, logger }: MachineBackendOptions): Promise<CpuGroups | undefined> {
  if (cpuGroup === undefined) return undefined;
  const controller = await findCpuController();
  if (controller === undefined) {
    logger.warn('Processors cannot be limited or shared out: the kernel has no control groups for them here.');
    return undefined;
  }
  try {
    return await CpuGroups.open(controller, cpuGroup);
  } catch (error) {
    logger.warn('Processors cannot be limited or shared out: the control groups cannot be written.', {
      directory: controller.directory,
      error: String(error),
    });
    return undefined;
  }
}

/** Removes the control groups of a host whose machines are off. */
export async function removeCpuGroups(cpuGroup: string): Promise<void> {
  const controller = await findCpuController();
  const groups =
    controller === undefined ? undefined : await CpuGroups.open(controller, cpuGroup).catch(() => undefined);
  await groups?.remove();
}

/** Machines pass through these folders to their own; they see no names in them. */
async function makeTraversable(directory: string, group: number): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o711 });
  const { mode, gid } = await stat(directory);
  if ((mode & 0o001) !== 0) return;
  if (gid !== group) await chown(directory, 0, group);
  await chmod(directory, (mode & 0o7777) | 0o011);
}

/**
 * Gives the tun device the mode udev gives it (50-udev-default.rules), for hosts without udev.
 *
 * Opening it grants nothing: attaching to a tap takes being its owner, and making one takes CAP_NET_ADMIN.
 */
async function openTunDevice(): Promise<void> {
  const { mode } = await stat(TUN_DEVICE);
  if ((mode & 0o666) !== 0o666) await chmod(TUN_DEVICE, 0o666);
}

/** The group that may use hardware acceleration, where not everybody may. */
async function hardwareGroups(): Promise<readonly number[]> {
  const device = await stat('/dev/kvm').catch(() => undefined);
  if (device === undefined || device.gid === 0 || (device.mode & 0o060) !== 0o060) return [];
  return [device.gid];
}
