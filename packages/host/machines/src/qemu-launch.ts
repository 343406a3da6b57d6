import { chown, open, rm, statfs } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { VicError } from '@vic/errors';
import type { DiskAttachment, MachineSpec } from '@vic/inventory';
import { createTap, deleteLink, interfaceNameFor } from '@vic/network';
import { PRIMARY_NIC, QEMU_PROGRAM, QmpClient, machineArguments, restoreDeviceState } from '@vic/qemu';
import type { KernelBoot, MachineMemory } from '@vic/qemu';
import { INPUT_FD, endProcess, startDetached } from './detached-process.ts';
import type { DetachedProcess } from './detached-process.ts';
import { grantDisk, revokeDisk } from './disk-access.ts';
import { logTail } from './log-limit.ts';
import type { MachineContext } from './machine-context.ts';
import { appendable } from './machine-files.ts';
import type { MachineFiles } from './machine-files.ts';
import { StepTimes } from './step-times.ts';
import { writeRecord } from './machine-record.ts';
import type { MachineRecord, NicRecord } from './machine-record.ts';
import { RESERVED_UNIT, nicDevice, plugDisk, plugNic, plugPlaceholder, setLink } from './qemu-devices.ts';
import { serialDevices } from './qemu-serial.ts';

/** How a QEMU process is started. */
export interface LaunchPlan {
  readonly spec: MachineSpec;
  readonly memory: MachineMemory;
  readonly boot: KernelBoot | undefined;
  readonly shape: string | undefined;
  /** Groups besides the common one. */
  readonly groups: readonly number[];
  /** Device state of the machine whose memory this one continues. */
  readonly deviceState: FileHandle | undefined;
}

/** A machine that runs. */
export interface LaunchedQemu {
  readonly process: DetachedProcess;
  readonly client: QmpClient;
  readonly record: MachineRecord;
}

const CONNECT_TIMEOUT_MS = 20_000;
/** Of a machine that has no network card of its own; nothing ever leaves it. */
const UNUSED_MAC = '02:00:00:00:00:01';
/** No device of VIM's has it. */
const IDLE_KEY = -1;

/** Starts QEMU, gives it its state, disks and network cards, and lets it run. Undoes everything on failure. */
export async function launchQemu(
  context: MachineContext,
  plan: LaunchPlan,
  signal: AbortSignal,
): Promise<LaunchedQemu> {
  await using undo = new AsyncDisposableStack();
  const { spec } = plan;
  const steps = new StepTimes();
  const files = context.files(spec.id);
  const uid = context.users.allocate();
  undo.defer(() => context.users.release(uid));
  const disks = spec.disks.map(({ key, path, unitNumber, readOnly }) => ({ key, path, unitNumber, readOnly }));
  const intention: MachineRecord = {
    ...{ id: spec.id, name: spec.name, kind: 'qemu', uid, bootId: context.bootId, phase: 'starting' },
    ...{ process: undefined, nics: [], disks, shape: plan.shape, shuttingDown: false },
  };
  await files.create(uid);
  undo.defer(async () => rm(files.record, { force: true }));
  await writeRecord(files.record, intention);
  const nics = await prepare(context, plan, files, uid, undo);
  steps.end('prepareMs');
  const process = await startQemu(context, plan, files, uid, nics);
  undo.defer(async () => endProcess(process.identity));
  const record: MachineRecord = { ...intention, process: process.identity, nics };
  for (const disk of disks) if (!disk.readOnly) undo.defer(async () => revokeDisk(disk.path));
  const [client] = await Promise.all([
    connect(files, process, signal),
    writeRecord(files.record, record),
    ...disks.map(async (disk) => grantDisk(disk.path, disk.readOnly, uid, context.users.commonGroup)),
  ]);
  undo.defer(() => client.close());
  steps.end('startMs');
  if (spec.reservedDiskBytes !== undefined) await plugReserved(client, spec, spec.reservedDiskBytes, signal);
  if (plan.deviceState !== undefined) await restoreDeviceState(client, INPUT_FD, signal);
  steps.end('restoreMs');
  await plugIn(client, spec, nics, signal);
  steps.end('plugMs');
  await client.execute('cont', {}, { signal });
  const running: MachineRecord = { ...record, phase: 'running' };
  await writeRecord(files.record, running);
  steps.end('resumeMs');
  undo.move();
  context.logger.debug('a machine runs', { machine: spec.id, ...steps.milliseconds });
  return { process, client, record: running };
}

async function prepare(
  context: MachineContext,
  plan: LaunchPlan,
  files: MachineFiles,
  uid: number,
  undo: AsyncDisposableStack,
): Promise<readonly NicRecord[]> {
  const { spec, memory } = plan;
  const [nics] = await Promise.all([
    createTaps(context, spec, uid, undo),
    files.writeGuestinfo(uid, spec.guestinfo),
    ...spec.serialPorts.map(async ({ backing }) =>
      backing.kind === 'file' ? appendable(backing.path, uid) : undefined,
    ),
    memory.kind === 'file' && memory.shared ? createMemory(memory.path, spec.memoryMiB, uid) : undefined,
  ]);
  return nics;
}

async function createTaps(
  context: MachineContext,
  spec: MachineSpec,
  uid: number,
  undo: AsyncDisposableStack,
): Promise<readonly NicRecord[]> {
  const nics: NicRecord[] = spec.nics.length === 0 ? [await createIdleTap(spec.id, uid, undo)] : [];
  for (const [index, { key, mac, portGroup }] of spec.nics.entries()) {
    const port = await context.network.createTap(portGroup, uid);
    undo.defer(async () => context.network.removeTap(port));
    nics.push({ key, mac, port, portGroup, device: index === 0 ? PRIMARY_NIC : nicDevice(key) });
  }
  return nics;
}

/**
 * The card that is always there, of a machine that has none: its cable is pulled.
 *
 * It has a tap nevertheless, connected to nothing, because device state made with one fits nothing else.
 */
async function createIdleTap(id: string, uid: number, undo: AsyncDisposableStack): Promise<NicRecord> {
  const port = interfaceNameFor('idle', id);
  // One that is there already was left by a hostd that was killed in between.
  await deleteLink({}, port);
  await createTap({}, { name: port, ownerUid: uid });
  undo.defer(async () => void (await deleteLink({}, port)));
  return { key: IDLE_KEY, mac: UNUSED_MAC, port, portGroup: '', device: PRIMARY_NIC };
}

/** A new memory file, all holes; one that does not fit would end the machine later without a word. */
async function createMemory(path: string, memoryMiB: number, uid: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path));
  const sizeBytes = memoryMiB * 1024 * 1024;
  if (bavail * bsize < sizeBytes) throw noRoom(dirname(path), memoryMiB);
  await rm(path, { force: true });
  await using file = await open(path, 'wx', 0o600);
  await file.truncate(sizeBytes);
  await chown(path, uid, uid);
}

async function startQemu(
  context: MachineContext,
  plan: LaunchPlan,
  files: MachineFiles,
  uid: number,
  nics: readonly NicRecord[],
): Promise<DetachedProcess> {
  const { spec } = plan;
  // The socket of an earlier run would be refused for a moment, then replaced.
  await rm(files.qmp, { force: true });
  const args = machineArguments({
    ...{ name: spec.id, uuid: spec.id, acceleration: context.acceleration },
    ...{ cpus: spec.cpus, memoryMiB: spec.memoryMiB, memory: plan.memory, boot: plan.boot, qmpSocket: files.qmp },
    ports: {
      ...serialDevices(spec),
      guestinfoIn: { kind: 'pipe', path: files.guestinfoPipe },
      guestinfoOut: { kind: 'append', path: files.journal },
    },
    nic: { mac: nics[0]?.mac ?? UNUSED_MAC, tap: nics[0]?.port ?? '' },
    incoming: plan.deviceState !== undefined,
  });
  return startDetached({
    ...{ command: [QEMU_PROGRAM, ...args], environment: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } },
    ...{ uid, groups: [...context.groups, ...plan.groups], capabilities: [], log: files.log },
    ...(plan.deviceState === undefined ? {} : { input: plan.deviceState }),
  });
}

async function connect(files: MachineFiles, process: DetachedProcess, signal: AbortSignal): Promise<QmpClient> {
  const stop = new AbortController();
  const ended = process.exited.then(async () => {
    stop.abort();
    throw await startFailure(files);
  });
  ended.catch(() => undefined);
  const options = { timeoutMs: CONNECT_TIMEOUT_MS, signal: AbortSignal.any([signal, stop.signal]) };
  const connected = QmpClient.connect(files.qmp, options);
  // When QEMU ends, the reason is in its log, not in the connection that broke.
  return connected.catch(async (error: unknown) => (stop.signal.aborted ? ended : Promise.reject(error)));
}

async function plugIn(
  client: QmpClient,
  spec: MachineSpec,
  nics: readonly NicRecord[],
  signal: AbortSignal,
): Promise<void> {
  for (const disk of spec.disks) if (!isReserved(spec, disk)) await plugDisk(client, disk, signal);
  for (const nic of nics.slice(1)) await plugNic(client, nic, signal);
  for (const [index, nic] of nics.entries()) {
    // Restored state brings the source's cable along: it is set in any case.
    await setLink(client, nic.device, spec.nics[index]?.connected ?? false, signal);
  }
}

/** Device state holds this place: what is there has to be before the state is restored. */
async function plugReserved(
  client: QmpClient,
  spec: MachineSpec,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<void> {
  const disk = spec.disks.find((candidate) => isReserved(spec, candidate));
  if (disk === undefined) await plugPlaceholder(client, sizeBytes, signal);
  else await plugDisk(client, disk, signal);
}

function isReserved(spec: MachineSpec, disk: DiskAttachment): boolean {
  return spec.reservedDiskBytes !== undefined && disk.unitNumber === RESERVED_UNIT;
}

async function startFailure(files: MachineFiles): Promise<VicError> {
  return new VicError({
    class: 'Unavailable',
    code: 'MACHINE_START_FAILED',
    message: `QEMU ended before the machine ran: ${await logTail(files.log)}`,
  });
}

function noRoom(directory: string, memoryMiB: number): VicError {
  return new VicError({
    class: 'ResourceExhausted',
    code: 'MACHINE_NO_MEMORY',
    message: `${directory} has no room for the ${memoryMiB} MiB of memory of a machine.`,
    remedy: 'Power off machines that are not needed, or give the host more memory.',
  });
}
