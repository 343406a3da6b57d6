import { createPublicKey } from 'node:crypto';
import { type SignatureVerdict, accepted, rejected } from '../signature-verdict.ts';
import type { RuleOf } from '../trust-policy.ts';
import type { CosignSignature } from './cosign-signature.ts';
import { isSignedWith } from './public-key-signature.ts';

/** What a `cosign-key` rule says of a signature. */
export function verifyWithKey(rule: RuleOf<'cosign-key'>, signature: CosignSignature): SignatureVerdict {
  const key = createPublicKey(rule.key);
  return isSignedWith(key, signature.signedBytes, signature.signature)
    ? accepted(rule.name)
    : rejected('was made by another key');
}
