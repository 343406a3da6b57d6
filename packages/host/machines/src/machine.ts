import type { DiskAttachment, MachineUsage, NicAttachment } from '@vic/inventory';
import type { ProcessIdentity } from '@vic/process';

/** A machine that is on: running, suspended, frozen, or a process VM waiting to be started again. */
export interface Machine {
  readonly id: string;
  readonly isFrozen: boolean;
  /** What runs it now; a frozen machine has none. */
  readonly process: ProcessIdentity | undefined;
  powerOff(): Promise<void>;
  shutdownGuest(signal: AbortSignal): Promise<void>;
  suspend(signal: AbortSignal): Promise<void>;
  resume(signal: AbortSignal): Promise<void>;
  attachDisk(disk: DiskAttachment, signal: AbortSignal): Promise<void>;
  detachDisk(key: number, signal: AbortSignal): Promise<void>;
  attachNic(nic: NicAttachment, signal: AbortSignal): Promise<void>;
  detachNic(key: number, signal: AbortSignal): Promise<void>;
  updateNic(nic: NicAttachment, signal: AbortSignal): Promise<void>;
  usage(): Promise<MachineUsage>;
  /** Stops watching; the machine goes on. */
  release(): void;
}
