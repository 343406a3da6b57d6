import { createHmac } from 'node:crypto';

/** What a delivery is signed over. */
export interface SignedContent {
  readonly id: string;
  readonly timestampS: number;
  readonly body: string;
}

/**
 * The headers by which a receiver knows who sent a delivery, and that it has not come before, as Standard Webhooks
 * defines them: HMAC-SHA256 over `id.timestamp.body`.
 *
 * A secret that begins with `whsec_` is base64 behind that; any other is its own bytes.
 */
export function signatureHeaders(content: SignedContent, secret: string): Readonly<Record<string, string>> {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);
  const signed = `${content.id}.${content.timestampS}.${content.body}`;
  return {
    'webhook-id': content.id,
    'webhook-timestamp': String(content.timestampS),
    'webhook-signature': `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
  };
}
