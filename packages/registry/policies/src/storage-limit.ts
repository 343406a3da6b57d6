import { VicError } from '@vic/errors';

/** No limit. */
export const UNLIMITED = -1;

/** 1024 TB, as in Harbor. */
const MAX_LIMIT_BYTES = 1_125_899_906_842_624;
const UNIT = 1024;
const PREFIXES = ['K', 'M', 'G', 'T', 'P', 'E'];

/** Refuses what cannot be a limit, in Harbor's words. */
export function checkStorageLimit(limitBytes: number): void {
  if (limitBytes === UNLIMITED) return;
  if (!Number.isSafeInteger(limitBytes)) throw invalid(`invalid quota limit, value=${limitBytes}`);
  if (limitBytes <= 0) throw invalid(`invalid non-positive value for quota limit, value=${limitBytes}`);
  if (limitBytes > MAX_LIMIT_BYTES) {
    throw invalid(`exceeded 1024TB, which is ${MAX_LIMIT_BYTES} Bytes, value=${limitBytes}`);
  }
}

/** Bytes for people, as Harbor writes them: `10.0 MiB`. */
export function displaySize(bytes: number): string {
  if (bytes < UNIT) return `${bytes} B`;
  const exponent = Math.min(Math.floor(Math.log2(bytes) / 10), PREFIXES.length);
  return `${(bytes / UNIT ** exponent).toFixed(1)} ${PREFIXES[exponent - 1] ?? ''}iB`;
}

/** The refusal of a request that would exceed the limit, in Harbor's words. */
export function quotaExceeded(use: {
  readonly addedBytes: number;
  readonly usedBytes: number;
  readonly limitBytes: number;
}): VicError {
  const [added, used, limit] = [use.addedBytes, use.usedBytes, use.limitBytes].map(displaySize);
  return new VicError({
    class: 'PermissionDenied',
    code: 'QUOTA_EXCEEDED_DENIED',
    message:
      `Quota exceeded when processing the request of adding ${added} of storage resource, which when updated to ` +
      `current usage of ${used} will exceed the configured upper limit of ${limit}.`,
  });
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'QUOTA_LIMIT_INVALID', message });
}
