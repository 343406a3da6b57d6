import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Mutex } from '@vic/async';
import { VicError } from '@vic/errors';
import { writeJsonFile } from '../model/json-file.ts';

/** The role a user has on the whole inventory unless permissions say otherwise. */
export type BaseRole = 'Admin' | 'ReadOnly' | 'NoAccess';

/** One user of the host. */
export interface User {
  readonly name: string;
  readonly fullName?: string;
  /** Argon2id in PHC string form; see {@link hashPassword}. */
  readonly passwordHash: string;
  readonly role: BaseRole;
}

const ROLES: readonly string[] = ['Admin', 'ReadOnly', 'NoAccess'] satisfies readonly BaseRole[];
/** OWASP's first recommendation for argon2id: 19 MiB, two passes. */
const COST = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const;
/** A hash from a file may not ask for more than this. */
const MAX_MEMORY_KIB = 1024 * 1024;

/** Who may log in: a file that is read again when it changes. */
export class Users {
  readonly #file: string;
  #loaded: { readonly stamp: string; readonly users: ReadonlyMap<string, User> } | undefined;
  /** Hashing takes memory on purpose; one at a time keeps many log-ins from taking all of it. */
  readonly #hashing = new Mutex();
  #decoy: Promise<string> | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** The user when name and password are right; takes the same time when the name is unknown. */
  async verify(name: string, password: string): Promise<User | undefined> {
    const user = (await this.#load()).get(name);
    this.#decoy ??= hashPassword(randomBytes(16).toString('hex'));
    const hash = user?.passwordHash ?? (await this.#decoy);
    const right = await this.#hashing.run(async () => verifyPassword(password, hash));
    return right ? user : undefined;
  }

  /** All users, by name. */
  async list(): Promise<readonly User[]> {
    return [...(await this.#load()).values()];
  }

  /** The base role of a user; NoAccess for one who is not in the file. */
  roleOf(name: string): BaseRole {
    return this.#loaded?.users.get(name)?.role ?? 'NoAccess';
  }

  async #load(): Promise<ReadonlyMap<string, User>> {
    const { mtimeMs, size, ino } = await stat(this.#file);
    const stamp = `${mtimeMs}:${size}:${ino}`;
    if (this.#loaded?.stamp !== stamp) {
      const users = parseUsers(await readFile(this.#file, 'utf8'), this.#file);
      this.#loaded = { stamp, users: new Map(users.map((user) => [user.name, user])) };
    }
    return this.#loaded.users;
  }
}

/** Writes the users file, readable by its owner only. */
export async function writeUsers(file: string, users: readonly User[]): Promise<void> {
  await writeJsonFile(file, { users });
}

/** The argon2id hash of a password in PHC string form. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const tag = await promisify(argon2)('argon2id', { message: password, nonce: salt, ...COST });
  return `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${unpadded(salt)}$${unpadded(tag)}`;
}

async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(hash);
  if (match === null) return false;
  const [, memory = '', passes = '', parallelism = '', salt = '', tag = ''] = match;
  if (Number(memory) > MAX_MEMORY_KIB) return false;
  const expected = Buffer.from(tag, 'base64');
  const actual = await promisify(argon2)('argon2id', {
    message: password,
    nonce: Buffer.from(salt, 'base64'),
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    tagLength: expected.length,
  });
  return timingSafeEqual(actual, expected);
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

function parseUsers(text: string, file: string): User[] {
  const invalid = (reason: string): VicError =>
    new VicError({
      class: 'InvalidArgument',
      code: 'USERS_INVALID',
      message: `${file} is not a users file: ${reason}.`,
    });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw invalid('it is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || !('users' in parsed) || !Array.isArray(parsed.users)) {
    throw invalid('it has no list "users"');
  }
  return parsed.users.map((user: Partial<User> | null, index) => {
    if (typeof user?.name !== 'string' || typeof user.passwordHash !== 'string' || !ROLES.includes(user.role ?? '')) {
      throw invalid(`user ${index} needs a name, a passwordHash and a role of ${ROLES.join(', ')}`);
    }
    return user as User;
  });
}
