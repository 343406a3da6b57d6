import { isIP } from 'node:net';
import { rootCertificates, type ConnectionOptions } from 'node:tls';
import { Client, type Entry, InvalidCredentialsError, type SearchOptions } from 'ldapts';
import { ldapError } from './ldap-error.ts';
import { type LdapOptions, ldapUrl } from './ldap-options.ts';

const PAGE_SIZE = 200;

/** One connection to the directory, for one question. */
export class LdapSession implements AsyncDisposable {
  readonly #client: Client;
  readonly #host: string;

  private constructor(client: Client, host: string) {
    this.#client = client;
    this.#host = host;
  }

  /** Connects; with `startTls`, nothing is said before the connection is encrypted. */
  static async open(options: LdapOptions): Promise<LdapSession> {
    const url = ldapUrl(options.url);
    const tlsOptions = tlsOptionsOf(options, url.hostname.replace(/^\[|\]$/g, ''));
    const client = new Client({
      url: url.href,
      connectTimeout: options.timeoutMs,
      timeout: options.timeoutMs,
      strictDN: false,
      ...(url.protocol === 'ldaps:' ? { tlsOptions } : {}),
    });
    const session = new LdapSession(client, url.host);
    try {
      if (options.startTls && url.protocol === 'ldap:') await client.startTLS(tlsOptions);
      return session;
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw ldapError(error, url.host);
    }
  }

  /**
   * Whether the directory accepts the password for the name.
   *
   * Never asked with an empty password: servers take that for an anonymous bind and accept it.
   */
  async bind(dn: string, password: string): Promise<boolean> {
    if (password === '') return false;
    try {
      await this.#client.bind(dn, password);
      return true;
    } catch (error) {
      if (error instanceof InvalidCredentialsError) return false;
      throw ldapError(error, this.#host);
    }
  }

  /** At most `limit` entries. */
  async search(baseDn: string, limit: number, options: SearchOptions): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    try {
      const pages = this.#client.searchPaginated(baseDn, {
        ...options,
        derefAliases: 'never',
        paged: { pageSize: Math.min(PAGE_SIZE, limit) },
      });
      for await (const { searchEntries } of pages) {
        entries.push(...searchEntries);
        if (entries.length >= limit) break;
      }
      return entries.slice(0, limit);
    } catch (error) {
      throw ldapError(error, this.#host);
    }
  }

  /** Takes leave and closes the connection, whatever state it is in. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.unbind().catch(() => undefined);
  }
}

/** The first value of an attribute, whose name may come back in another case. */
export function attribute(entry: Entry, name: string): string {
  return attributeValues(entry, name)[0] ?? '';
}

/** All values of an attribute. */
export function attributeValues(entry: Entry, name: string): readonly string[] {
  const key = Object.keys(entry).find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  const values = key === undefined ? [] : [entry[key]].flat();
  // OpenLDAP keeps leading spaces that somebody typed.
  return values.map((value) => String(value ?? '').trim()).filter((value) => value !== '');
}

function tlsOptionsOf(options: LdapOptions, host: string): ConnectionOptions {
  return {
    // The name that the certificate must be for; an address is none for TLS itself.
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: options.verifyCertificate,
    minVersion: 'TLSv1.2',
    ...(options.authorities === undefined ? {} : { ca: [...rootCertificates, options.authorities] }),
  };
}
