import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { link, readFile, rm } from 'node:fs/promises';
import { VicError } from '@vic/errors';
import { replaceFile } from '@vic/files';
import { KEY_BYTES, type KeyRing, parseKeyRing } from './key-ring.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PREFIX = 'v1:';

/** Encrypts secrets that must be given back in clear: passwords for other systems, private keys. */
export class SecretBox {
  #ring: KeyRing;
  #file: KeyFile | undefined;

  /** A box of the 32-byte key. */
  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES) throw new Error(`The key of a secret box has ${KEY_BYTES} bytes`);
    this.#ring = { current: Buffer.from(key) };
  }

  /**
   * The box whose key is in that file, which is made (mode 0600) when it is not there. When the key is rotated, the
   * box goes on with what the file then holds.
   */
  static async open(path: string): Promise<SecretBox> {
    const identity = identityOf(path);
    const ring = parseKeyRing((await readKey(path)) ?? (await makeKey(path)), path);
    const box = new SecretBox(ring.current);
    box.#ring = ring;
    box.#file = { path, identity };
    return box;
  }

  /** Seals a text for the purpose named by `context`, without which it cannot be opened. */
  seal(text: string, context: string): string {
    this.#follow();
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#ring.current, nonce).setAAD(Buffer.from(context));
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return PREFIX + sealed.toString('base64url');
  }

  /** Opens what {@link seal} made in the same context; throws `DataLoss` for anything else. */
  open(sealed: string, context: string): string {
    const opened = this.#openWithAny(sealed, context) ?? (this.#follow() && this.#openWithAny(sealed, context));
    if (typeof opened === 'object') return opened.text;
    throw unreadable(context);
  }

  /** The same secret sealed with the key that seals now; `undefined` when it is already. */
  reseal(sealed: string, context: string): string | undefined {
    this.#follow();
    const opened = this.#openWithAny(sealed, context);
    if (opened === undefined) throw unreadable(context);
    return opened.role === 'current' ? undefined : this.seal(opened.text, context);
  }

  #openWithAny(sealed: string, context: string): { readonly text: string; readonly role: keyof KeyRing } | undefined {
    for (const role of ['current', 'previous', 'next'] as const) {
      const key = this.#ring[role];
      const text = key === undefined ? undefined : openWith(key, sealed, context);
      if (text !== undefined) return { text, role };
    }
    return undefined;
  }

  /** Reads the key file again if it was replaced; says whether it was. One that cannot be read changes nothing. */
  #follow(): boolean {
    const file = this.#file;
    if (file === undefined) return false;
    const identity = identityOf(file.path);
    if (identity === undefined || identity === file.identity) return false;
    this.#ring = parseKeyRing(readFileSync(file.path), file.path);
    file.identity = identity;
    return true;
  }
}

/** The file that a box goes by. */
interface KeyFile {
  readonly path: string;
  /** Changes when the file is replaced. */
  identity: string | undefined;
}

function openWith(key: Buffer, sealed: string, context: string): string | undefined {
  const bytes = Buffer.from(sealed.slice(PREFIX.length), 'base64url');
  if (!sealed.startsWith(PREFIX) || bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
      .setAAD(Buffer.from(context))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return undefined;
  }
}

function identityOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.ino}:${found.ctimeNs}`;
}

function unreadable(context: string): VicError {
  return new VicError({
    class: 'DataLoss',
    code: 'SECRET_UNREADABLE',
    message: `The stored secret of ${context} cannot be decrypted with this installation's key.`,
    remedy: 'Restore the key file that belongs to this database, or enter the secret again.',
  });
}

async function readKey(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** A new key, or that of a process that made one at the same moment: a link never replaces a file. */
async function makeKey(path: string): Promise<Buffer> {
  const key = randomBytes(KEY_BYTES);
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    await replaceFile(draft, key, { mode: 0o600, durable: true });
    await link(draft, path);
    return key;
  } catch (error) {
    const made = await readKey(path);
    if (made === undefined) throw error;
    return made;
  } finally {
    await rm(draft, { force: true });
  }
}
