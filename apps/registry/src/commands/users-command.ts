import { defineCommand, formatTable } from '@vic/cli';
import { VicError } from '@vic/errors';
import { INSTALLATION_OPTIONS, onInstallation } from './installation.ts';

/** `registry users list`. */
export const listUsers = defineCommand({
  name: 'users list',
  summary: 'List the users',
  options: INSTALLATION_OPTIONS,
  run: async (options, context) =>
    onInstallation(options, context, async ({ storage }) => {
      const rows = await storage.database.db
        .selectFrom('users')
        .select(['id', 'name', 'email', 'source', 'system_administrator'])
        .orderBy('name')
        .execute();
      const users = rows.map(({ system_administrator: administrator, ...user }) => ({
        ...user,
        systemAdministrator: administrator === 1,
      }));
      const lines = users.map(({ id, name, email, source, systemAdministrator }) => [
        String(id),
        name,
        email ?? '',
        source,
        systemAdministrator ? 'administrator' : '',
      ]);
      context.result(users, formatTable(['ID', 'NAME', 'EMAIL', 'SOURCE', ''], lines));
    }),
});

/** `registry users reset-password`. */
export const resetPassword = defineCommand({
  name: 'users reset-password',
  summary: 'Give a local user a new random password, shown once; sessions and cached logins end',
  options: { ...INSTALLATION_OPTIONS, user: { kind: 'text', short: 'u', description: 'Name of the user' } },
  examples: ['registry users reset-password --data /var/lib/vic/registry --user admin'],
  run: async (options, context) =>
    onInstallation(options, context, async ({ parts }) => {
      if (options.user === undefined) {
        throw new VicError({
          class: 'InvalidArgument',
          code: 'REGISTRY_USER_UNNAMED',
          message: 'Whose password is meant: --user is missing.',
          remedy: 'registry users list shows the names.',
        });
      }
      const given = await parts.management.identity.localUsers.resetPassword(options.user);
      context.result(given, `New password of ${given.name}: ${given.password} (shown only this once)`);
    }),
});
