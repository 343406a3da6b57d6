import { isIP } from 'node:net';
import { VicError } from '@vic/errors';
import { isInIpv4Range } from '@vic/ipv4';

/** Which proxies to use, as the variables `http_proxy`, `https_proxy` and `no_proxy` say it. */
export interface ProxySettings {
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
  /** Comma-separated hosts, domains (`.example.com` or `example.com`), IPv4 ranges, `host:port`, or `*`. */
  readonly noProxy?: string;
}

/** The proxy a request to `url` goes through, or `undefined` when it goes straight. */
export function proxyFor(url: URL, settings: ProxySettings | undefined): URL | undefined {
  const text = url.protocol === 'https:' ? settings?.httpsProxy : settings?.httpProxy;
  if (text === undefined || text === '') return undefined;
  if (isExempt(url, settings?.noProxy ?? '')) return undefined;
  const proxy = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (proxy === null || proxy.protocol !== 'http:') {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'HTTP_PROXY_INVALID',
      message: `The proxy address for ${url.protocol}// requests is not an http:// URL.`,
      remedy: 'Give it as http://host:port.',
    });
  }
  return proxy;
}

function isExempt(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (host === 'localhost' || host.startsWith('127.') || host === '::1') return true;
  const port = url.port !== '' ? url.port : url.protocol === 'https:' ? '443' : '80';
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && matches(entry, host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isInIpv4Range(entry, host);
  const withPort = /^(?<name>[^:]+):(?<port>\d+)$/.exec(entry);
  if (withPort !== null && withPort.groups?.['port'] !== port) return false;
  const name = (withPort?.groups?.['name'] ?? entry).replace(/^\*?\./, '');
  return host === name || (isIP(host) === 0 && host.endsWith(`.${name}`));
}
