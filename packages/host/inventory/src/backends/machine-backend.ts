/** A disk as a machine sees it: SCSI unit numbers 0–15 except 7, which is the controller. */
export interface DiskAttachment {
  /** VIM device key, unique in the machine. */
  readonly key: number;
  readonly unitNumber: number;
  /** Absolute path of the qcow2 file on the host. */
  readonly path: string;
  readonly readOnly: boolean;
}

/** A network card. The machine is given one host interface per NIC, connected to the port group's bridge. */
export interface NicAttachment {
  readonly key: number;
  /** Lower-case, colon separated. */
  readonly mac: string;
  readonly portGroup: string;
  readonly connected: boolean;
}

/** Where a serial port leads. `connect` dials out and redials for ever; `file` appends. */
export type SerialBacking =
  | { readonly kind: 'connect'; readonly host: string; readonly port: number }
  | { readonly kind: 'file'; readonly path: string };

/** A serial port; see ARCHITECTURE.md, "Devices", for how the guest sees it. */
export interface SerialAttachment {
  readonly key: number;
  readonly backing: SerialBacking;
}

/** A part of the host's processors. */
export interface CpuShare {
  /** In whole and parts of processors; `undefined` without a limit. */
  readonly limitCpus: number | undefined;
  /** Compared with those of its neighbours when there is not enough for all: 1000 is what one processor of a machine has. */
  readonly shares: number;
}

/** What the machines of a resource pool, and of those in it, share. */
export interface PoolShare extends CpuShare {
  readonly id: string;
  /** The pool above; `undefined` below the host itself. */
  readonly parent: string | undefined;
}

/** Everything needed to run a machine. The inventory owns it; the backend never changes it. */
export interface MachineSpec {
  /** BIOS UUID, the identity of the machine in every call and event. */
  readonly id: string;
  readonly name: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Absolute path of the ISO to boot from; `undefined` boots nothing and idles in the firmware. */
  readonly bootIso: string | undefined;
  readonly disks: readonly DiskAttachment[];
  /**
   * Size of the disk that instant clones of this machine have at SCSI unit 0. Its place is taken by an empty one
   * of that size, so that a clone's guest has its disk at once instead of finding a new one.
   */
  readonly reservedDiskBytes: number | undefined;
  readonly nics: readonly NicAttachment[];
  readonly serialPorts: readonly SerialAttachment[];
  /** `guestinfo.*` keys, write-only secrets included. Never logged. */
  readonly guestinfo: Readonly<Record<string, string>>;
  /** Name of the host program that is this machine, for process VMs; must be in hostd's list of programs. */
  readonly program: string | undefined;
  /** Id of the instant clone source this machine was forked from, if any. */
  readonly forkedFrom: string | undefined;
  /** Id of its resource pool; that of the host itself is no pool. */
  readonly pool: string;
  readonly cpu: CpuShare;
}

/** Why a machine stopped. */
export type MachineExit = 'guest-shutdown' | 'powered-off' | 'crashed';

/** What machines do by themselves. */
export type MachineEvent =
  | { readonly type: 'exited'; readonly id: string; readonly exit: MachineExit; readonly detail: string }
  | { readonly type: 'guestinfo'; readonly id: string; readonly key: string; readonly value: string }
  | { readonly type: 'frozen'; readonly id: string }
  /** It stands still until a write finds room on its datastore, or goes on. */
  | { readonly type: 'waiting'; readonly id: string; readonly forRoom: boolean };

/** Resource use of a running machine. */
export interface MachineUsage {
  readonly cpuTimeMs: number;
  /** Memory no other process shares. */
  readonly privateMemoryBytes: number;
  readonly residentMemoryBytes: number;
}

/**
 * Runs machines. Implemented by `@vic/machines` with QEMU and, for process VMs, host programs.
 *
 * Calls about one machine are made one after another. Machines outlive the backend: after a restart of
 * hostd, {@link adopt} finds those still running.
 */
export interface MachineBackend {
  /** Whether limits and shares of processors have an effect on this host. */
  readonly sharesProcessors: boolean;
  /** What is wanted of all pools from now on, and of machines, running or not. */
  shareProcessors(
    pools: readonly PoolShare[],
    machines: readonly Pick<MachineSpec, 'id' | 'pool' | 'cpu'>[],
  ): Promise<void>;
  /** Boots the machine, or forks it again while `spec.forkedFrom` is frozen in the same shape. */
  powerOn(spec: MachineSpec, signal: AbortSignal): Promise<void>;
  /** Starts `spec` as an instant clone of the frozen machine `sourceId`, with its own disks, NICs, ports, guestinfo. */
  instantClone(sourceId: string, spec: MachineSpec, signal: AbortSignal): Promise<void>;
  /** Ends the machine at once; no event follows. Also drops the frozen state of an instant clone source. */
  powerOff(id: string, signal: AbortSignal): Promise<void>;
  /** Asks the guest to shut down (ACPI, or SIGTERM for a process VM); an `exited` event follows if it does. */
  shutdownGuest(id: string, signal: AbortSignal): Promise<void>;
  reset(id: string, signal: AbortSignal): Promise<void>;
  suspend(id: string, signal: AbortSignal): Promise<void>;
  resume(id: string, signal: AbortSignal): Promise<void>;
  attachDisk(id: string, disk: DiskAttachment, signal: AbortSignal): Promise<void>;
  detachDisk(id: string, key: number, signal: AbortSignal): Promise<void>;
  attachNic(id: string, nic: NicAttachment, signal: AbortSignal): Promise<void>;
  detachNic(id: string, key: number, signal: AbortSignal): Promise<void>;
  /** Connects, disconnects or moves a NIC to another port group while the machine runs. */
  updateNic(id: string, nic: NicAttachment, signal: AbortSignal): Promise<void>;
  usage(id: string): Promise<MachineUsage>;
  /**
   * Takes over the machines that were on before hostd restarted. Gives the ids that are running or frozen;
   * process VMs that died meanwhile are started again. Journals are replayed as `guestinfo` events.
   */
  adopt(specs: readonly MachineSpec[], signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** Forgets a destroyed machine and removes its runtime files. */
  forget(id: string): Promise<void>;
  /** Events of all machines, from the moment of the call, until the signal fires. */
  events(signal: AbortSignal): AsyncIterable<MachineEvent>;
}
