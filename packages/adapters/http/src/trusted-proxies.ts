import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { VicError } from '@vic/errors';

/** Whoever stands between clients and this server, and whose word for the client is taken. */
export class TrustedProxies {
  readonly #trusted = new BlockList();

  /** `addresses` are addresses and networks: `10.0.0.7`, `10.0.0.0/8`, `fd00::/8`. */
  constructor(addresses: readonly string[]) {
    for (const text of addresses) this.#add(text);
  }

  /**
   * Puts what trusted proxies say of the client in the place of what they are themselves, and removes what nobody
   * vouches for: afterwards `X-Forwarded-For` names one address, or is absent, and `Host` is what the client asked for.
   */
  apply(request: IncomingMessage): void {
    const { headers } = request;
    const client = this.#clientOf(request.socket.remoteAddress, headers);
    for (const name of FORWARDING_HEADERS) delete headers[name];
    if (client === undefined) return;
    headers['x-forwarded-for'] = client.address;
    if (client.proto !== undefined) headers['x-forwarded-proto'] = client.proto;
    if (client.host !== undefined) headers.host = client.host;
  }

  #clientOf(peer: string | undefined, headers: IncomingHttpHeaders): Client | undefined {
    if (peer === undefined || !this.#isTrusted(peer)) return undefined;
    const found = [listedHops(headers), standardHops(headers)]
      .filter((hops) => hops.length > 0)
      .map((hops) => this.#walk(peer, hops));
    const [first, second] = found;
    // A proxy that writes one of the two headers hands on what a client wrote into the other.
    if (first !== undefined && second !== undefined && first.address !== second.address) return { address: peer };
    return first ?? { address: peer, ...withoutFor(headers) };
  }

  /** From the nearest hop outwards, as long as the one before is trusted to tell. */
  #walk(peer: string, hops: readonly Hop[]): Client {
    let client: Client = { address: peer };
    for (const { address, ...asked } of hops.toReversed()) {
      if (!this.#isTrusted(client.address) || address === undefined) break;
      client = { address, ...asked };
    }
    return client;
  }

  #isTrusted(address: string): boolean {
    const plain = address.replace(/%.*$/, '');
    return isIP(plain) !== 0 && this.#trusted.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  }

  #add(text: string): void {
    const [, address = '', prefix] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    const bits = family === 'ipv6' ? 128 : 32;
    if (isIP(address) === 0 || Number(prefix ?? 0) > bits) throw invalid(text);
    this.#trusted.addSubnet(address, prefix === undefined ? bits : Number(prefix), family);
  }
}

/** Of the client itself, as the trusted proxy it came to says. */
interface Client {
  readonly address: string;
  readonly proto?: string;
  readonly host?: string;
}

/** What one proxy says of who came to it. */
interface Hop extends Omit<Client, 'address'> {
  /** Absent when it was kept secret, or is no address. */
  readonly address: string | undefined;
}

const FORWARDING_HEADERS = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-real-ip',
] as const;

/** `X-Forwarded-For` and those that belong to it; one that a proxy overwrote has fewer values. */
function listedHops(headers: IncomingHttpHeaders): readonly Hop[] {
  const addresses = valuesOf(headers, 'x-forwarded-for');
  const protos = valuesOf(headers, 'x-forwarded-proto');
  const hosts = valuesOf(headers, 'x-forwarded-host');
  return addresses.map((address, index) => {
    const fromEnd = index - addresses.length;
    return {
      address: addressOf(address),
      ...asked(protos.at(fromEnd) ?? protos[0], hosts.at(fromEnd) ?? hosts[0]),
    };
  });
}

/** `Forwarded`, RFC 7239. */
function standardHops(headers: IncomingHttpHeaders): readonly Hop[] {
  return valuesOf(headers, 'forwarded').map((element) => {
    const pairs = new Map(
      element.split(';').map((pair) => {
        const [name = '', value = ''] = pair.split(/=(.*)/s);
        return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/s, '$1')];
      }),
    );
    return { address: addressOf(pairs.get('for') ?? ''), ...asked(pairs.get('proto'), pairs.get('host')) };
  });
}

/** A proxy that says how it was asked and not by whom. */
function withoutFor(headers: IncomingHttpHeaders): Omit<Client, 'address'> {
  return asked(valuesOf(headers, 'x-forwarded-proto').at(-1), valuesOf(headers, 'x-forwarded-host').at(-1));
}

function asked(proto: string | undefined, host: string | undefined): Omit<Client, 'address'> {
  return {
    ...(proto !== undefined && /^https?$/i.test(proto) ? { proto: proto.toLowerCase() } : {}),
    // The header reaches answers, so only characters of a host pass.
    ...(host !== undefined && /^[\w.:[\]-]{1,255}$/.test(host) ? { host } : {}),
  };
}

/** Without its port: `192.0.2.1:80`, `[2001:db8::1]:80`. */
function addressOf(text: string): string | undefined {
  const plain = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? text.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
  return isIP(plain) === 0 ? undefined : plain;
}

function valuesOf(headers: IncomingHttpHeaders, name: string): readonly string[] {
  const value = headers[name];
  const text = Array.isArray(value) ? value.join(',') : (value ?? '');
  return text === '' ? [] : text.split(',').map((part) => part.trim());
}

function invalid(text: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'HTTP_TRUSTED_PROXY_INVALID',
    message: `A trusted proxy is neither an address nor a network: ${text.slice(0, 100)}.`,
    remedy: 'Write 10.0.0.7, 10.0.0.0/8 or fd00::/8.',
  });
}
