import { createHash, randomBytes, randomInt } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A random secret that {@link isAcceptableSecret} accepts and that no shell or form changes. */
export function randomSecret(length = 32): string {
  for (;;) {
    const secret = Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
    if (isAcceptableSecret(secret)) return secret;
  }
}

/** Harbor's rule for passwords and secrets. */
export function isAcceptableSecret(secret: string): boolean {
  return (
    secret.length >= 8 && secret.length <= 128 && /[a-z]/.test(secret) && /[A-Z]/.test(secret) && /\d/.test(secret)
  );
}

/** 256 random bits for cookies and tokens. */
export function randomToken(): string {
  return randomBytes(32).toString('base64url');
}

/** What is stored of a random token: with 256 random bits there is nothing to slow down. */
export function tokenDigest(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}
