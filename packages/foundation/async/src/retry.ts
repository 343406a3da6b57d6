import { delay } from './deadline.ts';

/** How often and how patiently {@link retry} tries again. */
export interface RetryOptions {
  /** Which errors are worth another try. */
  readonly retryIf: (error: unknown) => boolean;
  /** Total number of tries, the first included. */
  readonly attempts: number;
  /** Pause before the second try; doubled each time, with jitter. */
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly signal?: AbortSignal;
}

/** Calls `operation` until it succeeds, fails for good, or the attempts are used up; then throws the last error. */
export async function retry<T>(operation: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  let pauseMs = options.initialDelayMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation(attempt);
    } catch (error) {
      if (attempt >= options.attempts || !options.retryIf(error)) throw error;
    }
    // Jitter keeps many clients that failed together from coming back together.
    await delay(pauseMs * (0.5 + Math.random() / 2), options.signal);
    pauseMs = Math.min(pauseMs * 2, options.maxDelayMs);
  }
}

/** Calls `probe` every `intervalMs` until it gives something other than `undefined`, or the signal fires. */
export async function pollUntil<T>(
  probe: () => Promise<T | undefined> | T | undefined,
  intervalMs: number,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    await delay(intervalMs, signal);
  }
}
