import { VicError } from '@vic/errors';

/** A registry that limits how much it is asked (429). */
export class RegistryBusyError extends VicError {
  /** When the registry wants to be asked again at the earliest; absent when it did not say. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, retryAfterMs: number | undefined) {
    super({ class: 'ResourceExhausted', code: 'REGISTRY_BUSY', message });
    this.retryAfterMs = retryAfterMs;
  }
}

/** Longer waits than a day are a mistake or malice. */
const MAX_RETRY_AFTER_MS = 24 * 3600 * 1000;

/** Milliseconds that a `Retry-After` header (seconds or a date) asks to wait. */
export function parseRetryAfter(value: string | undefined, nowMs = Date.now()): number | undefined {
  if (value === undefined || value.length > 100) return undefined;
  const seconds = /^\s*\d{1,9}\s*$/.test(value) ? Number(value) : (Date.parse(value) - nowMs) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds * 1000, 0), MAX_RETRY_AFTER_MS) : undefined;
}
