import type { ExecId } from '@vic/ids';
import type { ProcessConfig } from './container.ts';

/** What the tether remembers of an exec for an endpoint that comes later. */
export interface ExecRecord {
  readonly id: ExecId;
  readonly process: Pick<ProcessConfig, 'args' | 'tty' | 'user' | 'openStdin'>;
}

/** Of one exec in the tether's status, where it is text in JSON: 128 of them fit into one message. */
const MAX_BYTES = 4096;

/** The text of a record. Arguments that are too long for it are left out from the end; nothing secret is in it but they. */
export function encodeExecRecord({ id, process: { args, tty, user, openStdin } }: ExecRecord): string {
  for (let count = args.length; ; count--) {
    const text = JSON.stringify({ id, args: args.slice(0, count), tty, user, openStdin });
    if (Buffer.byteLength(JSON.stringify(text)) <= MAX_BYTES || count === 0) return text;
  }
}

/** The record in a text; `undefined` for any other. The guest has had it, so nothing about it is believed. */
export function decodeExecRecord(text: string): ExecRecord | undefined {
  const fields = parseObject(text);
  const { id, args, tty, user, openStdin } = fields ?? {};
  if (typeof id !== 'string' || !/^[0-9a-f]{64}$/.test(id)) return undefined;
  if (!Array.isArray(args) || !args.every((arg) => typeof arg === 'string')) return undefined;
  if (typeof tty !== 'boolean' || typeof user !== 'string' || typeof openStdin !== 'boolean') return undefined;
  return { id: id as ExecId, process: { args, tty, user, openStdin } };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
