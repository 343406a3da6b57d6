import { createHash, createPublicKey } from 'node:crypto';
import type { CosignSignature } from './cosign-signature.ts';
import { isSignedWith } from './public-key-signature.ts';

/**
 * When the transparency log took the signature in; `undefined` when it does not prove that it did.
 *
 * The promise (Rekor's signed entry timestamp) is over the canonical JSON of the entry, whose body has to be about
 * this very signature.
 */
export function integrationTimeMs(logKey: string, { signature, logEntry }: CosignSignature): number | undefined {
  if (logEntry === undefined) return undefined;
  // Canonical JSON: keys in order, no spaces; all values here are numbers or plain ASCII.
  const promised = JSON.stringify({
    body: logEntry.body,
    integratedTime: logEntry.integratedTimeS,
    logID: logEntry.logId,
    logIndex: logEntry.logIndex,
  });
  const key = createPublicKey(logKey);
  const logId = createHash('sha256')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest('hex');
  if (logId !== logEntry.logId) return undefined;
  if (!isSignedWith(key, Buffer.from(promised), Buffer.from(logEntry.promise, 'base64'))) return undefined;
  return isAbout(logEntry.body, signature) ? logEntry.integratedTimeS * 1000 : undefined;
}

/** Whether the logged entry, of any of Rekor's kinds, holds the signature. */
function isAbout(body: string, signature: Uint8Array): boolean {
  const text = Buffer.from(body, 'base64').toString('utf8');
  const wanted = Buffer.from(signature).toString('base64');
  try {
    const entry: unknown = JSON.parse(text);
    return holds(entry, wanted);
  } catch {
    return false;
  }
}

/** `dsse` entries hold the signature encoded once more, `hashedrekord` ones as it is. */
function holds(value: unknown, wanted: string): boolean {
  if (typeof value === 'string') return value === wanted || Buffer.from(value, 'base64').toString() === wanted;
  return typeof value === 'object' && value !== null && Object.values(value).some((item) => holds(item, wanted));
}
