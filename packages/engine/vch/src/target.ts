import { isIPv6 } from 'node:net';
import { invalidOption } from './vch-error.ts';

/** Where a vSphere server is, as given by `--target`. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** Inventory path of the data center, when one was named. */
  readonly datacenter: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** Reads `[https://][user[:password]@]host[:port][/datacenter]`. */
export function parseTarget(text: string | undefined): Target {
  if (text === undefined || text === '') throw invalidOption('--target argument must be specified.');
  const url = URL.parse(/^https?:\/\//i.test(text) ? text : `https://${text}`);
  if (url === null || url.protocol !== 'https:' || url.search !== '' || url.hash !== '') {
    throw invalidOption('--target is not a vSphere server.', 'Write it as host, host:port or host/datacenter.');
  }
  const path = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, '');
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 443 : Number(url.port),
    datacenter: path === '' || path === 'sdk' ? undefined : path,
    user: url.username === '' ? undefined : decodeURIComponent(url.username),
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
  };
}

/** The URL of the target's API. */
export function targetUrl({ host, port }: Target): string {
  const name = isIPv6(host) ? `[${host}]` : host;
  return port === 443 ? `https://${name}/sdk` : `https://${name}:${port}/sdk`;
}
