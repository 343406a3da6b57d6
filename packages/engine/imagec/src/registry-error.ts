import { STATUS_CODES } from 'node:http';
import { VicError } from '@vic/errors';
import type { HttpResponse } from '@vic/http-client';
import { familiarReference } from '@vic/oci';
import type { ImageReference } from '@vic/oci';

/** Error documents are small; what is longer is not one. */
const MAX_ERROR_BYTES = 64 * 1024;

/** One entry of a registry's error document. */
interface RegistryFault {
  readonly code: string;
  readonly message: string;
}

/** The error, in Docker's words, for a registry's refusal of something about `reference`. Reads the body. */
export async function registryError(response: HttpResponse, reference: ImageReference): Promise<VicError> {
  const fault = await faultOf(response);
  const said = fault === undefined ? '' : `${fault.code.toLowerCase().replaceAll('_', ' ')}: ${fault.message}`;
  const name = familiarReference({ domain: reference.domain, path: reference.path });
  if (response.status === 401 || response.status === 403) return accessDenied(name, said);
  if (response.status === 429) {
    return new VicError({
      class: 'ResourceExhausted',
      code: 'REGISTRY_BUSY',
      message: said || 'toomanyrequests: the registry limits pulls',
    });
  }
  if (response.status === 404) {
    if (fault?.code === 'NAME_UNKNOWN') return notFound(`repository ${name} not found: ${said}`);
    if (fault?.code === 'DENIED') return accessDenied(name, said);
    return notFound(
      `manifest for ${familiarReference(reference)} not found: ${said || 'manifest unknown: manifest unknown'}`,
    );
  }
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
