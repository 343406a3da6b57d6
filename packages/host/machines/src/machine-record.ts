import { readFile } from 'node:fs/promises';
import { replaceFile } from '@vic/files';
import type { ProcessIdentity } from '@vic/process';

/** A NIC of a machine and the port that carries it. */
export interface NicRecord {
  readonly key: number;
  readonly mac: string;
  readonly port: string;
  readonly portGroup: string;
  /** QEMU's id of the device; the interface's name in a process VM. */
  readonly device: string;
}

/** A disk of a machine; `server` serves it to a process VM. */
export interface DiskRecord {
  readonly key: number;
  readonly path: string;
  readonly unitNumber: number;
  readonly readOnly: boolean;
  readonly server?: ProcessIdentity;
}

/** What the backend must still know about a machine after hostd restarted. Changed only as a whole. */
export interface MachineRecord {
  readonly id: string;
  readonly name: string;
  readonly kind: 'qemu' | 'process';
  /** User and group the machine runs as. */
  readonly uid: number;
  /** The boot of the host in which `process` and the ports exist. */
  readonly bootId: string;
  /** `starting` is written before there is a process: whatever is found then was left by a hostd that was killed. */
  readonly phase: 'starting' | 'running' | 'frozen' | 'off';
  readonly process: ProcessIdentity | undefined;
  readonly nics: readonly NicRecord[];
  readonly disks: readonly DiskRecord[];
  /** What a clone must have in common with this machine; see `machine-shape.ts`. */
  readonly shape: string | undefined;
  /** A process VM was asked to shut down: its exit is no accident. */
  readonly shuttingDown: boolean;
}

/** Writes a record so that a crash of hostd leaves the old or the new one; a restart of the host outdates it anyway. */
export async function writeRecord(file: string, record: MachineRecord): Promise<void> {
  await replaceFile(file, `${JSON.stringify(record)}\n`, { mode: 0o600 });
}

/** Reads a record; `undefined` when there is none that can be understood. */
export async function readRecord(file: string): Promise<MachineRecord | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Only hostd writes these files: the check is for files of other versions, not for hostile ones. */
function isRecord(value: unknown): value is MachineRecord {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Partial<Record<keyof MachineRecord, unknown>>;
  return (
    typeof fields.id === 'string' &&
    typeof fields.uid === 'number' &&
    typeof fields.bootId === 'string' &&
    (fields.kind === 'qemu' || fields.kind === 'process') &&
    Array.isArray(fields.nics) &&
    Array.isArray(fields.disks)
  );
}
