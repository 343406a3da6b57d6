import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { canonicalize } from '@tufjs/canonical-json';
import { type TufKey, keyIdOf } from './tuf-key.ts';
import type { TufSigned, TufType } from './tuf-metadata.ts';

/** The roles whose keys the server may hold. */
export type ServerRole = 'timestamp' | 'snapshot';

/** A signing key of the server for one role of one collection. */
export interface ServerKey {
  readonly keyId: string;
  readonly key: TufKey;
  /** PKCS #8, PEM. */
  readonly privateKey: string;
}

/** Makes a P-256 key, which is what notary clients expect of a server. */
export function generateServerKey(): ServerKey {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = pair.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  const key: TufKey = { keytype: 'ecdsa', keyval: { public: publicKey, private: null } };
  return { keyId: keyIdOf(key), key, privateKey: pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() };
}

/** A metadata file signed by the server's key. */
export function signTuf<T extends TufType>(signed: TufSigned<T>, serverKey: ServerKey): Buffer {
  const privateKey = createPrivateKey(serverKey.privateKey);
  const signature = sign('sha256', Buffer.from(canonicalize(signed)), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const document = {
    signed,
    signatures: [{ keyid: serverKey.keyId, method: 'ecdsa', sig: signature.toString('base64') }],
  };
  return Buffer.from(canonicalize(document));
}
