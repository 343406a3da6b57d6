import { VicError } from '@vic/errors';

/** The newest API version served, and the one advertised. */
export const API_VERSION = '1.50';
/** The oldest API version served. */
export const MIN_API_VERSION = '1.24';

/** Why a version in a request's path was refused. The message for old versions is answered as plain text, as Docker does. */
export interface VersionRefusal {
  readonly message: string;
  readonly plainText: boolean;
}

/** A request path without its version prefix, and the version it speaks. */
export interface VersionedPath {
  readonly path: string;
  readonly version: string;
}

/** Splits `/v1.44/containers/json`; without a prefix the newest version is meant. */
export function splitVersion(path: string): VersionedPath {
  const match = /^\/v([0-9]+(?:\.[0-9]+)+)(\/.*)$/.exec(path);
  const [, version, rest] = match ?? [];
  return version === undefined || rest === undefined ? { path, version: API_VERSION } : { path: rest, version };
}

/** Whether the version is served, and Docker's words when it is not. */
export function refuseVersion(version: string): VersionRefusal | undefined {
  if (compareVersions(version, MIN_API_VERSION) < 0) {
    const message = `client version ${version} is too old. Minimum supported API version is ${MIN_API_VERSION}, please upgrade your client to a newer version`;
    return { message, plainText: true };
  }
  if (compareVersions(version, API_VERSION) > 0) {
    return {
      message: `client version ${version} is too new. Maximum supported API version is ${API_VERSION}`,
      plainText: false,
    };
  }
  return undefined;
}

/** Negative, zero or positive as `a` is older than, the same as or newer than `b`. */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether `version` is `wanted` or newer. */
export function atLeast(version: string, wanted: string): boolean {
  return compareVersions(version, wanted) >= 0;
}

/** Refuses an endpoint that only newer API versions have. */
export function requireVersion(version: string, minimum: string, path: string): void {
  if (atLeast(version, minimum)) return;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'API_VERSION_TOO_OLD',
    message: `${path} needs API version ${minimum}, but the client speaks ${version}.`,
  });
}
