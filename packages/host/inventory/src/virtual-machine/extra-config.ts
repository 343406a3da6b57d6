import type { OptionValue } from '@vic/vim';
import { invalidArgument } from '../model/faults.ts';
import { ENDPOINT_ADDRESS_KEY } from './guest-report.ts';
import { type VmRecord, isSecretKey } from './vm-record.ts';

const MAX_KEYS = 2000;
const MAX_KEY_LENGTH = 256;
/** The guest receives all guestinfo as one line; this keeps it within what a small guest can hold. */
const MAX_TOTAL_CHARS = 4 * 1024 * 1024;
const MAX_GUEST_VALUE_CHARS = 64 * 1024;

/** Merges options into a machine's extraConfig; an empty value removes its key. */
export function mergeExtraConfig(record: VmRecord, options: readonly OptionValue[] | undefined): VmRecord {
  if (options === undefined || options.length === 0) return record;
  const extraConfig: Record<string, string> = { ...record.extraConfig };
  const secrets: Record<string, string> = { ...record.secrets };
  for (const { key, value } of options) {
    if (key === '' || key.length > MAX_KEY_LENGTH || key === '__proto__')
      throw invalidArgument('extraConfig.key', 'A key has 1 to 256 characters.');
    const text = textOf(key, value);
    const target = isSecretKey(key) ? secrets : extraConfig;
    if (text === '') delete target[key];
    else target[key] = text;
  }
  requireBounds(extraConfig, secrets);
  return { ...record, extraConfig, secrets };
}

/**
 * Whether a guest may report under a key: its status, and where an endpoint can be reached.
 *
 * Everything else in `guestinfo.*` is configuration, which others believe because only the API can write it.
 */
function isReportKey(key: string): boolean {
  return /^guestinfo\.(?:[^.]+\.)*status(?:\.|$)/.test(key) || key === ENDPOINT_ADDRESS_KEY;
}

/** Puts what the guest reported into extraConfig; what a guest may not say is left out. */
export function mergeGuestReport(record: VmRecord, key: string, value: string): VmRecord {
  const acceptable = isReportKey(key) && key.length <= MAX_KEY_LENGTH && value.length <= MAX_GUEST_VALUE_CHARS;
  if (!acceptable || isSecretKey(key) || record.extraConfig[key] === value) return record;
  const extraConfig: Record<string, string> = { ...record.extraConfig, [key]: value };
  if (value === '') delete extraConfig[key];
  if (Object.keys(extraConfig).length > MAX_KEYS) return record;
  return { ...record, extraConfig };
}

/** `next`, which was made from `base`, with what the guest has reported between `base` and `current`. */
export function rebase(next: VmRecord, base: VmRecord, current: VmRecord): VmRecord {
  if (base === current) return next;
  const extraConfig: Record<string, string> = { ...next.extraConfig };
  for (const key of new Set([...Object.keys(base.extraConfig), ...Object.keys(current.extraConfig)])) {
    const reported = current.extraConfig[key];
    if (reported === base.extraConfig[key]) continue;
    if (reported === undefined) delete extraConfig[key];
    else extraConfig[key] = reported;
  }
  return { ...next, extraConfig, changeNumber: Math.max(next.changeNumber, current.changeNumber + 1) };
}

/** The `guestinfo.*` keys, secrets included, as the machine's guest receives them. */
export function guestinfoOf(record: VmRecord): Record<string, string> {
  const all = [...Object.entries(record.extraConfig), ...Object.entries(record.secrets)];
  return Object.fromEntries(all.filter(([key]) => key.startsWith('guestinfo.')));
}

function textOf(key: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw invalidArgument('extraConfig.value', `The value of ${key} must be text.`);
}

function requireBounds(extraConfig: Readonly<Record<string, string>>, secrets: Readonly<Record<string, string>>): void {
  const values = [...Object.values(extraConfig), ...Object.values(secrets)];
  const total = values.reduce((sum, value) => sum + value.length, 0);
  if (values.length > MAX_KEYS || total > MAX_TOTAL_CHARS) {
    throw invalidArgument(
      'extraConfig',
      `A machine has at most ${MAX_KEYS} keys and ${MAX_TOTAL_CHARS} characters of extraConfig.`,
    );
  }
}
