import { VicError } from '@vic/errors';
import type { Bundle } from '@sigstore/bundle';

/** A signature of cosign, whichever way it was stored. */
export interface CosignSignature {
  /** What the signature is over. */
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
  /** The digest that the signed statement is about. */
  readonly subjectDigest: string;
  /** The kind of what is attested, where more is said than that the artifact is approved of: an SBOM, a build. */
  readonly attests: string | undefined;
  /** The signer's certificate; absent for key pairs. */
  readonly certificate: Uint8Array | undefined;
  readonly intermediates: readonly Uint8Array[];
  /** All of it in sigstore's form, with what transparency logs and timestamp authorities say of it. */
  readonly bundle: Bundle;
}

/** The error of a stored signature that cannot be read. */
export function unreadable(problem: string, cause?: unknown): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'SIGNATURE_UNREADABLE',
    message: `The signature ${problem}.`,
    ...(cause === undefined ? {} : { cause }),
  });
}
