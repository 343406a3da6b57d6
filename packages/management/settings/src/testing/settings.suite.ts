import { isVicError } from '@vic/errors';
import { SecretBox } from '@vic/secrets';
import { type Database, openDatabase } from '@vic/sql';
import { type DialectSuite, interleaved } from '@vic/sql/testing';
import { expect, it } from 'vitest';
import { Settings, type SettingsDeps } from '../index.ts';

const BOX = new SecretBox(new Uint8Array(32).fill(7));

/** What settings promise. */
export const settingsSuite: DialectSuite = (open) => {
  it('have their defaults until they are changed', async () => {
    await using database = await open();
    const settings = make(database);
    expect(await settings.get('token_expiration')).toBe(30);
    await settings.update({ token_expiration: 5, read_only: true });
    expect(await settings.get('token_expiration')).toBe(5);
    expect(await settings.get('read_only')).toBe(true);
    expect(await settings.get('session_timeout')).toBe(60);
  });

  it('are the same in another process, after a short while', async () => {
    await using database = await open();
    await using second = await openDatabase(database.location);
    await make(database).update({ banner_message: 'hello' });
    expect(await make(second).get('banner_message')).toBe('hello');
  });

  it('are the new ones at once after a change, whatever was being read meanwhile', async () => {
    await using database = await open();
    const begun = Promise.withResolvers<void>();
    const mayEnd = Promise.withResolvers<void>();
    let reads = 0;
    const firstIsSlow = async (): Promise<void> => {
      if (++reads > 1) return;
      begun.resolve();
      await mayEnd.promise;
    };
    const settings = make(interleaved(database, { kind: 'select', table: 'setting' }, firstIsSlow));
    const before = settings.get('read_only');
    await begun.promise;
    await settings.update({ read_only: true });
    const after = settings.get('read_only');
    mayEnd.resolve();
    expect(await before).toBe(false);
    expect(await after).toBe(true);
    expect(await settings.get('read_only')).toBe(true);
  });

  it('keep a secret encrypted', async () => {
    await using database = await open();
    await make(database).update({ oidc_client_secret: 'hunter22' });
    const row = await database.db.selectFrom('setting').selectAll().executeTakeFirstOrThrow();
    expect(JSON.stringify(row)).not.toContain('hunter22');
    expect(await make(database).get('oidc_client_secret')).toBe('hunter22');
  });

  it('leave what is null as it is, and take numbers and truth values as text', async () => {
    await using database = await open();
    const settings = make(database);
    await settings.update({ token_expiration: '7', read_only: 'true', banner_message: null });
    expect(await settings.values()).toMatchObject({ token_expiration: 7, read_only: true, banner_message: '' });
  });

  it.each([
    [{ token_expiration: 0 }, /token_expiration value must be a whole number from 1/],
    [{ token_expiration: 'soon' }, /token_expiration value must be a number/],
    [{ auth_mode: 'magic' }, /auth_mode value must be one of db_auth/],
    [{ storage_per_project: 0 }, /must be -1 or greater than zero/],
    [{ ldap_url: 'http://ldap' }, /must be a URL with ldap:/],
    [{ uaa_endpoint: 'x' }, /unknown configuration item: uaa_endpoint/],
    [{ skip_audit_log_database: true }, /audit log forward endpoint should be configured/],
  ])('refuse %j, and change nothing then', async (change, message) => {
    await using database = await open();
    const settings = make(database);
    await expect(settings.update({ banner_message: 'x', ...change })).rejects.toThrow(message);
    expect(await settings.get('banner_message')).toBe('');
  });

  it('refuse what a check refuses, and another auth mode once there are users', async () => {
    await using database = await open();
    const settings = make(database, {
      canChangeAuthMode: async () => false,
      checks: [
        (next, changed) => {
          if (changed.has('banner_message') && next.banner_message === 'rude') throw new Error('be polite');
        },
      ],
    });
    await expect(settings.update({ banner_message: 'rude' })).rejects.toThrow('be polite');
    await expect(settings.update({ auth_mode: 'oidc_auth' })).rejects.toThrow('the auth mode cannot be modified');
    await settings.update({ auth_mode: 'db_auth', banner_message: 'hello' });
  });

  it('cannot be changed while an override file holds them', async () => {
    await using database = await open();
    await make(database).update({ token_expiration: 5 });
    const settings = make(database, { overrides: { token_expiration: 12 } });
    expect(await settings.get('token_expiration')).toBe(12);
    expect(await settings.isEditable('banner_message')).toBe(false);
    await expect(settings.update({ banner_message: 'x' })).rejects.toSatisfy((error) =>
      isVicError(error, { class: 'PermissionDenied', code: 'SETTINGS_OVERRIDDEN' }),
    );
  });
};

function make(database: Database, more: Partial<SettingsDeps> = {}): Settings {
  return new Settings({ database, secrets: BOX, canChangeAuthMode: async () => true, ...more });
}
