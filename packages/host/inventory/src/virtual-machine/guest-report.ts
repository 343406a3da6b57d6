import { isIP, isIPv4 } from 'node:net';
import type { VmRecord } from './vm-record.ts';

/** Where an endpoint serves, as a URL. */
export const ENDPOINT_ADDRESS_KEY = 'guestinfo.vch.address';
const ADDRESSES_KEY = 'guestinfo.vic.status.addresses';
const HOSTNAME_KEY = 'guestinfo.vic.status.hostname';
/** A guest says what it likes; no machine needs more. */
const MAX_ADDRESSES = 32;
const HOSTNAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;

/** What a running guest says of itself. */
export interface GuestReport {
  /** Every address, the one to reach it by first. */
  readonly addresses: readonly string[];
  readonly hostname: string | undefined;
}

/** Reads a guest's status keys; what makes no sense is left out, as is everything while the machine is off. */
export function guestReport(record: VmRecord): GuestReport {
  if (record.powerState === 'poweredOff') return { addresses: [], hostname: undefined };
  const { [ADDRESSES_KEY]: list, [ENDPOINT_ADDRESS_KEY]: endpoint, [HOSTNAME_KEY]: hostname } = record.extraConfig;
  const reported = [...hostOf(endpoint), ...parseList(list)].map((text) => text.replace(/\/\d+$/, ''));
  const addresses = [...new Set(reported.filter((text) => isIP(text) !== 0))];
  return {
    addresses: addresses.toSorted((a, b) => Number(isIPv4(b)) - Number(isIPv4(a))),
    hostname: hostname !== undefined && HOSTNAME.test(hostname) ? hostname : undefined,
  };
}

function parseList(text: string | undefined): readonly string[] {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '[]');
  } catch {
    return [];
  }
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_ADDRESSES).filter((item: unknown) => typeof item === 'string');
}

function hostOf(url: string | undefined): readonly string[] {
  const host = URL.parse(url ?? '')?.hostname;
  return host === undefined || host === '' ? [] : [host.replace(/^\[(.*)\]$/, '$1')];
}
