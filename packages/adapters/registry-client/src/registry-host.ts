import type { HttpClient } from '@vic/http-client';
import { isVicError } from '@vic/errors';
import { isInIpv4Range } from '@vic/ipv4';

/** The API of `docker.io` is served elsewhere. */
const DOCKER_HUB_API = 'registry-1.docker.io';

/** Whether the administrator listed the registry as insecure: by `host`, `host:port`, or an IPv4 range. */
export function isInsecure(domain: string, insecureRegistries: readonly string[]): boolean {
  const host = domain.replace(/:\d+$/, '').toLowerCase();
  return insecureRegistries.some((entry) => {
    const listed = entry
      .replace(/^https?:\/\//, '')
      .replace(/\/$/, '')
      .toLowerCase();
    return listed === domain.toLowerCase() || listed === host || isInIpv4Range(listed, host);
  });
}

/** The address of a registry's API by the given scheme. */
export function apiUrl(domain: string, scheme: 'http' | 'https', path = ''): URL {
  return new URL(`${scheme}://${domain === 'docker.io' ? DOCKER_HUB_API : domain}/v2/${path}`);
}

/** `https` when the registry speaks it, `http` when it does not: asked only of registries listed as insecure. */
export async function probeScheme(domain: string, http: HttpClient, signal: AbortSignal): Promise<'http' | 'https'> {
  try {
    (await http.request({ url: apiUrl(domain, 'https'), signal })).discard();
    return 'https';
  } catch (error) {
    signal.throwIfAborted();
    if (isVicError(error, { code: 'HTTP_NO_SUCH_HOST' })) throw error;
    return 'http';
  }
}
