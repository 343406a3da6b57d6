/** What one rule says of one signature: accepted, or why not. */
export type SignatureVerdict = { readonly accepted: true; readonly by: string } | Rejection;

/** A signature that a rule does not accept. */
export interface Rejection {
  readonly accepted: false;
  /** Part of a sentence: "was made by another key". */
  readonly reason: string;
}

/** Accepted, by the rule and whom it names. */
export function accepted(by: string): SignatureVerdict {
  return { accepted: true, by };
}

/** Not accepted; `reason` is part of a sentence. */
export function rejected(reason: string): Rejection {
  return { accepted: false, reason };
}
