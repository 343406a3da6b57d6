import { STATUS_CODES } from 'node:http';
import { VicError } from '@vic/errors';
import type { HttpResponse } from '@vic/http-client';
import { familiarReference } from '@vic/oci';
import type { ImageReference } from '@vic/oci';
import { parseRetryAfter, RegistryBusyError } from './registry-busy-error.ts';

/** Error documents are small; what is longer is not one. */
const MAX_ERROR_BYTES = 64 * 1024;

/** One entry of a registry's error document. */
interface RegistryFault {
  readonly code: string;
  readonly message: string;
}

/** What was asked of a registry, as its refusal names it. */
export type RegistryAction = 'pull' | 'push' | 'delete';

/** The error, in Docker's words, for a registry's refusal of something about `reference`. Reads the body. */
export async function registryError(
  response: HttpResponse,
  reference: ImageReference,
  action: RegistryAction = 'pull',
): Promise<VicError> {
  const fault = await faultOf(response);
  const said = fault === undefined ? '' : `${fault.code.toLowerCase().replaceAll('_', ' ')}: ${fault.message}`;
  const name = familiarReference({ domain: reference.domain, path: reference.path });
  if (response.status === 401 || response.status === 403) {
    return action === 'pull' ? accessDenied(name, said) : changeDenied(action, name, said);
  }
  if (response.status === 429) {
    const retryAfterMs = parseRetryAfter(response.header('retry-after'));
    return new RegistryBusyError(said || 'toomanyrequests: the registry limits pulls', retryAfterMs);
  }
  if (response.status === 404) {
    if (fault?.code === 'NAME_UNKNOWN') return notFound(`repository ${name} not found: ${said}`);
    if (fault?.code === 'DENIED') return accessDenied(name, said);
    return notFound(
      `manifest for ${familiarReference(reference)} not found: ${said || 'manifest unknown: manifest unknown'}`,
    );
  }
  if (action !== 'pull' && response.status >= 400 && response.status < 500) return refused(response.status, name, said);
  const text = `${response.status} ${STATUS_CODES[response.status] ?? ''}`.trim();
  return new VicError({
    class: 'Unavailable',
    code: 'REGISTRY_FAILED',
    message: said || `received unexpected HTTP status: ${text}`,
  });
}

/** The error for credentials a registry or its token service does not take. */
export function badCredentials(): VicError {
  return new VicError({
    class: 'Unauthenticated',
    code: 'REGISTRY_UNAUTHORIZED',
    message: 'unauthorized: incorrect username or password',
  });
}

function accessDenied(name: string, said: string): VicError {
  const suffix = said === '' ? '' : `: ${said}`;
  return new VicError({
    class: 'NotFound',
    code: 'REGISTRY_DENIED',
    message: `pull access denied for ${name}, repository does not exist or may require 'docker login'${suffix}`,
  });
}

function changeDenied(action: RegistryAction, name: string, said: string): VicError {
  return new VicError({
    class: 'PermissionDenied',
    code: 'REGISTRY_DENIED',
    message: `denied: the registry does not let these credentials ${action} ${name}${said === '' ? '' : `: ${said}`}`,
  });
}

/** A change that the registry understood and does not want: asking again would not help. */
function refused(status: number, name: string, said: string): VicError {
  const errorClass = status === 405 || status === 501 || said.startsWith('unsupported') ? 'NotSupported' : 'Conflict';
  return new VicError({
    class: errorClass,
    code: errorClass === 'NotSupported' ? 'REGISTRY_UNSUPPORTED' : 'REGISTRY_REFUSED',
    message: `The registry refused a change of ${name} (${status})${said === '' ? '.' : `: ${said}`}`,
  });
}

function notFound(message: string): VicError {
  return new VicError({ class: 'NotFound', code: 'REGISTRY_NOT_FOUND', message });
}

async function faultOf(response: HttpResponse): Promise<RegistryFault | undefined> {
  let document: unknown;
  try {
    document = await response.json(MAX_ERROR_BYTES);
  } catch {
    return undefined;
  }
  const errors = (document as { readonly errors?: unknown } | null)?.errors;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  if (typeof first !== 'object' || first === null) return undefined;
  const { code, message } = first as Record<string, unknown>;
  return typeof code === 'string'
    ? { code: code.slice(0, 100), message: (typeof message === 'string' ? message : code).slice(0, 1000) }
    : undefined;
}
