import { argon2, createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { WorkQueue, type WorkQueueLimits } from './work-queue.ts';

/** What one argon2id costs. */
export interface PasswordCost {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** About 100 ms on a core of a small server, and above OWASP's minimum of 19 MiB and two passes. */
const DEFAULT_COST: PasswordCost = { memoryKiB: 32 * 1024, passes: 2, parallelism: 1 };
const SALT_BYTES = 16;
const TAG_BYTES = 32;
/**
 * Two at a time: 64 MiB, and threads are left for files. Past sixty waiting, a client is told to come back; one
 * address takes a quarter of them, so that it cannot keep the others out.
 */
const HASH_LIMITS: WorkQueueLimits = { running: 2, waiting: 60, waitingFromOne: 15 };
const ARGON2_VERSION = 19;

const deriveArgon2 = promisify(argon2);

interface ParsedArgon2 {
  readonly cost: PasswordCost;
  readonly salt: Buffer;
  readonly tag: Buffer;
}

/** Hashes and verifies what people sign in with; the hashes are PHC strings, which carry their own cost. */
export class PasswordHasher {
  readonly #cost: PasswordCost;
  readonly #queue = new WorkQueue(HASH_LIMITS);
  #decoy: Promise<string> | undefined;

  /** A hasher of that cost. */
  constructor(cost: PasswordCost = DEFAULT_COST) {
    this.#cost = cost;
  }

  /** Of what a person chose: slow to try. */
  async hashChosen(secret: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const tag = await this.#derive(secret, { salt, cost: this.#cost });
    const { memoryKiB, passes, parallelism } = this.#cost;
    return `$argon2id$v=${ARGON2_VERSION}$m=${memoryKiB},t=${passes},p=${parallelism}$${base64(salt)}$${base64(tag)}`;
  }

  /** Of what we drew ourselves, which nobody can guess: fast, because robots sign in often. */
  hashRandom(secret: string): string {
    const salt = randomBytes(SALT_BYTES);
    return `$sha256$${base64(salt)}$${base64(sha256(secret, salt))}`;
  }

  /** Whether the hash is of that secret, which came from that address. */
  async verify(secret: string, hash: string, address?: string): Promise<boolean> {
    const [, algorithm, salt = '', tag = ''] = hash.split('$');
    if (algorithm === 'sha256') return equal(sha256(secret, Buffer.from(salt, 'base64')), Buffer.from(tag, 'base64'));
    const parsed = parseArgon2(hash);
    return parsed !== undefined && equal(await this.#derive(secret, parsed, address), parsed.tag);
  }

  /** Takes as long as {@link verify}, for accounts that do not exist: the time must not tell. */
  async verifyNothing(secret: string, address: string): Promise<undefined> {
    this.#decoy ??= this.hashChosen('decoy');
    const decoy = await this.#decoy.catch((error: unknown) => {
      // There was no room for it; it is not to be refused for ever.
      this.#decoy = undefined;
      throw error;
    });
    await this.verify(secret, decoy, address);
  }

  /** Whether a hash of a chosen secret was made at another cost than today's. */
  isOutdated(hash: string): boolean {
    const cost = parseArgon2(hash)?.cost;
    if (cost === undefined) return false;
    const { memoryKiB, passes, parallelism } = this.#cost;
    return cost.memoryKiB !== memoryKiB || cost.passes !== passes || cost.parallelism !== parallelism;
  }

  async #derive(
    secret: string,
    { salt, cost }: Pick<ParsedArgon2, 'salt' | 'cost'>,
    address?: string,
  ): Promise<Buffer> {
    return this.#queue.run(address, async () =>
      deriveArgon2('argon2id', {
        message: Buffer.from(secret, 'utf8'),
        nonce: salt,
        parallelism: cost.parallelism,
        tagLength: TAG_BYTES,
        memory: cost.memoryKiB,
        passes: cost.passes,
      }),
    );
  }
}

function parseArgon2(hash: string): ParsedArgon2 | undefined {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(hash);
  const [, memory, passes, parallelism, salt, tag] = match ?? [];
  if (salt === undefined || tag === undefined) return undefined;
  return {
    cost: { memoryKiB: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

function sha256(secret: string, salt: Buffer): Buffer {
  return createHash('sha256').update(salt).update(secret, 'utf8').digest();
}

function equal(first: Buffer, second: Buffer): boolean {
  return first.length === second.length && timingSafeEqual(first, second);
}

/** PHC strings use base64 without padding. */
function base64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
