import { chmod, chown, open, rm } from 'node:fs/promises';
import { Mutex } from '@vic/async';
import { isVicError } from '@vic/errors';
import type { DiskAttachment, MachineExit, MachineSpec, MachineUsage, NicAttachment } from '@vic/inventory';
import type { ProcessIdentity } from '@vic/process';
import { CONSOLE_BYTES, CONSOLE_DEVICE, saveDeviceState } from '@vic/qemu';
import type { QmpClient } from '@vic/qemu';
import { endProcess, endsWithin, watchDetached } from './detached-process.ts';
import { grantDisk, revokeDisk } from './disk-access.ts';
import { findQemuProcesses } from './find-processes.ts';
import { GuestinfoJournal } from './guestinfo-journal.ts';
import type { JournalLine } from './journal-line.ts';
import type { Machine } from './machine.ts';
import type { MachineContext } from './machine-context.ts';
import { isFrozen, noDevice, notAnswering, notRunning, sourceUnusable } from './machine-errors.ts';
import type { MachineFiles } from './machine-files.ts';
import { writeRecord } from './machine-record.ts';
import type { MachineRecord, NicRecord } from './machine-record.ts';
import { fitsThisHost, shapeOf } from './machine-shape.ts';
import { processUsage } from './process-usage.ts';
import { QemuControl } from './qemu-control.ts';
import {
  RESERVED_UNIT,
  nicDevice,
  plugDisk,
  plugNic,
  setLink,
  unplugDisk,
  unplugNic,
  unplugPlaceholder,
} from './qemu-devices.ts';
import { exitOf } from './qemu-exit.ts';
import { launchQemu } from './qemu-launch.ts';
import type { LaunchedQemu } from './qemu-launch.ts';

/** Writing out what the disks' caches hold may take a moment; nobody waits longer for a machine to end. */
const QUIT_TIMEOUT_MS = 2_000;
/** How long the host's start waits for one machine's answer; the machine is taken over all the same. */
const ADOPT_PATIENCE_MS = 5_000;

/** A virtual machine: one QEMU process, or, frozen, the memory and device state it left. */
export class QemuMachine implements Machine {
  readonly #context: MachineContext;
  readonly #files: MachineFiles;
  readonly #journal: GuestinfoJournal;
  readonly #lock = new Mutex();
  #record: MachineRecord;
  #control: QemuControl | undefined;
  /** Set while we end the process ourselves: its end is no event then. */
  #ending = false;
  #released = false;
  /** The guest asked for it while there was no control connection. */
  #freezeWanted = false;

  private constructor(context: MachineContext, record: MachineRecord) {
    this.#context = context;
    this.#record = record;
    this.#files = context.files(record.id);
    this.#journal = new GuestinfoJournal(this.#files.journal, {
      onLine: (line) => this.#onLine(line),
      onOverflow: () => void this.#stopOverflowing(),
    });
  }

  /** Boots a machine. Its memory is a file, so that it can become an instant clone source. */
  static async boot(context: MachineContext, spec: MachineSpec, signal: AbortSignal): Promise<QemuMachine> {
    const boot = spec.bootIso === undefined ? undefined : await context.bootImages.get(spec.bootIso);
    // A machine that was a clone never becomes a source: its memory needs no file.
    const freezable = spec.forkedFrom === undefined;
    const { memory } = context.files(spec.id);
    const launched = await launchQemu(
      context,
      {
        ...{ spec, boot, groups: [], deviceState: undefined },
        memory: freezable ? { kind: 'file', path: memory, shared: true } : { kind: 'anonymous' },
        shape: freezable ? shapeOf(context, spec, boot?.digest) : undefined,
      },
      signal,
    );
    return QemuMachine.#started(context, launched);
  }

  /** Starts a machine as a clone of this frozen one. */
  async fork(spec: MachineSpec, signal: AbortSignal): Promise<QemuMachine> {
    const reason = await this.cannotFork(spec);
    if (reason !== undefined) throw sourceUnusable(this.id, reason);
    await using deviceState = await open(this.#files.deviceState, 'r');
    const boot = { kernel: this.#context.stubKernel, initramfs: undefined, commandLine: '' };
    const launched = await launchQemu(
      this.#context,
      {
        ...{ spec, deviceState, shape: undefined, groups: [this.#record.uid] },
        boot: spec.bootIso === undefined ? undefined : boot,
        memory: { kind: 'file', path: this.#files.memory, shared: false },
      },
      signal,
    );
    return QemuMachine.#started(this.#context, launched);
  }

  /** Why `spec` cannot be a clone of this machine, or `undefined` when it can. */
  async cannotFork(spec: MachineSpec): Promise<string | undefined> {
    if (!this.isFrozen) return 'it is not frozen';
    const boot = spec.bootIso === undefined ? undefined : await this.#context.bootImages.get(spec.bootIso);
    if (this.#record.shape === shapeOf(this.#context, spec, boot?.digest)) return undefined;
    return 'it differs in processors, memory, boot image or QEMU version';
  }

  /** Takes over a machine an earlier hostd started; `undefined` when it is gone or of no use any more. */
  static async adopt(
    context: MachineContext,
    record: MachineRecord,
    signal: AbortSignal,
  ): Promise<QemuMachine | undefined> {
    context.users.reserve(record.uid);
    const machine = new QemuMachine(context, record);
    if (record.phase === 'frozen') {
      await machine.#journal.drain();
      if (record.shape !== undefined && fitsThisHost(context, record.shape)) return machine;
      await machine.#releaseAll();
      return undefined;
    }
    const process = record.bootId === context.bootId ? await livingProcess(record) : undefined;
    // One that was still being made has not all its devices: nobody was told that it is on.
    if (process !== undefined && record.phase === 'starting') await endProcess(process);
    if (process === undefined || record.phase === 'starting') {
      await machine.#journal.drain();
      await machine.#releaseAll();
      return undefined;
    }
    machine.#watch(process, watchDetached(process).exited);
    await machine.#control?.connect(ADOPT_PATIENCE_MS, signal);
    await machine.#journal.start();
    return machine;
  }

  static async #started(context: MachineContext, launched: LaunchedQemu): Promise<QemuMachine> {
    const machine = new QemuMachine(context, launched.record);
    machine.#watch(launched.process.identity, launched.process.exited);
    machine.#control?.use(launched.client);
    await machine.#journal.start();
    return machine;
  }

  get process(): ProcessIdentity | undefined {
    return this.#record.process;
  }

  get id(): string {
    return this.#record.id;
  }

  get isFrozen(): boolean {
    return this.#record.phase === 'frozen';
  }

  async powerOff(): Promise<void> {
    await this.#lock.run(async () => {
      await this.#end();
      this.#journal.stop();
      await this.#releaseAll();
    });
  }

  async shutdownGuest(signal: AbortSignal): Promise<void> {
    await this.#command('system_powerdown', signal);
  }

  async suspend(signal: AbortSignal): Promise<void> {
    await this.#command('stop', signal);
  }

  async resume(signal: AbortSignal): Promise<void> {
    await this.#command('cont', signal);
  }

  async attachDisk(disk: DiskAttachment, signal: AbortSignal): Promise<void> {
    await this.#lock.run(async () => {
      const client = this.#qmp();
      const { key, path, unitNumber, readOnly } = disk;
      await grantDisk(path, readOnly, this.#record.uid, this.#context.users.commonGroup);
      if (unitNumber === RESERVED_UNIT) await unplugPlaceholder(client, signal);
      await plugDisk(client, disk, signal);
      await this.#save({ disks: [...this.#record.disks, { key, path, unitNumber, readOnly }] });
    });
  }

  async detachDisk(key: number, signal: AbortSignal): Promise<void> {
    await this.#lock.run(async () => {
      const disk = this.#record.disks.find((candidate) => candidate.key === key);
      if (disk === undefined) throw noDevice(this.id, key);
      await unplugDisk(this.#qmp(), key, signal);
      if (!disk.readOnly) await revokeDisk(disk.path);
      await this.#save({ disks: this.#record.disks.filter((candidate) => candidate !== disk) });
    });
  }

  async attachNic(nic: NicAttachment, signal: AbortSignal): Promise<void> {
    await this.#lock.run(async () => {
      const client = this.#qmp();
      await using undo = new AsyncDisposableStack();
      const port = await this.#context.network.createTap(nic.portGroup, this.#record.uid);
      undo.defer(async () => this.#context.network.removeTap(port));
      const { key, mac, portGroup } = nic;
      const added: NicRecord = { key, mac, portGroup, port, device: nicDevice(key) };
      await plugNic(client, added, signal);
      await setLink(client, added.device, nic.connected, signal);
      undo.move();
      await this.#save({ nics: [...this.#record.nics, added] });
    });
  }

  async detachNic(key: number, signal: AbortSignal): Promise<void> {
    await this.#lock.run(async () => {
      const nic = this.#nic(key);
      await unplugNic(this.#qmp(), nic.device, signal);
      await this.#context.network.removeTap(nic.port);
      await this.#save({ nics: this.#record.nics.filter((candidate) => candidate !== nic) });
    });
  }

  async updateNic(nic: NicAttachment, signal: AbortSignal): Promise<void> {
    await this.#lock.run(async () => {
      const known = this.#nic(nic.key);
      if (known.portGroup !== nic.portGroup) await this.#context.network.movePort(known.port, nic.portGroup);
      await setLink(this.#qmp(), known.device, nic.connected, signal);
      const moved = { ...known, portGroup: nic.portGroup };
      await this.#save({ nics: this.#record.nics.map((each) => (each === known ? moved : each)) });
    });
  }

  async usage(): Promise<MachineUsage> {
    return processUsage(this.#record.process?.pid ?? 0);
  }

  /** The last output on the serial console, to find out why a machine does not come up. */
  async console(signal: AbortSignal): Promise<string> {
    const args = { device: CONSOLE_DEVICE, size: CONSOLE_BYTES };
    const text = await this.#qmp().execute('ringbuf-read', args, { signal });
    return typeof text === 'string' ? text : '';
  }

  release(): void {
    this.#released = true;
    this.#journal.stop();
    this.#control?.close();
  }

  async #command(command: string, signal: AbortSignal): Promise<void> {
    await this.#lock.run(async () => this.#qmp().execute(command, {}, { signal }));
  }

  #qmp(): QmpClient {
    if (this.isFrozen) throw isFrozen(this.id);
    if (this.#ending || this.#control === undefined) throw notRunning(this.id);
    if (this.#control.client === undefined) throw notAnswering(this.id);
    return this.#control.client;
  }

  #nic(key: number): NicRecord {
    const nic = this.#record.nics.find((candidate) => candidate.key === key);
    if (nic === undefined) throw noDevice(this.id, key);
    return nic;
  }

  async #save(change: Partial<MachineRecord>): Promise<void> {
    this.#record = { ...this.#record, ...change };
    await writeRecord(this.#files.record, this.#record);
  }

  #watch(process: ProcessIdentity, exited: Promise<number | undefined>): void {
    const { logger } = this.#context;
    this.#control = new QemuControl(
      { machine: this.id, socket: this.#files.qmp, process, logger },
      {
        connected: () => {
          if (this.#freezeWanted) this.#startFreeze();
        },
        waiting: (forRoom) => this.#context.events.publish({ type: 'waiting', id: this.id, forRoom }),
      },
    );
    void exited
      .then(async () => this.#onGone())
      .catch((error: unknown) => logger.error('the end of a machine was not handled', { machine: this.id, error }));
  }

  /** The process ended, and not because we told it to. */
  async #onGone(): Promise<void> {
    if (this.#ending || this.#released) return;
    await this.#lock.run(async () => {
      if (this.#ending || this.#released) return;
      this.#ending = true;
      this.#control?.stop();
      await this.#control?.drained();
      await this.#journal.drain();
      this.#journal.stop();
      await this.#releaseAll();
      const reason = this.#control?.shutdownReason;
      this.#publishExit(exitOf(reason), reason ?? 'QEMU ended unexpectedly');
    });
  }

  #publishExit(exit: MachineExit, detail: string): void {
    this.#context.onEnded(this.id);
    this.#context.events.publish({ type: 'exited', id: this.id, exit, detail });
  }

  #onLine(line: JournalLine): void {
    if (line.kind === 'value') {
      this.#context.events.publish({ type: 'guestinfo', id: this.id, key: line.key, value: line.value });
    } else {
      this.#startFreeze();
    }
  }

  #startFreeze(): void {
    if (this.isFrozen || this.#ending) return;
    this.#freezeWanted = this.#control?.client === undefined;
    if (this.#freezeWanted) return;
    this.#freeze().catch((error: unknown) => {
      this.#context.logger.error('a machine could not be frozen', { machine: this.id, error });
    });
  }

  async #freeze(): Promise<void> {
    await this.#lock.run(async () => {
      const { shape, uid } = this.#record;
      if (this.isFrozen || this.#ending) return;
      const client = this.#qmp();
      if (shape === undefined) throw sourceUnusable(this.id, 'it is a clone itself');
      const signal = AbortSignal.timeout(60_000);
      await client.execute('stop', {}, { signal });
      try {
        const target = { file: this.#files.deviceState, socket: this.#files.migration, uid };
        await saveDeviceState(client, target, signal);
      } catch (error) {
        await client.execute('cont');
        throw error;
      }
      await this.#end();
      await this.#journal.drain();
      this.#journal.stop();
      await this.#keepForClones(uid);
      this.#context.events.publish({ type: 'frozen', id: this.id });
    });
  }

  /** Clones map the memory privately, but QEMU before 8.2 opens it for writing: only clones of this machine may. */
  async #keepForClones(uid: number): Promise<void> {
    await chown(this.#files.memory, 0, uid);
    await chmod(this.#files.memory, 0o660);
    await this.#releaseDevices();
    await this.#save({ phase: 'frozen', process: undefined, nics: [], disks: [] });
  }

  async #end(): Promise<void> {
    this.#ending = true;
    const { process } = this.#record;
    const client = this.#control?.client;
    this.#control?.stop();
    if (process === undefined) return;
    try {
      await client?.execute('quit', {}, { timeoutMs: QUIT_TIMEOUT_MS });
    } catch (error) {
      if (!isVicError(error, { code: 'QMP_CLOSED' }) && !isVicError(error, { code: 'DEADLINE_EXCEEDED' })) throw error;
    }
    if (!(await endsWithin(process, QUIT_TIMEOUT_MS))) await endProcess(process);
    client?.close();
  }

  async #stopOverflowing(): Promise<void> {
    if (this.#ending) return;
    this.#context.logger.warn('a machine wrote too much guestinfo and is ended', { machine: this.id });
    await this.powerOff();
    this.#publishExit('crashed', 'The guest wrote more guestinfo than is allowed.');
  }

  async #releaseDevices(): Promise<void> {
    for (const nic of this.#record.nics) await this.#context.network.removeTap(nic.port);
    for (const disk of this.#record.disks) if (!disk.readOnly) await revokeDisk(disk.path);
  }

  async #releaseAll(): Promise<void> {
    await this.#releaseDevices();
    await rm(this.#files.memory, { force: true });
    await rm(this.#files.deviceState, { force: true });
    await rm(this.#files.record, { force: true });
    this.#context.users.release(this.#record.uid);
  }
}

/** The process of a record; one that was never written down is found by the name it was started with. */
async function livingProcess(record: MachineRecord): Promise<ProcessIdentity | undefined> {
  const { process } = record;
  if (process === undefined) return (await findQemuProcesses()).get(record.id);
  return (await endsWithin(process, 0)) ? undefined : process;
}
