import { createHash } from 'node:crypto';
import { VicError } from '@vic/errors';
import type { NetworkEndpoint, NewContainer, PortBinding, Shape } from './container.ts';

/** What is kept with a container's VM, besides what its guest reports. */
export interface ContainerRecord {
  readonly version: 1;
  readonly config: NewContainer;
  readonly createdAt: string;
  readonly shape: Shape;
  readonly endpoint?: NetworkEndpoint;
  readonly vmName: string;
  readonly diskPath: string;
  readonly logPath: string;
}

/** An end that the guest could not report, written down by the endpoint that noticed it. */
export interface RecordedExit {
  /** The run it ended. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly exitCode: number;
  readonly error?: string;
}

/** Marks every VM of a VCH. */
export const VCH_KEY = 'vic.vch';
/** The container's id, for the guest and for us. */
export const ID_KEY = 'guestinfo.vic.id';
/** Write-only: the secret of the interaction channel. */
export const SECRET_KEY = 'guestinfo.vic.secret';
/** For the guest: the number of the signal that stops the container, when the machine's power button is pressed. */
export const STOP_SIGNAL_KEY = 'guestinfo.vic.stop.signal';
/** For the guest: seconds after it until the container is killed; -1 for never. */
export const STOP_TIMEOUT_KEY = 'guestinfo.vic.stop.timeout';
/** `true` in templates. */
export const TEMPLATE_KEY = 'guestinfo.vic.template';

const RECORD_KEY = 'vic.container';
const EXIT_KEY = 'vic.exit';
const PORTS_KEY = 'vic.ports';

/** Values in extraConfig are kept well below what servers accept for one. */
const CHUNK_CHARACTERS = 16 * 1024;
/** A record of more than a megabyte is not one of ours. */
const MAX_CHUNKS = 64;

/**
 * The extraConfig of a record.
 *
 * The text is cut into chunks; the head names their number and digest, and is what makes the record complete.
 */
export function encodeRecord(record: ContainerRecord): Record<string, string> {
  const text = toAscii(JSON.stringify(record));
  const chunks = Math.max(1, Math.ceil(text.length / CHUNK_CHARACTERS));
  if (chunks > MAX_CHUNKS) throw tooLarge();
  const entries: Record<string, string> = { [RECORD_KEY]: JSON.stringify({ chunks, digest: digestOf(text) }) };
  for (let index = 0; index < chunks; index++) {
    entries[`${RECORD_KEY}.${index}`] = text.slice(index * CHUNK_CHARACTERS, (index + 1) * CHUNK_CHARACTERS);
  }
  return entries;
}

/** The record in a VM's extraConfig; `undefined` when it is missing or incomplete. */
export function decodeRecord(extraConfig: Readonly<Record<string, string>>): ContainerRecord | undefined {
  const head = parseObject(extraConfig[RECORD_KEY]);
  const chunks = head?.['chunks'];
  if (typeof chunks !== 'number' || !Number.isInteger(chunks) || chunks < 1 || chunks > MAX_CHUNKS) return undefined;
  let text = '';
  for (let index = 0; index < chunks; index++) text += extraConfig[`${RECORD_KEY}.${index}`] ?? '';
  if (digestOf(text) !== head?.['digest']) return undefined;
  const record = parseObject(text);
  // The digest proves that encodeRecord wrote it, so its shape needs no second look.
  return record?.['version'] === 1 ? (record as unknown as ContainerRecord) : undefined;
}

/** The extraConfig of an exit the guest did not report. */
export function encodeExit(exit: RecordedExit): Record<string, string> {
  return { [EXIT_KEY]: JSON.stringify(exit) };
}

/** The exit the endpoint wrote down, if any. */
export function decodeExit(extraConfig: Readonly<Record<string, string>>): RecordedExit | undefined {
  const fields = parseObject(extraConfig[EXIT_KEY]);
  const { startedAt, finishedAt, exitCode, error } = fields ?? {};
  if (typeof startedAt !== 'string' || typeof finishedAt !== 'string' || typeof exitCode !== 'number') return undefined;
  return { startedAt, finishedAt, exitCode, ...(typeof error === 'string' ? { error } : {}) };
}

/** Cutting must not split a character, and not every server keeps every character. */
function toAscii(json: string): string {
  return json.replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The extraConfig of the ports published for the present run. */
export function encodePorts(ports: readonly PortBinding[]): Record<string, string> {
  return { [PORTS_KEY]: JSON.stringify(ports) };
}

/** The ports a running container is published at: those chosen for it, else those asked for. */
export function portsInForce(
  record: ContainerRecord,
  extraConfig: Readonly<Record<string, string>>,
): readonly PortBinding[] {
  if (!record.config.ports.some((port) => port.hostPort === 0)) return record.config.ports;
  try {
    const ports: unknown = JSON.parse(extraConfig[PORTS_KEY] ?? '[]');
    // Hidden from the guest: only encodePorts writes it.
    return Array.isArray(ports) ? (ports as PortBinding[]) : [];
  } catch {
    return [];
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function parseObject(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function tooLarge(): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'CONTAINER_RECORD_TOO_LARGE',
    message: 'The container configuration is larger than a virtual machine can keep (1 MiB).',
    remedy: 'Shorten its environment or labels.',
  });
}
