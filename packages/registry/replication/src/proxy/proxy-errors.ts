import { isVicError, VicError } from '@vic/errors';
import { RegistryBusyError } from '@vic/registry-client';

/** An upstream that limits us, or that we do not let ourselves ask: 429. */
export class UpstreamLimited extends VicError {
  /** When it is worth asking again. */
  readonly retryAfterSeconds: number;

  constructor(retryAfterMs: number, cause?: unknown) {
    super({
      class: 'RateLimited',
      code: 'PROXY_UPSTREAM_LIMITED',
      message: 'too many requests to upstream registry',
      cause,
    });
    this.retryAfterSeconds = Math.max(Math.ceil(retryAfterMs / 1000), 1);
  }
}

/** Whether the upstream could not answer, so that what is here already is the best there is. */
export function isUpstreamTrouble(error: unknown): boolean {
  return (
    error instanceof UpstreamLimited ||
    error instanceof RegistryBusyError ||
    isVicError(error, { class: 'Unavailable' }) ||
    isVicError(error, { class: 'DeadlineExceeded' }) ||
    isVicError(error, { class: 'Unauthenticated' }) ||
    isVicError(error, { code: 'REGISTRY_TOKEN' })
  );
}

/** The error for a client when there is nothing to fall back to. */
export function upstreamError(error: unknown, host: string): unknown {
  if (error instanceof UpstreamLimited) return error;
  if (error instanceof RegistryBusyError) return new UpstreamLimited(error.retryAfterMs ?? DEFAULT_RETRY_MS, error);
  if (!isUpstreamTrouble(error)) return error;
  return new VicError({
    class: 'Unavailable',
    code: 'PROXY_UPSTREAM_UNAVAILABLE',
    message: `The upstream registry ${host} does not answer, and there is no copy here.`,
    cause: error,
  });
}

const DEFAULT_RETRY_MS = 30_000;
