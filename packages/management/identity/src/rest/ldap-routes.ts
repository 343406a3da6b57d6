import type { LdapUser } from '@vic/directory';
import { VicError, describeError } from '@vic/errors';
import { type HttpApplication, Type } from '@vic/http';
import { type RestRoutes, auditSubject, permits } from '@vic/rest';
import type { Identity } from '../identity.ts';
import { ldapConfiguration } from '../sources/configuration-values.ts';
import type { LdapConfiguration } from '../sources/identity-configuration.ts';
import { LdapSource } from '../sources/ldap-source.ts';
import type { SourceUser } from '../users/user.ts';

const TEXT = Type.Optional(Type.String({ maxLength: 4096 }));
const SERVER = Type.Object({
  ldap_url: TEXT,
  ldap_search_dn: TEXT,
  ldap_search_password: TEXT,
  ldap_base_dn: TEXT,
  ldap_filter: TEXT,
  ldap_uid: TEXT,
  ldap_scope: Type.Optional(Type.Integer()),
  ldap_connection_timeout: Type.Optional(Type.Integer({ minimum: 0, maximum: 300 })),
  ldap_verify_cert: Type.Optional(Type.Boolean()),
  ldap_start_tls: Type.Optional(Type.Boolean()),
  ldap_ca: TEXT,
});
const BY_USER = Type.Object({ username: Type.Optional(Type.String({ maxLength: 255 })) });
const BY_GROUP = Type.Object({
  groupname: Type.Optional(Type.String({ maxLength: 255 })),
  groupdn: Type.Optional(Type.String({ maxLength: 1024 })),
});
const MAX_IMPORTS = 200;
const IMPORT = Type.Object({
  ldap_uid_list: Type.Array(Type.String({ maxLength: 255 }), { maxItems: MAX_IMPORTS }),
});
const MAX_FOUND = 100;

/** The routes that look into the LDAP directory and take users over. */
export function ldapRoutes(identity: Identity): RestRoutes {
  return (app) => {
    addPing(app, identity);
    addSearches(app, identity);
    addImport(app, identity);
  };
}

function addPing(app: HttpApplication, identity: Identity): void {
  app.post(
    '/ldap/ping',
    {
      schema: { body: Type.Union([SERVER, Type.Null()]) },
      ...permits({ scope: 'system', resource: 'configuration', action: 'update' }),
    },
    async (request) => {
      try {
        await new LdapSource(await pinged(identity, request.body ?? {})).ping();
        return { success: true, message: '' };
      } catch (error) {
        return { success: false, message: `error: ${describeError(error)}` };
      }
    },
  );
}

function addSearches(app: HttpApplication, identity: Identity): void {
  app.get(
    '/ldap/users/search',
    { schema: { querystring: BY_USER }, ...permits({ scope: 'system', resource: 'ldap-user', action: 'list' }) },
    async (request) => {
      const source = await ldapSource(identity);
      return (await source.searchUsers(request.query.username ?? '', MAX_FOUND)).map(ldapUserBody);
    },
  );

  app.get(
    '/ldap/groups/search',
    { schema: { querystring: BY_GROUP }, ...permits({ scope: 'system', resource: 'ldap-user', action: 'list' }) },
    async (request) => {
      const { groupname = '', groupdn = '' } = request.query;
      const groups = await (await ldapSource(identity)).searchGroups(groupname, groupdn, MAX_FOUND);
      if (groups.length === 0) {
        throw new VicError({
          class: 'NotFound',
          code: 'LDAP_GROUP_NOT_FOUND',
          message: `group name:${groupname}, group DN:${groupdn} not found`,
        });
      }
      return groups.map(({ dn, name }) => ({ group_name: name, group_type: 1, ldap_group_dn: dn }));
    },
  );
}

function addImport(app: HttpApplication, identity: Identity): void {
  app.post(
    '/ldap/users/import',
    {
      schema: { body: IMPORT },
      ...permits(
        { scope: 'system', resource: 'ldap-user', action: 'create' },
        { operation: 'create', resourceType: 'user' },
      ),
    },
    async (request, reply) => {
      const names = request.body.ldap_uid_list;
      auditSubject(request, names.join(',').slice(0, 255));
      const source = await ldapSource(identity);
      const failures: { readonly uid: string; readonly error: string }[] = [];
      for (const uid of names) {
        const error = await importUser(identity, source, uid);
        if (error !== undefined) failures.push({ uid, error });
      }
      // As in Harbor, 404 says that some of them were not taken over.
      return failures.length === 0 ? reply.send() : reply.code(404).send(failures);
    },
  );
}

/** The reason why the user was not taken over, in Harbor's words where it has some. */
async function importUser(identity: Identity, source: LdapSource, uid: string): Promise<string | undefined> {
  if (uid.trim() === '') return 'empty_uid';
  let found: SourceUser | undefined;
  try {
    found = await source.find(uid);
    if (found === undefined) return 'unknown_user';
    if ((await identity.onboarding.find(found)) !== undefined) return 'duplicate_user';
    await identity.onboarding.takeOver(found);
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

async function ldapSource(identity: Identity): Promise<LdapSource> {
  const { ldap } = await identity.settings.current();
  if (ldap !== undefined) return new LdapSource(ldap);
  throw new VicError({
    class: 'FailedPrecondition',
    code: 'LDAP_NOT_CONFIGURED',
    message: 'No LDAP server is configured.',
    remedy: 'Set ldap_url, ldap_base_dn and ldap_uid.',
  });
}

/** What is to be tried: the configured server, or one described; the kept password goes to the kept server only. */
async function pinged(
  identity: Identity,
  body: Readonly<Record<string, unknown>> & { readonly ldap_url?: string; readonly ldap_search_password?: string },
): Promise<LdapConfiguration> {
  const { ldap } = await identity.settings.current();
  const { ldap_url: url = '', ldap_search_password: password = '' } = body;
  if (url === '') {
    if (ldap !== undefined) return ldap;
    throw new VicError({ class: 'InvalidArgument', code: 'LDAP_URL_MISSING', message: 'ldap_url is missing' });
  }
  const described = ldapConfiguration({ ...body, ldap_timeout: body['ldap_connection_timeout'] });
  const isKept = ldap !== undefined && ldap.url === url && ldap.searchDn === described.searchDn;
  return password === '' && isKept ? { ...described, searchPassword: ldap.searchPassword } : described;
}

function ldapUserBody({ userName, realName, email }: LdapUser): Readonly<Record<string, unknown>> {
  return { username: userName, realname: realName, email };
}
