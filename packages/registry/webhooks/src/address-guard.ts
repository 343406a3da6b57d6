import { lookup } from 'node:dns/promises';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { withDeadline } from '@vic/async';
import { VicError } from '@vic/errors';

/**
 * Where webhooks never go unless an administrator of the system says so: this machine, addresses that are valid on
 * one link only (the metadata services of clouds among them), and what is no single machine.
 *
 * Private networks are open: that is where receivers are.
 */
const CLOSED = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.192/32',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  'fe80::/10',
  'fd00:ec2::/32',
  'ff00::/8',
];

const LOOKUP_TIMEOUT_MS = 5_000;
const REMEDY = 'An administrator of the system can open it: webhookAddresses in the configuration file.';

/** Decides which addresses webhooks may be sent to. */
export class AddressGuard {
  readonly #closed = blockList(CLOSED);
  readonly #allowed: BlockList;

  /** `allowed` are addresses or networks (`10.1.2.3`, `127.0.0.0/8`) that are open in spite of the rules. */
  constructor(allowed: readonly string[] = []) {
    this.#allowed = blockList(allowed);
  }

  /** Throws for an address that webhooks may not be sent to. */
  readonly check = (address: string): void => {
    const plain = unmapped(address);
    const family = isIPv6(plain) ? 'ipv6' : 'ipv4';
    if (!this.#closed.check(plain, family) || this.#allowed.check(plain, family)) return;
    throw new VicError({
      class: 'PermissionDenied',
      code: 'WEBHOOK_ADDRESS_DENIED',
      message: `Webhooks may not be sent to ${address}.`,
      remedy: REMEDY,
    });
  };

  /**
   * Throws `InvalidArgument` when the host of a URL is, or stands for, an address that webhooks may not be sent to.
   * A name that cannot be resolved now is let through: deliveries ask again.
   */
  async checkUrl(url: string): Promise<void> {
    const host = new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
    for (const address of await addressesOf(host)) {
      try {
        this.check(address);
      } catch (cause) {
        throw refusedUrl(url, isIP(host) === 0 ? `${address}, which ${host} stands for` : address, cause);
      }
    }
  }
}

async function addressesOf(host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  const ask = async (): Promise<readonly string[]> => (await lookup(host, { all: true })).map(({ address }) => address);
  return withDeadline(`the addresses of ${host}`, LOOKUP_TIMEOUT_MS, ask).catch(() => []);
}

function refusedUrl(url: string, address: string, cause: unknown): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'WEBHOOK_ADDRESS_REFUSED',
    message: `"${url.slice(0, 100)}" cannot be the address of a webhook: webhooks may not be sent to ${address}.`,
    remedy: REMEDY,
    cause,
  });
}

/** `::ffff:127.0.0.1` and its hexadecimal spelling are 127.0.0.1. */
function unmapped(address: string): string {
  const canonical = isIPv6(address)
    ? new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1)
    : address;
  const mapped = /^::(?:ffff:)?([\da-f]{1,4}):([\da-f]{1,4})$/.exec(canonical);
  if (mapped === null) return canonical;
  const [high = 0, low = 0] = mapped.slice(1).map((group) => Number.parseInt(group, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    list.addSubnet(address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family);
  }
  return list;
}
