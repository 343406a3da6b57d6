import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { link, readFile, rm } from 'node:fs/promises';
import { VicError } from '@vic/errors';
import { replaceFile } from '@vic/files';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PREFIX = 'v1:';

/** Encrypts secrets that must be given back in clear: passwords for other systems, private keys. */
export class SecretBox {
  readonly #key: Buffer;

  /** A box of the 32-byte key. */
  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES) throw new Error(`The key of a secret box has ${KEY_BYTES} bytes`);
    this.#key = Buffer.from(key);
  }

  /** The box whose key is in that file, which is made (mode 0600) when it is not there. */
  static async open(path: string): Promise<SecretBox> {
    const key = (await readKey(path)) ?? (await makeKey(path));
    if (key.length === KEY_BYTES) return new SecretBox(key);
    throw new VicError({
      class: 'FailedPrecondition',
      code: 'SECRET_KEY_INVALID',
      message: `${path} has ${key.length} bytes instead of the ${KEY_BYTES} of a key.`,
      remedy: 'Restore the key file that belongs to this database.',
    });
  }

  /** Seals a text for the purpose named by `context`, without which it cannot be opened. */
  seal(text: string, context: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(context));
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return PREFIX + sealed.toString('base64url');
  }

  /** Opens what {@link seal} made in the same context; throws `DataLoss` for anything else. */
  open(sealed: string, context: string): string {
    try {
      const bytes = Buffer.from(sealed.slice(PREFIX.length), 'base64url');
      if (!sealed.startsWith(PREFIX) || bytes.length < NONCE_BYTES + TAG_BYTES) throw new Error('too short');
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, NONCE_BYTES))
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch (cause) {
      throw new VicError({
        class: 'DataLoss',
        code: 'SECRET_UNREADABLE',
        message: `The stored secret of ${context} cannot be decrypted with this installation's key.`,
        remedy: 'Restore the key file that belongs to this database, or enter the secret again.',
        cause,
      });
    }
  }
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
