import { X509Certificate } from 'node:crypto';
import { VicError } from '@vic/errors';
import type { EndpointSettings } from './registry-endpoint.ts';

const MAX_NAME_LENGTH = 64;
const MAX_URL_LENGTH = 256;
const MAX_CA_LENGTH = 64 * 1024;
const MAX_SECRET_LENGTH = 8192;

/** Refuses settings that cannot work; gives them with the URL in its one spelling. */
export function validateEndpoint(settings: EndpointSettings): EndpointSettings {
  if (settings.name === '') throw invalid('name cannot be empty');
  if (settings.name.length > MAX_NAME_LENGTH) throw invalid(`the max length of name is ${MAX_NAME_LENGTH}`);
  const { credential, caCertificate } = settings;
  if (credential !== undefined && credential.accessSecret.length > MAX_SECRET_LENGTH) {
    throw invalid(`the max length of a secret is ${MAX_SECRET_LENGTH}`);
  }
  if (caCertificate !== '') validateCa(caCertificate);
  return { ...settings, url: normalizeUrl(settings.url) };
}

/** An http or https URL without credentials, query, or slash at its end. */
function normalizeUrl(text: string): string {
  const url = text.length > MAX_URL_LENGTH ? null : URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw invalid(`invalid URL: ${text.slice(0, 100).replace(/\/\/[^@/]*@/, '//…@')}`);
  }
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`;
}

/** The host by which a registry names itself in `X-Vic-Replicated-From`, and endpoints are compared. */
export function hostOf(url: string): string {
  return (URL.parse(url)?.host ?? url).toLowerCase();
}

function validateCa(pem: string): void {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (pem.length > MAX_CA_LENGTH || blocks.length === 0) throw invalid('the CA certificate is not PEM');
  for (const block of blocks) {
    try {
      void new X509Certificate(block);
    } catch (cause) {
      throw invalid('the CA certificate cannot be read', cause);
    }
  }
}

function invalid(message: string, cause?: unknown): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'REGISTRY_INVALID', message, cause });
}
