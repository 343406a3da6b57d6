import type { Shape } from './container.ts';

/** Power state of a virtual machine. */
export type PowerState = 'poweredOn' | 'poweredOff' | 'suspended';

/** A virtual machine of the VCH as the infrastructure reports it at one moment. */
export interface Machine {
  /** Opaque identity at the infrastructure. */
  readonly ref: string;
  readonly name: string;
  readonly powerState: PowerState;
  /** Whether it is a frozen instant clone source. */
  readonly frozen: boolean;
  /** Whether its last run ended by itself without an orderly end, as when its kernel panics. */
  readonly crashed: boolean;
  /** What the infrastructure waits to be told before the machine goes on, as that its datastore is full. */
  readonly question: string | undefined;
  /** Changes with every reconfiguration; guards against lost updates. */
  readonly changeVersion: string;
  /** Write-only keys are not in it. */
  readonly extraConfig: Readonly<Record<string, string>>;
}

/** A network card to give to a machine. */
export interface MachineNic {
  readonly portGroup: string;
  /** `undefined` lets the infrastructure choose. */
  readonly mac: string | undefined;
}

/** Everything a new machine is made from, in one task. */
export interface MachineSpec {
  readonly name: string;
  readonly shape: Shape;
  /** The disk to create as a child of `parent`; none for a template. */
  readonly disk: { readonly path: string; readonly parent: string } | undefined;
  readonly nic: MachineNic | undefined;
  /** Service URI of the interaction channel. */
  readonly interactionUri: string;
  /** Datastore path of the output log. */
  readonly logPath: string;
  readonly extraConfig: Readonly<Record<string, string>>;
}

/** A later edit of a machine; refused with `Conflict` when the version is no longer the machine's. */
export interface MachineChange {
  readonly name?: string;
  /** Keys to set; an empty value removes one. */
  readonly extraConfig: Readonly<Record<string, string>>;
  readonly changeVersion: string;
}

/** What the watch reports. */
export type MachineUpdate =
  | { readonly kind: 'changed'; readonly machine: Machine }
  | { readonly kind: 'gone'; readonly ref: string };

/** The code of the error a {@link MachineInfrastructure.reconfigure} fails with when someone else was faster. */
export const MACHINE_CHANGED = 'MACHINE_CHANGED';
/** The code of the error of a power operation on a machine that is already in that state. */
export const MACHINE_POWER_STATE = 'MACHINE_POWER_STATE';

/**
 * The virtual machines of one VCH.
 *
 * Errors are VicErrors: `NotFound` for a machine that is gone, `Conflict` with {@link MACHINE_CHANGED} or
 * {@link MACHINE_POWER_STATE}, `NotSupported` for instant clones where there are none, `Unavailable` while
 * the infrastructure cannot be reached.
 */
export interface MachineInfrastructure {
  /** Makes a machine that boots cold; it is powered off. */
  create(spec: MachineSpec, signal: AbortSignal): Promise<string>;
  /** Makes a machine as an instant clone of a frozen one of the same shape; it is powered on. */
  instantClone(template: string, spec: MachineSpec, signal: AbortSignal): Promise<string>;
  powerOn(ref: string, signal: AbortSignal): Promise<void>;
  powerOff(ref: string, signal: AbortSignal): Promise<void>;
  /** Removes a powered off machine with its own disks and folder. */
  destroy(ref: string, signal: AbortSignal): Promise<void>;
  reconfigure(ref: string, change: MachineChange, signal: AbortSignal): Promise<void>;
  /** The machine as it is now; `undefined` when there is none. */
  read(ref: string, signal: AbortSignal): Promise<Machine | undefined>;
  /**
   * All machines of the VCH first, as one batch, then every change until the signal fires. After a break of
   * the connection it goes on by itself; machines that vanished meanwhile are reported as gone.
   */
  watch(signal: AbortSignal): AsyncIterable<readonly MachineUpdate[]>;
}
