import { Mutex } from '@vic/async';
import {
  type VirtualEthernetCard,
  type VirtualEthernetCardNetworkBackingInfo,
  type VirtualMachineQuestionInfo,
  isDataSubtype,
} from '@vic/vim';
import type { MachineSpec } from '../backends/index.ts';
import type { Handlers } from '../model/call.ts';
import type { Host } from '../model/host.ts';
import { ManagedEntity } from '../model/managed-entity.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { toMachineSpec } from '../virtual-machine/machine-spec.ts';
import { machineShare } from '../virtual-machine/processor-shares.ts';
import {
  type VmMoment,
  type VmUsage,
  configInfo,
  guestInfo,
  runtimeInfo,
  vmSummary,
} from '../virtual-machine/vm-properties.ts';
import type { VmRecord } from '../virtual-machine/vm-record.ts';
import { rebase } from '../virtual-machine/extra-config.ts';
import { type VmStorage, measureStorage } from '../virtual-machine/vm-storage.ts';
import { VM_CAPABILITY } from '../virtual-machine/capability.ts';
import { writeConfigFile } from '../virtual-machine/config-file.ts';
import { virtualMachineHandlers } from './virtual-machine-methods.ts';

const NO_USAGE: VmUsage = { cpuTimeMs: 0, cpuMhz: 0, privateMemoryBytes: 0, residentMemoryBytes: 0 };
/** Guests report in bursts; one write of the record covers a burst. */
const GUEST_REPORT_DELAY_MS = 50;
/** A guest that reports without pause cannot hold up an update: its last reports are written a moment later. */
const MAX_UPDATE_ATTEMPTS = 3;

/** A virtual machine of the inventory. */
export class VirtualMachine extends ManagedEntity {
  readonly host: Host;
  /** Operations on one machine run one after another. */
  readonly mutex = new Mutex();
  #record: VmRecord;
  #usage: VmUsage = NO_USAGE;
  #storage: VmStorage = { committedBytes: 0, uncommittedBytes: 0, atMs: 0 };
  #question: VirtualMachineQuestionInfo | undefined;
  #measuring: Promise<void> = Promise.resolve();
  #destroyed = false;
  #reportTimer: NodeJS.Timeout | undefined;
  #configFile: Promise<void> = Promise.resolve();

  constructor(host: Host, record: VmRecord, parent: ManagedEntity) {
    super('VirtualMachine', record.moid, host.changes, { name: record.name, parent });
    this.host = host;
    this.#record = record;
  }

  protected readonly properties = {
    ...this.entityProperties(),
    capability: () => VM_CAPABILITY,
    config: () => configInfo(this.#record),
    runtime: () => runtimeInfo(this.#record, this.#question),
    guest: () => guestInfo(this.#record),
    summary: () => vmSummary(this.#record, this.#moment, this.host.now().getTime()),
    environmentBrowser: () => WELL_KNOWN.environmentBrowser,
    resourcePool: () => ({ type: 'ResourcePool', value: this.#record.pool }),
    resourceConfig: () => ({
      entity: this.ref,
      cpuAllocation: this.#record.cpuAllocation,
      memoryAllocation: this.#record.memoryAllocation,
    }),
    datastore: () => [...this.datastoreNames()].map((name) => ({ type: 'Datastore', value: `datastore-${name}` })),
    network: () => [...this.portGroups()].map((name) => ({ type: 'Network', value: `network-${name}` })),
    guestHeartbeatStatus: () => 'gray',
    layout: () => ({ configFile: [this.#record.vmPathName], logFile: [], disk: [] }),
  };

  readonly handlers: Handlers<VirtualMachine> = virtualMachineHandlers;

  override children(): readonly ManagedEntity[] {
    return [];
  }

  get record(): VmRecord {
    return this.#record;
  }

  get usage(): VmUsage {
    return this.#usage;
  }

  /** Whether the machine was destroyed or unregistered while someone waited for it. */
  get isGone(): boolean {
    return this.#destroyed;
  }

  /** Replaces the record, on disk first; what the guest reported since `base` was read is kept. */
  async update(next: VmRecord, base: VmRecord = this.#record): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const current = this.#record;
      const merged = rebase(next, base, current);
      await this.host.store.writeRecord('machines', merged.moid, merged);
      if (this.#record === current || attempt === MAX_UPDATE_ATTEMPTS) {
        this.#apply(rebase(next, base, this.#record));
        return;
      }
    }
  }

  /** Replaces the configuration: counted, dated, and written beside the disks as well. */
  async reconfigure(next: VmRecord, base: VmRecord): Promise<void> {
    const dated = { ...next, changeNumber: base.changeNumber + 1, modifiedAtMs: this.host.now().getTime() };
    await this.update(dated, base);
    this.saveConfigFile();
  }

  /**
   * Writes the configuration file beside the disks, soon.
   *
   * The record is what counts; the file only serves to register the machine again, so nobody waits for it.
   */
  saveConfigFile(): void {
    this.#configFile = this.#configFile
      .then(async () => (this.#destroyed ? undefined : writeConfigFile(this.host, this.#record)))
      .catch((error: unknown) =>
        this.host.logger.warn('Cannot write configuration file', { vm: this.name, error: String(error) }),
      );
    this.host.store.track(this.#configFile);
  }

  /** Replaces the record after the guest reported; the write follows soon. */
  applyGuestReport(record: VmRecord): void {
    this.#apply({ ...record, changeNumber: this.#record.changeNumber + 1 });
    this.#reportTimer ??= setTimeout(() => this.writeGuestReport(), GUEST_REPORT_DELAY_MS);
  }

  /** Writes now what the guest reported and is still to be written. */
  writeGuestReport(): void {
    if (this.#reportTimer === undefined) return;
    clearTimeout(this.#reportTimer);
    this.#reportTimer = undefined;
    if (this.#destroyed) return;
    const written = this.host.store.writeRecord('machines', this.#record.moid, this.#record);
    this.host.store.track(
      written.catch((error: unknown) =>
        this.host.logger.error('Cannot write machine record', { vm: this.name, error: String(error) }),
      ),
    );
  }

  /** Notes what the machine uses at present. */
  setUsage(usage: VmUsage | undefined): void {
    if (usage === undefined && this.#usage === NO_USAGE) return;
    this.#usage = usage ?? NO_USAGE;
    this.touch('summary');
  }

  /** What somebody has to decide before the machine goes on. */
  get question(): VirtualMachineQuestionInfo | undefined {
    return this.#question;
  }

  /** Asks, or takes the question back. */
  setQuestion(question: VirtualMachineQuestionInfo | undefined): void {
    if (question === this.#question) return;
    this.#question = question;
    this.touch('runtime', 'summary');
  }

  /** Notes what the machine's disks take at present. */
  async refreshStorage(): Promise<void> {
    const now = await measureStorage(this.host, this.#record);
    const { committedBytes, uncommittedBytes } = this.#storage;
    const isSame = now.committedBytes === committedBytes && now.uncommittedBytes === uncommittedBytes;
    this.#storage = now;
    if (!isSame && !this.#destroyed) this.touch('summary');
  }

  /** Takes the machine out of the inventory. */
  async remove(): Promise<void> {
    this.#destroyed = true;
    clearTimeout(this.#reportTimer);
    await this.#configFile;
    await this.host.store.removeRecord('machines', this.#record.moid);
    this.host.objects.remove(this);
    this.#touchNeighbours();
    await this.host.authorization.entityRemoved(this);
  }

  /** Resolves when no write of the configuration file is under way. */
  async configFileWritten(): Promise<void> {
    await this.#configFile;
  }

  /** Makes the machine visible. */
  register(): void {
    this.host.objects.add(this);
    this.#touchNeighbours();
    this.#measureSoon();
  }

  spec(record: VmRecord = this.#record): MachineSpec {
    const cpu = machineShare(record, this.host.capacity.cpuMhz);
    return toMachineSpec(record, (path) => this.host.datastores.resolve(path), cpu);
  }

  /** Names of the datastores that hold files of the machine. */
  datastoreNames(): ReadonlySet<string> {
    const backed = this.#record.devices.map((device) =>
      device.backing !== undefined && 'fileName' in device.backing ? String(device.backing.fileName) : '',
    );
    const names = [this.#record.vmPathName, ...backed].map((path) => /^\[([^\]]+)\]/.exec(path)?.[1]);
    return new Set(names.filter((name) => name !== undefined));
  }

  /** Names of the port groups that NICs of the machine are in. */
  portGroups(): ReadonlySet<string> {
    return new Set(this.nics().map((nic) => (nic.backing as VirtualEthernetCardNetworkBackingInfo).deviceName));
  }

  nics(): readonly VirtualEthernetCard[] {
    return this.#record.devices.filter((device) =>
      isDataSubtype(device.$type, 'VirtualEthernetCard'),
    ) as readonly VirtualEthernetCard[];
  }

  get #moment(): VmMoment {
    return { usage: this.#usage, storage: this.#storage, question: this.#question };
  }

  #apply(next: VmRecord): void {
    const before = this.#record;
    this.#record = next;
    if (next.name !== before.name) this.setName(next.name);
    const touched = ['config', 'summary'];
    if (next.powerState !== before.powerState || next.frozen !== before.frozen || next.bootedAtMs !== before.bootedAtMs)
      touched.push('runtime', 'guest');
    else if (next.extraConfig !== before.extraConfig) touched.push('guest');
    if (next.devices !== before.devices) touched.push('network', 'datastore', 'layout');
    this.touch(...touched);
    if (next.devices === before.devices) return;
    this.#touchRelated();
    this.#measureSoon();
  }

  /** Nobody waits for figures. */
  #measureSoon(): void {
    this.#measuring = this.#measuring.then(async () => (this.#destroyed ? undefined : this.refreshStorage()));
    this.host.store.track(this.#measuring);
  }

  #touchNeighbours(): void {
    this.parent?.touch('childEntity');
    const pool = this.host.objects.find({ type: 'ResourcePool', value: this.#record.pool });
    pool?.touch('vm');
    this.#touchRelated();
  }

  #touchRelated(): void {
    for (const name of this.portGroups())
      this.host.objects.find({ type: 'Network', value: `network-${name}` })?.touch('vm');
    for (const name of this.datastoreNames())
      this.host.objects.find({ type: 'Datastore', value: `datastore-${name}` })?.touch('vm');
  }
}
