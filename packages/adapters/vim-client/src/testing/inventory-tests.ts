import { isFault } from '@vic/vim';
import { describe, expect, it } from 'vitest';
import { findByPath, inventoryPath, list, properties, requireByPath, retrieveProperties } from '../index.ts';
import type { SuiteContext } from './vim-server-suite.ts';

/** The inventory of a lone host, and reading properties. */
export function inventoryTests(context: () => SuiteContext): void {
  describe('inventory', () => {
    it('has one data center, one host, a pool and networks', async () => {
      const { client } = context();
      expect(await list(client, 'Datacenter', ['name'])).toHaveLength(1);
      const [host] = await list(client, 'HostSystem', [
        'name',
        'runtime.connectionState',
        'summary.hardware.memorySize',
      ]);
      expect(host?.properties['runtime.connectionState']).toBe('connected');
      expect(host?.properties['summary.hardware.memorySize']).toBeGreaterThan(0);
      expect((await list(client, 'Network', ['name'])).length).toBeGreaterThan(0);
    });

    it('is found by path, and tells paths', async () => {
      const { client, places } = context();
      const path = await inventoryPath(client, places.vmFolder);
      expect(path).toMatch(/^\/[^/]+\/vm$/);
      expect(await findByPath(client, path)).toEqual(places.vmFolder);
      expect(await findByPath(client, `${path}/no-such-thing`)).toBeUndefined();
      await expect(requireByPath(client, 'VirtualMachine', path)).rejects.toMatchObject({ class: 'NotFound' });
    });

    it('gives nested properties with their types', async () => {
      const { client, places } = context();
      const found = await properties(client, places.datastore, ['name', 'summary.capacity', 'summary', 'host']);
      expect(found['summary.capacity']).toBe(found.summary?.capacity);
      expect(found.summary?.name).toBe(places.datastoreName);
      expect(found.host?.[0]?.key.type).toBe('HostSystem');
    });

    it('refuses properties that do not exist', async () => {
      const { client, places } = context();
      const error = await properties(client, places.datastore, ['name', 'nonsense']).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(isFault(error, 'InvalidProperty')).toBe(true);
    });

    it('leaves out objects that are gone', async () => {
      const { client, places } = context();
      const gone = { type: 'Datastore', value: 'no-such-datastore' } as const;
      const found = await retrieveProperties(client, [places.datastore, gone], ['name']).catch(
        (error: unknown) => error,
      );
      // Servers may leave out what is gone or refuse the whole request; nothing else.
      const isLeftOut = Array.isArray(found) && found.length === 1;
      expect(isLeftOut || isFault(found, 'ManagedObjectNotFound')).toBe(true);
    });
  });
}
