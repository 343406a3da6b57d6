import { chown, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Mutex } from '@vic/async';
import type { DiskAttachment, MachineExit, MachineSpec, MachineUsage, NicAttachment } from '@vic/inventory';
import { createNamespace, deleteNamespace, inNamespace, namespaceExists } from '@vic/network';
import { isAlive } from '@vic/process';
import type { ProcessIdentity } from '@vic/process';
import { endProcess, signalProcess, startDetached, watchDetached } from './detached-process.ts';
import type { DetachedProcess } from './detached-process.ts';
import { grantDisk, revokeDisk } from './disk-access.ts';
import { serveDisk, stopServing } from './disk-server.ts';
import { readEnvironmentFile } from './environment-file.ts';
import { processesInNamespace } from './find-processes.ts';
import { GuestinfoJournal } from './guestinfo-journal.ts';
import type { Machine } from './machine.ts';
import type { MachineContext } from './machine-context.ts';
import { noDevice, notRunning, notSupported } from './machine-errors.ts';
import { appendable, replaceOwned } from './machine-files.ts';
import type { MachineFiles } from './machine-files.ts';
import type { MachineProgram } from './machine-backend-options.ts';
import { writeRecord } from './machine-record.ts';
import type { DiskRecord, MachineRecord, NicRecord } from './machine-record.ts';
import { processUsage } from './process-usage.ts';

/** What a process VM may do in its own network namespace: configure it, and serve DNS and DHCP. */
const CAPABILITIES = ['net_admin', 'net_bind_service', 'net_raw'] as const;
const TERMINATE_GRACE_MS = 5_000;

/**
 * A process VM: a host program in a network namespace of its own.
 *
 * When the program dies its namespace, NICs and disks stay, and the next start uses them again; they go with
 * {@link powerOff} or an orderly shutdown.
 */
export class ProcessMachine implements Machine {
  readonly isFrozen = false;
  readonly #context: MachineContext;
  readonly #files: MachineFiles;
  readonly #journal: GuestinfoJournal;
  readonly #lock = new Mutex();
  #record: MachineRecord;
  #ending = false;
  #released = false;

  private constructor(context: MachineContext, record: MachineRecord) {
    this.#context = context;
    this.#record = record;
    this.#files = context.files(record.id);
    this.#journal = new GuestinfoJournal(this.#files.deviceJournal, {
      onLine: (line) => {
        if (line.kind === 'freeze') return;
        context.events.publish({ type: 'guestinfo', id: record.id, key: line.key, value: line.value });
      },
      onOverflow: () => void this.#stopOverflowing(),
    });
  }

  /** A machine that is not started yet; one that never could be is refused. */
  static create(context: MachineContext, spec: MachineSpec): ProcessMachine {
    programOf(context, spec);
    const uid = context.users.allocate();
    return new ProcessMachine(context, {
      ...{ id: spec.id, name: spec.name, kind: 'process', uid, bootId: context.bootId, phase: 'running' },
      ...{ process: undefined, nics: [], disks: [], shape: undefined, shuttingDown: false },
    });
  }

  /** Takes over a machine of an earlier hostd; it may have to be started again. */
  static adopt(context: MachineContext, record: MachineRecord): ProcessMachine {
    context.users.reserve(record.uid);
    if (record.bootId === context.bootId) return new ProcessMachine(context, record);
    // The host was restarted: ports, namespace and processes went with it.
    const nothing = { process: undefined, nics: [], disks: [], bootId: context.bootId };
    return new ProcessMachine(context, { ...record, ...nothing });
  }

  get process(): ProcessIdentity | undefined {
    return this.#record.process;
  }

  get id(): string {
    return this.#record.id;
  }

  /** Whether the program runs. */
  async isAlive(): Promise<boolean> {
    return this.#record.process !== undefined && (await isAlive(this.#record.process));
  }

  /** Watches a program that already runs, and reads its journal from the beginning. */
  async follow(): Promise<void> {
    if (this.#record.process === undefined) throw notRunning(this.id);
    await this.#watch(watchDetached(this.#record.process));
  }

  /** Publishes what the program reported before it died. */
  async replay(): Promise<void> {
    await this.#journal.drain();
  }

  /** Makes namespace, NICs and disks what the specification says and starts the program. */
  async start(spec: MachineSpec, signal: AbortSignal): Promise<void> {
    const program = programOf(this.#context, spec);
    await this.#lock.run(async () => {
      try {
        await this.#prepare(spec, signal);
        await this.#endLeftovers();
        const process = await this.#spawn(program);
        await this.#save({ process: process.identity, shuttingDown: false });
        this.#ending = false;
        await this.#watch(process);
      } catch (error) {
        if (this.#record.process === undefined) await this.#releaseAll();
        throw error;
      }
    });
  }

  async powerOff(): Promise<void> {
    await this.#lock.run(async () => {
      this.#ending = true;
      if (this.#record.process !== undefined) await endProcess(this.#record.process, TERMINATE_GRACE_MS);
      this.#journal.stop();
      await this.#endLeftovers();
      await this.#releaseAll();
    });
  }

  async shutdownGuest(): Promise<void> {
    await this.#lock.run(async () => {
      const { process } = this.#record;
      if (process === undefined) throw notRunning(this.id);
      await this.#save({ shuttingDown: true });
      await signalProcess(process, 'SIGTERM');
    });
  }

  async suspend(): Promise<void> {
    throw notSupported('A process VM cannot be suspended.', 'Power it off instead.');
  }

  async resume(): Promise<void> {
    throw notSupported('A process VM cannot be suspended, nor resumed.');
  }

  async attachDisk(disk: DiskAttachment): Promise<void> {
    await this.#lock.run(async () => this.#addDisk(disk));
  }

  async detachDisk(key: number): Promise<void> {
    await this.#lock.run(async () => {
      const disk = this.#record.disks.find((candidate) => candidate.key === key);
      if (disk === undefined) throw noDevice(this.id, key);
      await this.#dropDisk(disk);
    });
  }

  async attachNic(nic: NicAttachment): Promise<void> {
    await this.#lock.run(async () => this.#addNic(nic));
  }

  async detachNic(key: number): Promise<void> {
    await this.#lock.run(async () => this.#dropNic(this.#nic(key)));
  }

  async updateNic(nic: NicAttachment): Promise<void> {
    await this.#lock.run(async () => {
      const known = this.#nic(nic.key);
      await this.#context.network.movePort(known.port, nic.connected ? nic.portGroup : undefined);
      const moved = { ...known, portGroup: nic.portGroup };
      await this.#save({ nics: this.#record.nics.map((each) => (each === known ? moved : each)) });
    });
  }

  async usage(): Promise<MachineUsage> {
    return processUsage(this.#record.process?.pid ?? 0);
  }

  release(): void {
    this.#released = true;
    this.#journal.stop();
  }

  get #namespace(): string {
    return `vm-${this.id}`;
  }

  async #prepare(spec: MachineSpec, signal: AbortSignal): Promise<void> {
    const { uid } = this.#record;
    await this.#files.create(uid);
    await mkdir(this.#files.device, { recursive: true, mode: 0o711 });
    for (const folder of [this.#files.deviceDisks, this.#files.deviceSpool]) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await chown(folder, uid, uid);
    }
    const guestinfo = `${JSON.stringify(spec.guestinfo)}\n`;
    await replaceOwned(join(this.#files.device, 'guestinfo.json'), uid, 0o600, guestinfo);
    await appendable(this.#files.deviceJournal, uid);
    if (!(await namespaceExists(this.#namespace))) {
      // A name without a namespace is what a crash in the middle leaves.
      await deleteNamespace(this.#namespace);
      await createNamespace(this.#namespace);
      await this.#save({ nics: [] });
    }
    for (const nic of this.#record.nics) if (!spec.nics.some((each) => each.key === nic.key)) await this.#dropNic(nic);
    for (const nic of spec.nics) if (!this.#record.nics.some((each) => each.key === nic.key)) await this.#addNic(nic);
    await this.#matchDisks(spec, signal);
  }

  /** A program that a hostd started and was killed before it wrote that down, or what a dead program left running. */
  async #endLeftovers(): Promise<void> {
    for (const process of await processesInNamespace(this.#namespace)) await endProcess(process, TERMINATE_GRACE_MS);
  }

  async #matchDisks(spec: MachineSpec, signal: AbortSignal): Promise<void> {
    for (const disk of this.#record.disks) {
      const served = disk.server !== undefined && (await isAlive(disk.server));
      if (!served || !spec.disks.some((each) => each.key === disk.key)) await this.#dropDisk(disk);
    }
    for (const disk of spec.disks) {
      signal.throwIfAborted();
      if (!this.#record.disks.some((each) => each.key === disk.key)) await this.#addDisk(disk);
    }
  }

  async #spawn(program: MachineProgram): Promise<DetachedProcess> {
    const fromFile = program.environmentFile === undefined ? {} : await readEnvironmentFile(program.environmentFile);
    return startDetached({
      ...{ command: program.command, uid: this.#record.uid, groups: [], capabilities: CAPABILITIES },
      ...{ log: this.#files.log, prefix: inNamespace(this.#namespace, []) },
      environment: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        ...fromFile,
        VIC_VM_DIRECTORY: this.#files.device,
      },
    });
  }

  async #watch(process: DetachedProcess): Promise<void> {
    void process.exited
      .then(async (code) => this.#onGone(process, code))
      .catch((error: unknown) => {
        this.#context.logger.error('the end of a machine was not handled', { machine: this.id, error });
      });
    await this.#journal.start();
  }

  async #onGone(process: DetachedProcess, code: number | undefined): Promise<void> {
    if (this.#ending || this.#released) return;
    await this.#lock.run(async () => {
      if (this.#ending || this.#released || this.#record.process?.pid !== process.identity.pid) return;
      await this.#journal.drain();
      this.#journal.stop();
      const orderly = this.#record.shuttingDown || code === 0;
      if (orderly) await this.#releaseAll();
      else await this.#save({ process: undefined });
      const detail = code === undefined ? 'The program ended.' : `The program ended with code ${code}.`;
      this.#publishExit(orderly ? 'guest-shutdown' : 'crashed', detail, orderly);
    });
  }

  #publishExit(exit: MachineExit, detail: string, forget: boolean): void {
    if (forget) this.#context.onEnded(this.id);
    this.#context.events.publish({ type: 'exited', id: this.id, exit, detail });
  }

  async #stopOverflowing(): Promise<void> {
    if (this.#ending) return;
    await this.powerOff();
    this.#publishExit('crashed', 'The program wrote more guestinfo than is allowed.', true);
  }

  async #addDisk(disk: DiskAttachment): Promise<void> {
    const { key, path, unitNumber, readOnly } = disk;
    const { uid } = this.#record;
    const { commonGroup } = this.#context.users;
    await grantDisk(path, readOnly, uid, commonGroup);
    const added: DiskRecord = { key, path, unitNumber, readOnly };
    const server = await serveDisk(this.#files, added, { uid, commonGroup });
    await this.#save({ disks: [...this.#record.disks, { ...added, server }] });
  }

  async #dropDisk(disk: DiskRecord): Promise<void> {
    await stopServing(this.#files, disk);
    if (!disk.readOnly) await revokeDisk(disk.path);
    await this.#save({ disks: this.#record.disks.filter((each) => each !== disk) });
  }

  async #addNic(nic: NicAttachment): Promise<void> {
    const { key, mac, portGroup } = nic;
    const device = freeInterfaceName(this.#record.nics);
    const port = await this.#context.network.createVethPort(portGroup, this.#namespace, device, mac);
    await this.#save({ nics: [...this.#record.nics, { key, mac, portGroup, port, device }] });
    if (!nic.connected) await this.#context.network.movePort(port, undefined);
  }

  async #dropNic(nic: NicRecord): Promise<void> {
    await this.#context.network.removeVethPort(nic.port);
    await this.#save({ nics: this.#record.nics.filter((each) => each !== nic) });
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

  async #releaseAll(): Promise<void> {
    for (const disk of this.#record.disks) await this.#dropDisk(disk);
    for (const nic of this.#record.nics) await this.#dropNic(nic);
    await deleteNamespace(this.#namespace);
    await rm(this.#files.deviceSpool, { recursive: true, force: true });
    await rm(this.#files.record, { force: true });
    this.#context.users.release(this.#record.uid);
  }
}

function programOf(context: MachineContext, spec: MachineSpec): MachineProgram {
  const name = spec.program ?? '';
  const program = Object.hasOwn(context.programs, name) ? context.programs[name] : undefined;
  if (program === undefined) throw notSupported(`This host has no program "${name}" to run.`);
  if (spec.serialPorts.length > 0) throw notSupported('A process VM has no serial ports.');
  return program;
}

function freeInterfaceName(nics: readonly NicRecord[]): string {
  for (let index = 0; ; index++) {
    const name = `eth${index}`;
    if (!nics.some((nic) => nic.device === name)) return name;
  }
}
