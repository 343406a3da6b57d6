import {
  type VirtualDevice,
  type VirtualEthernetCard,
  type VirtualEthernetCardNetworkBackingInfo,
  type VirtualMachineQuestionInfo,
  isDataSubtype,
} from '@vic/vim';
import type { MachineUsage } from '../backends/index.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { guestReport } from './guest-report.ts';
import type { VmStorage } from './vm-storage.ts';
import { isDisk } from './disk-plan.ts';
import { type VmRecord, folderOf } from './vm-record.ts';

/** Use of a machine, with processor time turned into a rate. */
export interface VmUsage extends MachineUsage {
  readonly cpuMhz: number;
}

/** How a machine is at present, beside its record. */
export interface VmMoment {
  readonly usage: VmUsage;
  readonly storage: VmStorage;
  /** What somebody has to decide before it goes on. */
  readonly question: VirtualMachineQuestionInfo | undefined;
}

/** `VirtualMachine.config`. */
export function configInfo(record: VmRecord): object {
  return {
    changeVersion: String(record.changeNumber),
    modified: new Date(record.modifiedAtMs),
    name: record.name,
    guestFullName: record.alternateGuestName === '' ? record.guestId : record.alternateGuestName,
    version: 'vmx-14',
    uuid: record.uuid,
    createDate: new Date(record.createdAtMs),
    instanceUuid: record.instanceUuid,
    template: false,
    guestId: record.guestId,
    alternateGuestName: record.alternateGuestName,
    annotation: record.annotation,
    files: {
      vmPathName: record.vmPathName,
      snapshotDirectory: `${folderOf(record)}/`,
      suspendDirectory: `${folderOf(record)}/`,
      logDirectory: `${folderOf(record)}/`,
    },
    tools: {
      toolsVersion: 0,
      afterPowerOn: true,
      afterResume: true,
      beforeGuestStandby: true,
      beforeGuestShutdown: true,
      syncTimeWithHost: false,
    },
    flags: { diskUuidEnabled: false, snapshotDisabled: true },
    defaultPowerOps: { powerOffType: 'hard', suspendType: 'hard', resetType: 'hard', standbyAction: 'checkpoint' },
    hardware: {
      numCPU: record.cpus,
      numCoresPerSocket: record.coresPerSocket,
      memoryMB: record.memoryMiB,
      device: record.devices.map((device) => withChildren(device, record)),
    },
    cpuAllocation: record.cpuAllocation,
    memoryAllocation: record.memoryAllocation,
    memoryHotAddEnabled: false,
    cpuHotAddEnabled: false,
    cpuHotRemoveEnabled: false,
    extraConfig: Object.entries(record.extraConfig).map(([key, value]) => ({ key, value })),
    bootOptions: {},
    firmware: 'bios',
    managedBy: record.managedBy,
  };
}

/** `VirtualMachine.runtime`. */
export function runtimeInfo(record: VmRecord, question: VirtualMachineQuestionInfo | undefined): object {
  return {
    device: [],
    host: WELL_KNOWN.host,
    connectionState: 'connected',
    powerState: record.powerState,
    faultToleranceState: 'notConfigured',
    toolsInstallerMounted: false,
    bootTime: record.bootedAtMs === undefined ? undefined : new Date(record.bootedAtMs),
    numMksConnections: 0,
    recordReplayState: 'inactive',
    cleanPowerOff: record.cleanPowerOff,
    onlineStandby: false,
    consolidationNeeded: false,
    paused: false,
    instantCloneFrozen: record.frozen,
    question,
  };
}

/** `VirtualMachine.guest`. */
export function guestInfo(record: VmRecord): object {
  const { addresses, hostname } = guestReport(record);
  return {
    ipAddress: addresses[0],
    hostName: hostname,
    toolsStatus: 'toolsNotInstalled',
    toolsVersionStatus: 'guestToolsNotInstalled',
    toolsVersionStatus2: 'guestToolsNotInstalled',
    toolsRunningStatus: 'guestToolsNotRunning',
    toolsVersion: '0',
    guestId: record.guestId,
    net: guestNics(record, addresses),
    guestState: record.powerState === 'poweredOn' ? 'running' : 'notRunning',
    guestOperationsReady: false,
  };
}

/** A guest does not say which card has which address: only with a single card it is certain. */
function guestNics(record: VmRecord, addresses: readonly string[]): readonly object[] {
  const cards = record.devices.filter((device) => isDataSubtype(device.$type, 'VirtualEthernetCard'));
  const [card] = cards;
  if (card === undefined || cards.length > 1 || addresses.length === 0) return [];
  const network = (card.backing as Partial<VirtualEthernetCardNetworkBackingInfo> | undefined)?.deviceName;
  const connected = card.connectable?.connected ?? true;
  return [
    {
      network,
      ipAddress: addresses,
      macAddress: (card as VirtualEthernetCard).macAddress,
      connected,
      deviceConfigId: card.key,
    },
  ];
}

/** `VirtualMachine.summary`. */
export function vmSummary(record: VmRecord, { usage, storage, question }: VmMoment, nowMs: number): object {
  const { addresses, hostname } = guestReport(record);
  const toMiB = (bytes: number): number => Math.round(bytes / 2 ** 20);
  return {
    vm: { type: 'VirtualMachine', value: record.moid },
    runtime: runtimeInfo(record, question),
    guest: {
      guestId: record.guestId,
      ipAddress: addresses[0],
      hostName: hostname,
      toolsStatus: 'toolsNotInstalled',
      toolsVersionStatus: 'guestToolsNotInstalled',
      toolsRunningStatus: 'guestToolsNotRunning',
    },
    config: {
      name: record.name,
      template: false,
      vmPathName: record.vmPathName,
      memorySizeMB: record.memoryMiB,
      cpuReservation: record.cpuAllocation.reservation ?? 0,
      memoryReservation: record.memoryAllocation.reservation ?? 0,
      numCpu: record.cpus,
      numEthernetCards: record.devices.filter((device) => isDataSubtype(device.$type, 'VirtualEthernetCard')).length,
      numVirtualDisks: record.devices.filter(isDisk).length,
      uuid: record.uuid,
      instanceUuid: record.instanceUuid,
      guestId: record.guestId,
      guestFullName: record.alternateGuestName === '' ? record.guestId : record.alternateGuestName,
      annotation: record.annotation,
      managedBy: record.managedBy,
    },
    storage: {
      committed: storage.committedBytes,
      uncommitted: storage.uncommittedBytes,
      // A disk's own file is nobody else's; what it shares is in its parents.
      unshared: storage.committedBytes,
      timestamp: new Date(storage.atMs),
    },
    quickStats: {
      overallCpuUsage: usage.cpuMhz,
      guestMemoryUsage: toMiB(usage.residentMemoryBytes),
      hostMemoryUsage: toMiB(usage.privateMemoryBytes),
      guestHeartbeatStatus: 'gray',
      privateMemory: toMiB(usage.privateMemoryBytes),
      sharedMemory: Math.max(0, toMiB(usage.residentMemoryBytes - usage.privateMemoryBytes)),
      uptimeSeconds: record.bootedAtMs === undefined ? 0 : Math.max(0, Math.floor((nowMs - record.bootedAtMs) / 1000)),
    },
    overallStatus: question === undefined ? 'green' : 'yellow',
  };
}

/** Controllers list the keys of their devices; a switched-off machine's devices are not connected. */
function withChildren(device: VirtualDevice & { readonly $type: string }, record: VmRecord): VirtualDevice {
  const isController = isDataSubtype(device.$type, 'VirtualController');
  const children = record.devices.filter((other) => other.controllerKey === device.key).map((other) => other.key);
  const connectable =
    device.connectable === undefined
      ? {}
      : {
          connectable: {
            ...device.connectable,
            connected: device.connectable.connected && record.powerState === 'poweredOn',
          },
        };
  return { ...device, ...connectable, ...(isController ? { device: children } : {}) } as VirtualDevice;
}
