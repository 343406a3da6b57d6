import { VicError } from '@vic/errors';
import type { Schema, Selectable } from '@vic/sql';

/** How the adapter is told who asks. */
export type ScannerAuth = '' | 'Basic' | 'Bearer' | 'X-ScannerAdapter-API-Key';

/** One scanner that may be chosen. */
export interface ScannerRegistration {
  readonly id: number;
  readonly uuid: string;
  readonly name: string;
  readonly description: string;
  readonly url: string;
  /** Ours, or one behind the pluggable scanner API. */
  readonly kind: 'builtin' | 'adapter';
  readonly auth: ScannerAuth;
  readonly hasCredential: boolean;
  readonly skipCertVerify: boolean;
  readonly useInternalAddress: boolean;
  readonly disabled: boolean;
  readonly isDefault: boolean;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** What a registration is made of. */
export interface ScannerSettings {
  readonly name: string;
  readonly description: string;
  readonly url: string;
  readonly auth: string;
  readonly credential: string;
  readonly skipCertVerify: boolean;
  readonly useInternalAddress: boolean;
  readonly disabled: boolean;
}

/** Settings that were checked. */
export interface CheckedSettings extends ScannerSettings {
  readonly auth: ScannerAuth;
}

const AUTHS: readonly string[] = ['', 'Basic', 'Bearer', 'X-ScannerAdapter-API-Key'];

/** The registration of a row. */
export function registrationOfRow(row: Selectable<Schema['scanner_registrations']>): ScannerRegistration {
  return {
    id: row.id,
    uuid: row.uuid,
    name: row.name,
    description: row.description,
    url: row.url,
    kind: row.kind === 'builtin' ? 'builtin' : 'adapter',
    auth: row.auth as ScannerAuth,
    hasCredential: row.credential !== null,
    skipCertVerify: row.skip_cert_verify === 1,
    useInternalAddress: row.use_internal_address === 1,
    disabled: row.disabled === 1,
    isDefault: row.is_default === 1,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  };
}

/** Checks what an administrator entered, with Harbor's words. */
export function checkSettings(settings: ScannerSettings): CheckedSettings {
  if (settings.name.trim() === '') throw invalid('missing registration name');
  const url = URL.parse(settings.url);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw invalid(`scanner registration validate: invalid URL: ${settings.url.slice(0, 200)}`);
  }
  if (!AUTHS.includes(settings.auth)) throw invalid(`auth type ${settings.auth.slice(0, 50)} is not supported`);
  if (settings.auth !== '' && settings.credential === '') {
    throw invalid(`access_credential is required for auth type ${settings.auth}`);
  }
  return { ...settings, url: settings.url.replace(/\/+$/, ''), auth: settings.auth as ScannerAuth };
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'SCANNER_INVALID', message });
}
